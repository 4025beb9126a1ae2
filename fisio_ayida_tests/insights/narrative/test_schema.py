"""The schema that is sent, the prompt, and reading an answer's form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.lib._pydantic import to_strict_json_schema

from fisio_ayida.insights.model import PROMPT_VERSION
from fisio_ayida.insights.narrative import prompt
from fisio_ayida.insights.narrative.answers import LONGEST, NotAnAnswer, answer
from fisio_ayida.insights.narrative.schema import LONGEST_TEXT, MOST_PASSAGES, Narrative, strict_schema

# With other words in the prompt or the schema, insights are written anew: give PROMPT_VERSION another value, and
# this table one more row.
DIGESTS = {"p1": "6c8c363dab257835"}


def passage(text: str = "A dor diminuiu.", *refs: str) -> dict[str, Any]:
    return {"texto": text, "citacoes": list(refs or ("pain_trend",))}


def given(**changes: Any) -> dict[str, Any]:
    return {"resumo": passage(), "tendencias": [passage()], "recomendacoes": [], "riscos": []} | changes


def test_the_schema_is_what_the_library_makes_of_the_model_for_strict_answers() -> None:
    assert strict_schema() == to_strict_json_schema(Narrative)


def test_the_schema_requires_every_property_and_allows_no_other() -> None:
    schema = strict_schema()

    for each in (schema, *schema["$defs"].values()):
        assert each["additionalProperties"] is False
        assert each["required"] == list(each["properties"])


def test_the_schema_has_no_keyword_that_strict_servers_refuse() -> None:
    assert not {"maxLength", "minLength", "maxItems", "minItems", "default"} & set(_keys(strict_schema()))


def test_another_prompt_or_schema_has_another_version() -> None:
    assert DIGESTS[PROMPT_VERSION] == prompt.digest()


def test_the_repair_prompt_says_what_was_wrong_after_the_earlier_answer() -> None:
    messages = prompt.again("the data", "an answer", "resumo: texto vazio")

    assert messages[:2] == prompt.first("the data")
    assert messages[2] == {"role": "assistant", "content": "an answer"}
    assert "resumo: texto vazio" in messages[3]["content"]


def test_an_answer_that_must_not_leave_again_is_not_in_the_repair_prompt() -> None:
    assert [each["role"] for each in prompt.again("{}", None, "x")] == ["system", "user", "user"]


@pytest.mark.parametrize("around", ["{}", "Claro! Segue:\n{}\nEspero ter ajudado.", "```json\n{}\n```"])
def test_one_object_is_found_whatever_stands_around_it(around: str) -> None:
    assert answer(around.replace("{}", json.dumps(given()))).resumo.texto == "A dor diminuiu."


@pytest.mark.parametrize(
    "text",
    [
        "", "não sei", "[]", '"texto"', json.dumps(given())[:-1], json.dumps(given()) * 2,
        "{" * 5000, '{"a":' * 5000, json.dumps(given()) + " " * LONGEST,
        json.dumps({"dentro": given()}),
    ],
    ids=["nothing", "prose", "list", "string", "cut", "two", "braces", "depth", "endless", "wrapped"],
)  # fmt: skip
def test_what_is_no_single_whole_object_is_no_answer(text: str) -> None:
    with pytest.raises(NotAnAnswer):
        answer(text)


@pytest.mark.parametrize(
    "wrong",
    [
        given(score=5), given(resumo="texto"), given(riscos=None),
        given(tendencias=[passage()] * (MOST_PASSAGES + 1)),
        given(resumo=passage("a" * (LONGEST_TEXT + 1))), given(resumo={"texto": "a"}),
        given(resumo={"texto": "a", "citacoes": [1]}), given(resumo=passage() | {"nota": 10}),
    ],
    ids=["key", "text", "null", "many", "long", "no refs", "number", "inner key"],
)  # fmt: skip
def test_what_the_schema_or_its_limits_do_not_allow_is_no_answer(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAnAnswer, match="esquema"):
        answer(json.dumps(wrong))


def test_what_is_told_about_a_wrong_answer_repeats_nothing_of_it() -> None:
    with pytest.raises(NotAnAnswer) as raised:
        answer(json.dumps(given(**{"Maria Nogueira": 1}, resumo={"texto": ["Maria Nogueira"], "citacoes": []})))

    assert "Maria" not in str(raised.value)


def test_passages_are_on_one_line_without_what_is_not_seen() -> None:
    read = answer(json.dumps(given(resumo=passage("A dor\n\n  di\u200bminuiu\u202e.\x00", "a", "a", "b"))))

    assert (read.resumo.texto, read.resumo.citacoes) == ("A dor diminuiu.", ["a", "b"])


def _keys(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        return [*schema, *(key for each in schema.values() for key in _keys(each))]
    return [key for each in schema for key in _keys(each)] if isinstance(schema, list) else []
