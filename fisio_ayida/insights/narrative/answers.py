"""From the text that the model wrote to its passages, whatever stands around the JSON.

Here: form alone. Not here: whether what it says is so (``validation.py``).
"""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import ValidationError

from fisio_ayida.insights.narrative.lines import one_line
from fisio_ayida.insights.narrative.schema import Narrative, Passage

#: Characters of an answer that are looked at: some five times what the schema's limits allow.
LONGEST: Final = 100_000
_DECODER: Final = json.JSONDecoder()


class NotAnAnswer(ValueError):
    """The text is not what the schema asks for; says in Portuguese what was wrong, and nothing of the text."""


def answer(text: str) -> Narrative:
    """The one JSON object in a text, as passages without invisible characters and line breaks.

    Prose or a fence around the object is no fault: small models put them there.

    Raises:
        NotAnAnswer: no object, more than one, or one that the schema does not allow.
    """
    found = _only_object(text)
    try:
        read = Narrative.model_validate(found)
    except ValidationError as error:
        wrong = "; ".join(dict.fromkeys(_told(dict(each)) for each in error.errors(include_url=False)[:5]))
        raise NotAnAnswer(f"o JSON não segue o esquema: {wrong}") from None
    return Narrative(
        resumo=_tidy(read.resumo), tendencias=[_tidy(each) for each in read.tendencias],
        recomendacoes=[_tidy(each) for each in read.recomendacoes], riscos=[_tidy(each) for each in read.riscos],
    )  # fmt: skip


def _tidy(passage: Passage) -> Passage:
    return Passage(texto=one_line(passage.texto), citacoes=list(dict.fromkeys(passage.citacoes)))


def _only_object(text: str) -> Any:
    if len(text) > LONGEST:
        raise NotAnAnswer("a resposta é longa demais")
    found: list[Any] = []
    place = text.find("{")
    while place >= 0:
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError):
            # Never from inside a broken object: what stands in it is no answer by itself.
            raise NotAnAnswer("a resposta não contém um objeto JSON completo") from None
        found.append(value)
        place = text.find("{", place)
    if len(found) != 1:
        raise NotAnAnswer(f"a resposta deve conter um só objeto JSON; há {len(found)}")
    return found[0]


def _told(error: dict[str, Any]) -> str:
    """Where and what, of our own words alone: what the model invents as a key is not repeated."""
    known = {*Narrative.model_fields, *Passage.model_fields}
    where = ".".join(str(part) if isinstance(part, int) or part in known else "?" for part in error["loc"])
    kinds = {"missing": "falta", "extra_forbidden": "não é permitido"}
    what = error["msg"].removeprefix("Value error, ") if error["type"] == "value_error" else ""
    return f"{where or 'resposta'} {kinds.get(error['type'], what or 'tem o tipo errado')}"
