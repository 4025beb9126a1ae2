"""What is read out of other columns: identifier and name, who is a person, NUTS codes, keys of penalties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.bdns.codec import Frame
from fisio_ayida.bdns.datasets import REGIONES, SANCIONES
from fisio_ayida.bdns.derive import is_natural_person, is_personal, split_beneficiary
from fisio_ayida.bdns.records import record_type

# (identifier, natural person, must be hidden by a public product): the table of CONTRACT §5.2.
FORMS = [
    ("***1234**", True, True), ("***1234", True, True), ("****1234*", True, True), ("**123**", True, True),
    ("00000001R", True, True), ("X0000001R", True, True), ("Y0000001R", True, True), ("Z0000001M", True, True),
    ("K0000001E", True, True), ("L0000001A", True, True), ("M0000001T", True, True),
    ("E00000017", False, True), ("J00000018", False, True),
    ("P0000001E", False, False), ("Q0000001B", False, False), ("S0000001H", False, False),
    *((f"{letter}00000018", False, False) for letter in "ABCDFGHNRUVW"),
    ("99000012345", False, True), ("ZZZZZZZZZ", False, True), ("FR12345678901", False, True),
]  # fmt: skip


@pytest.mark.parametrize(("identifier", "natural", "personal"), FORMS)
@pytest.mark.parametrize("separator", [" ", " - ", "  ", "   -  "])
def test_every_form_of_identifier_is_split_and_told_apart(
    identifier: str, natural: bool, personal: bool, separator: str
) -> None:
    assert split_beneficiary(f" {identifier}{separator}APELLIDO NOMBRE, SL ") == (
        identifier,
        "APELLIDO NOMBRE, SL",
    )
    assert is_natural_person(identifier) is natural
    assert is_personal(identifier) is personal


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("B00000018 - ", ("B00000018", None)), ("B00000018", ("B00000018", None)), ("", (None, None)),
        (None, (None, None)), ("   ", (None, None)), ("B00000018 -GUION", ("B00000018", "-GUION")),
        ("B00000018 UNO - DOS", ("B00000018", "UNO - DOS")), ("A00000018 A00000018", ("A00000018", "A00000018")),
        ("***0012** * PÉREZ ANA -", ("***0012**", "* PÉREZ ANA -")), ("B00000018\u00a0X Y", ("B00000018", "X Y")),
    ],
)  # fmt: skip
def test_odd_beneficiaries_keep_what_they_say(text: str | None, parts: tuple[str | None, str | None]) -> None:
    assert split_beneficiary(text) == parts


@given(st.text())
def test_splitting_never_fails_and_loses_no_letter(text: str) -> None:
    identifier, name = split_beneficiary(text)
    kept = "".join(f"{identifier or ''}{name or ''}".split())
    assert kept in ("".join(text.split()), "".join(text.split()).replace("-", "", 1))


def test_an_identifier_that_is_not_recognised_is_hidden() -> None:
    assert is_personal(None) and is_personal("") and not is_natural_person(None)


def _regions(*texts: str | None) -> Frame:
    kind = record_type(REGIONES)
    return Frame(REGIONES.columns, [kind(id=n, descripcion=t) for n, t in enumerate(texts)])


def test_nuts_codes_are_parsed_from_the_text() -> None:
    frame = _regions("ES - ESPAÑA ", "ES51 - CATALUÑA", "ES511 - Barcelona", "FR - FRANCIA", "OTROS PAÍSES", None)
    assert frame["codigo_nuts"] == ["ES", "ES51", "ES511", "FR", None, None]
    assert frame["nombre"] == ["ESPAÑA", "CATALUÑA", "Barcelona", "FRANCIA", "OTROS PAÍSES", None]
    assert frame["descripcion_normal"][0] == "es - espana"


def _penalty(**changes: object) -> str:
    values: dict[str, object] = {
        "numeroConvocatoria": "123456", "sancionado": "B00000018 PANADERÍA MUÑOZ, S.L.",
        "fechaSancion": "2026-01-02", "fechaConcesion": "2025-01-02", "infraccion": "ART. 57.C",
    }  # fmt: skip
    record = record_type(SANCIONES)(**{**values, **changes})
    return str(Frame(SANCIONES.columns, [record])["clave"][0])


def test_the_key_of_a_penalty_ignores_spelling_and_amounts() -> None:
    same = _penalty()
    assert len(same) == 32
    assert _penalty(sancionado="B00000018 PANADERIA MUNOZ SL .") == same
    assert _penalty(importeMulta=12.5, nivel1="ESTADO", infraccion="Art.  57.c ") != _penalty(
        infraccion="ART. 58.A"
    )
    assert _penalty(importeMulta=12.5, nivel1="ESTADO") == same


@pytest.mark.parametrize(
    "change",
    [
        {"numeroConvocatoria": "123457"}, {"sancionado": "B00000026 PANADERÍA MUÑOZ, S.L."},
        {"sancionado": "B00000018 PANADERÍA NÚÑEZ, S.L."}, {"fechaSancion": "2026-01-03"},
        {"fechaConcesion": None}, {"infraccion": "ART. 58.A"},
    ],
)  # fmt: skip
def test_the_key_of_a_penalty_knows_who_for_what_and_when(change: dict[str, object]) -> None:
    assert _penalty(**change) != _penalty()
