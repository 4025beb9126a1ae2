"""Canonical forms: the source's noise disappears in them, and nothing else does."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.bdns.canon import coded_list, hash_list, name_key, normal_text, unordered
from fisio_ayida.simulators.bdns.catalogues import ACTIVIDADES
from fisio_ayida.warehouse.engine import Warehouse

# Without what one Unicode release knows and the next one may change.
texts = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=60)
words = st.text(st.characters(categories=["L", "N", "Zs", "P"]), max_size=40)


@pytest.mark.parametrize(
    "spelling",
    [
        "PANADERÍA MUÑOZ, S.L.", "PANADERIA MUNOZ SL", "Panadería Muñoz S. L.", "  PANADERÍA   MUÑOZ SL .",
        "PANADERÍA MUÑOZ SOCIEDAD LIMITADA", "PANADERÍA-MUÑOZ, SL -", "PANADERÍA* MUÑOZ S.L",
        "PANADERÍA MUÑOZ SOCIEDAD DE RESPONSABILIDAD LIMITADA", "PANADERÍA\u00a0MUÑOZ S.L.",
        unicodedata.normalize("NFD", "PANADERÍA MUÑOZ S.L."),
    ],
)  # fmt: skip
def test_spellings_of_one_name_are_equal(spelling: str) -> None:
    assert name_key(spelling) == b"PANADERIAMUNOZSL"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TALLERES RUIZ SOCIEDAD ANONIMA", "TALLERES RUIZ S.A."),
        ("TALLERES RUIZ SOCIEDAD LIMITADA UNIPERSONAL", "TALLERES RUIZ SLU"),
        ("TALLERES RUIZ SOCIEDAD LIMITADA PROFESIONAL", "TALLERES RUIZ S.L.P."),
        ("HERMANOS RUIZ COMUNIDAD DE BIENES", "HERMANOS RUIZ, C.B."),
        ("EL OLIVAR SOCIEDAD COOPERATIVA", "EL OLIVAR S.COOP."),
        ("EL OLIVAR SDAD COOP", "EL OLIVAR SOC. COOP."),
    ],
)
def test_spellings_of_a_legal_form_are_equal(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PANADERIA MUÑOZ SL", "PANADERIA MUÑIZ SL"), ("PANADERIA MUÑOZ SL", "PANADERIA MUÑOZ SA"),
        ("PANADERIA MUÑOZ SL", "PANADERIA MUÑOZ SLU"), ("BAR 1", "BAR 2"), ("ANA RUIZ", "RUIZ ANA"),
        ("ŁÓDŹ", "ŁÓD"), ("ΑΒΓ", "ΑΒΔ"),
    ],
)  # fmt: skip
def test_another_name_differs(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize("blank", [None, "", "   ", "- .", "***"])
def test_a_blank_name_has_no_key(blank: str | None) -> None:
    assert name_key(blank) is None


@given(words)
def test_a_name_key_ignores_case_accents_and_punctuation_and_is_its_own_key(name: str) -> None:
    key = name_key(name)
    if key is None:
        return
    assert name_key(f"  {name} .") == key
    if all(c < "\u00c0" for c in name):
        assert name_key(name.lower()) == name_key(name.upper()) == key
        assert name_key(key.decode()) == key


@given(st.text("abcñáéíóúüçABC 019.-", min_size=1))
def test_a_name_in_latin_letters_has_one_key_however_it_is_composed(name: str) -> None:
    assert name_key(unicodedata.normalize("NFD", name)) == name_key(unicodedata.normalize("NFC", name))


def test_a_coded_list_ignores_order_and_keeps_the_semicolons_of_its_texts() -> None:
    elements = [text for _, text in ACTIVIDADES]
    assert any(";" in text for text in elements), "Q22: some texts have a semicolon of their own"
    draw = random.Random(7)
    for _ in range(300):
        chosen = draw.sample(elements, k=draw.randint(1, 5))
        shuffled = draw.sample(chosen, k=len(chosen))
        assert coded_list("; ".join(chosen)) == coded_list("; ".join(shuffled))
    for text in elements:
        assert coded_list(f"{text}; Z - OTRA") != coded_list("Z - OTRA")


def test_a_semicolon_inside_an_element_does_not_split_it() -> None:
    text = "I - HOSTELERÍA; 47.1 - COMERCIO; REPARACIÓN DE VEHÍCULOS; A - AGRICULTURA"
    assert coded_list(text) == "47.1 - COMERCIO; REPARACIÓN DE VEHÍCULOS;A - AGRICULTURA;I - HOSTELERÍA"
    naive = "I - HOSTELERÍA; REPARACIÓN DE VEHÍCULOS; 47.1 - COMERCIO; A - AGRICULTURA"
    assert coded_list(naive) != coded_list(text)


@given(st.lists(st.text("abc- 1", min_size=1).map(str.strip).filter(bool), min_size=1), st.randoms())
def test_a_hash_list_ignores_order_and_blanks_and_nothing_else(parts: list[str], draw: random.Random) -> None:
    shuffled = draw.sample(parts, k=len(parts))
    assert hash_list("#".join(f" {p} " for p in parts)) == hash_list("#".join(shuffled))
    assert hash_list("#".join([*parts, "other"])) != hash_list("#".join(parts))


@pytest.mark.parametrize("form", [hash_list, coded_list])
def test_a_blank_list_is_null(form: object) -> None:
    assert form(None) is None and form("") is None and form("  ") is None  # type: ignore[operator]


def test_a_json_array_is_a_set() -> None:
    assert unordered(["b ", "a"]) == unordered(["a", "b"]) == ["a", "b"]
    assert unordered([]) is None and unordered(None) is None


@given(texts)
def test_normal_text_is_idempotent(text: str) -> None:
    once = normal_text(text)
    assert once is None or normal_text(once) == once


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("SUBVENCIÓN y ENTREGA  DINERARIA ", "subvencion y entrega dineraria"),
        ("CONSEJERÍA\u00a0DE  Educación", "consejeria de educacion"), ("  ", None), ("", None), (None, None),
        ("Ñandú 1º", "nandu 1o"), ("ΟΔΟΣ ΝΕΑ", "οδοσ νεα"),
    ],
)  # fmt: skip
def test_normal_text_folds_case_accents_and_blanks(text: str | None, normal: str | None) -> None:
    assert normal_text(text) == normal


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts.map(lambda t: t.replace("\x00", "")), min_size=20, max_size=60))
def test_the_database_computes_the_same_normal_text(warehouse: Warehouse, some: list[str]) -> None:
    with warehouse.connect(autocommit=True) as conn:
        found = conn.execute(
            "select bdns.normal(t) from unnest(%s::text[]) with ordinality as u(t, n) order by n", [some]
        ).fetchall()
    assert [row[0] for row in found] == [normal_text(t) for t in some]
