"""What the model has to answer: four kinds of passages in Portuguese, each with what it rests on.

Here: the answer's shape and its limits. Not here: whether what it says is so (``validation.py``).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NAME: Final = "insights"
#: Characters of one passage.
LONGEST_TEXT: Final = 600
#: Passages of one kind.
MOST_PASSAGES: Final = 5
#: Refs that one passage cites.
MOST_CITATIONS: Final = 20


# Servers differ in what they allow in a strict schema: limits stand in the prompt and are checked here, and the
# schema that is sent has types alone.
def _short(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"mais de {LONGEST_TEXT} caracteres")
    return text


def _few(passages: list[Passage]) -> list[Passage]:
    if len(passages) > MOST_PASSAGES:
        raise ValueError(f"mais de {MOST_PASSAGES} itens")
    return passages


def _not_everything(refs: list[str]) -> list[str]:
    if len(refs) > MOST_CITATIONS:
        raise ValueError(f"mais de {MOST_CITATIONS} citações")
    return refs


# A docstring is for readers of this file; pydantic would send it.
def _without_docstring(schema: dict[str, Any]) -> None:
    schema.pop("description", None)


_CONFIG: Final = ConfigDict(
    extra="forbid", strict=True, hide_input_in_errors=True, json_schema_extra=_without_docstring
)


class Passage(BaseModel):
    """A few sentences, and the refs of the facts and sessions that they rest on."""

    model_config = _CONFIG

    texto: Annotated[str, AfterValidator(_short)] = Field(description="Uma a três frases em português do Brasil.")
    citacoes: Annotated[list[str], AfterValidator(_not_everything)] = Field(
        description="Os valores de ref dos fatos e das sessões em que o texto se apoia; ao menos um."
    )


Passages = Annotated[list[Passage], AfterValidator(_few)]


class Narrative(BaseModel):
    """The whole answer. An empty list says that there is nothing of that kind to tell."""

    model_config = _CONFIG

    # Without a description of its own: beside a reference, strict schemas allow nothing.
    resumo: Passage
    tendencias: Passages = Field(description="O que mudou ao longo das sessões.")
    recomendacoes: Passages = Field(description="Sugestões que o profissional pode considerar.")
    riscos: Passages = Field(description="Sinais de risco, com a evidência.")


def strict_schema() -> dict[str, Any]:
    """The JSON schema for ``response_format``: every property required, no others allowed."""
    return Narrative.model_json_schema()
