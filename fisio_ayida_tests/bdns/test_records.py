"""Decoding: a record that fits, one that drifts from the contract, and one that cannot be used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fisio_ayida.bdns.datasets import AYUDAS_ESTADO, CONCESIONES, CONVOCATORIAS, SANCIONES
from fisio_ayida.bdns.records import Batch, decode_objects, decode_page
from fisio_ayida.bdns.registry import Dataset

AWARD: dict[str, Any] = {
    "id": 5, "codConcesion": "SB5", "fechaConcesion": "2026-09-01", "beneficiario": "B00000018 UNO",
    "importe": 18375, "ayudaEquivalente": 1200.5, "numeroConvocatoria": "123456", "fechaAlta": "2026-09-07",
}  # fmt: skip


def page(*rows: Any, of: Dataset = CONCESIONES, **more: Any) -> Batch:
    """A page with these rows, decoded."""
    body = {"content": list(rows), "totalElements": len(rows), "last": True, "advertencia": "…", **more}
    return decode_page(of, json.dumps(body).encode(), "http://x/page")


def one(**changes: Any) -> Batch:
    """A page with one award that differs from the usual."""
    return page({**AWARD, **changes})


def test_ints_and_floats_in_one_column_are_amounts() -> None:
    (record,) = one().records
    assert (record.importe, record.ayudaEquivalente) == (18375, 1200.5)


def test_a_bad_record_costs_only_itself() -> None:
    batch = page(AWARD, {**AWARD, "id": None}, {**AWARD, "id": 6, "nuevo": 1}, "texto", {**AWARD, "id": 7})
    assert [r.id for r in batch.records] == [5, 6, 7]
    assert batch.extras == {1: {"nuevo": 1}}
    assert batch.received == batch.total == 5
    assert [r.key for r in batch.rejects] == [None, None]
    assert json.loads(batch.rejects[0].payload)["id"] is None
    assert all(r.url == "http://x/page" for r in batch.rejects)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "abc"}, "id"), ({"id": 2**63}, "id"), ({"fechaAlta": "2026-02-31"}, "fechaAlta"),
        ({"fechaAlta": "07/09/2026"}, "fechaAlta"), ({"fechaConcesion": 20260907}, "fechaConcesion"),
        ({"numeroConvocatoria": ""}, "numeroConvocatoria"), ({"numeroConvocatoria": "9" * 3000}, "length"),
        ({"importe": "mil euros"}, "importe"), ({"importe": 1e13}, "more digits"),
        ({"importe": "12345678901234567.89"}, "more digits"), ({"importe": "NaN"}, "more digits"),
        ({"importe": [1]}, "importe"), ({"beneficiario": {"a": 1}}, "beneficiario"),
        ({"tieneProyecto": 7}, "bool"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_as_it_is_becomes_a_reject(change: dict[str, Any], words: str) -> None:
    batch = one(**change)
    assert not batch.records
    (reject,) = batch.rejects
    assert words in reject.reason
    assert json.loads(reject.payload) == json.loads(json.dumps({**AWARD, **change}))
    assert reject.key == (str(change["id"]) if "id" in change else "5")


def test_a_renamed_required_field_makes_the_record_a_reject_with_its_key() -> None:
    row = {("importeNuevo" if k == "importe" else k): v for k, v in AWARD.items()}
    (reject,) = page(row).rejects
    assert "importe" in reject.reason and reject.key == "5"


def test_an_unknown_field_is_kept_and_reported() -> None:
    batch = one(campoNuevo={"a": [1]}, otro="x" * 100)
    assert batch.extras == {0: {"campoNuevo": {"a": [1]}, "otro": "x" * 100}}
    drifts = {d.field: d for d in batch.drifts}
    assert (drifts["campoNuevo"].kind, drifts["campoNuevo"].json_type) == ("unknown_field", "object")
    assert drifts["campoNuevo"].sample == '{"a":[1]}' and len(drifts["otro"].sample) <= 60


@pytest.mark.parametrize(
    ("field", "value", "stored", "json_type"),
    [
        ("importe", "18375.25", 18375.25, "string"), ("id", "77", 77, "string"),
        ("numeroConvocatoria", 123456, "123456", "integer"), ("tieneProyecto", "true", True, "string"),
        ("fechaAlta", "2026-09-07T00:00:00+02:00", "2026-09-07", "string"),
        ("fechaAlta", "2026-09-07T00:00:00.000+02:00", "2026-09-07", "string"),
    ],
)  # fmt: skip
def test_another_json_type_with_a_usable_value_is_taken_and_reported(
    field: str, value: Any, stored: Any, json_type: str
) -> None:
    batch = one(**{field: value})
    assert getattr(batch.records[0], field) == stored
    assert [(d.field, d.kind, d.json_type) for d in batch.drifts] == [(field, "type_changed", json_type)]


@pytest.mark.parametrize("spelling", ["codigoINVENTE", "codigoInvente", "CODIGOINVENTE"])
@pytest.mark.parametrize("of", [CONCESIONES, SANCIONES])
def test_the_invente_code_is_read_in_any_capitals(spelling: str, of: Dataset) -> None:
    row = {**AWARD, "sancionado": "B00000018 UNO", "fechaSancion": "2026-01-01", spelling: "INV00000001"}
    keep = {c.field for c in of.columns} | {spelling}
    batch = page({k: v for k, v in row.items() if k in keep}, of=of)
    assert batch.records[0].codigoInvente == "INV00000001"
    assert not batch.drifts and not batch.extras


def test_a_known_name_beside_its_other_spelling_does_not_hide_it() -> None:
    batch = one(codigoInvente="a", codigoINVENTE="b")
    assert batch.records[0].codigoInvente == "a" and batch.extras == {0: {"codigoINVENTE": "b"}}


def test_bytes_that_are_no_utf8_reject_only_their_record() -> None:
    rows = json.dumps([AWARD, {**AWARD, "id": 6, "convocatoria": "XX"}], ensure_ascii=False).encode()
    body = b'{"content":' + rows.replace(b"XX", b"\xe9\xff") + b',"totalElements":2,"last":true}'
    batch = decode_page(CONCESIONES, body)
    assert [r.id for r in batch.records] == [5]
    assert "\\xe9\\xff" in batch.rejects[0].payload


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("\ud800", "\ufffd"), ("a\udc00b", "a\ufffdb"), ("\ud83c\udfdb y \ud83c", "🏛 y \ufffd"),
        ("\\ud800 \ud800", "\\ud800 \ufffd"), ("\ud800\n", "\ufffd"),
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_loses_neither_the_page_nor_the_record(sent: str, kept: str) -> None:
    batch = page(AWARD, {**AWARD, "id": 6, "convocatoria": sent})
    assert [r.id for r in batch.records] == [5, 6] and not batch.rejects
    assert batch.records[1].convocatoria.strip() == kept


@pytest.mark.parametrize("body", [{"content": None}, {"totalElements": 3}, {}, {"codigo": "ERR", "error": "x"}])
def test_an_answer_that_is_no_page_has_no_total(body: dict[str, Any]) -> None:
    assert decode_page(AYUDAS_ESTADO, json.dumps(body).encode()).total is None


def test_drift_inside_a_child_row_names_its_place() -> None:
    item = {
        "codigoBDNS": "1", "fechaRecepcion": "2026-09-07", "conDetalle": True,
        "documentos": [{"id": "9", "nuevo": 1, "datMod": "2024-10-01T00:00:00+02:00"}, {"id": 10}],
    }  # fmt: skip
    batch = decode_objects(CONVOCATORIAS, [item])
    assert batch.extras == {0: {"documentos[].nuevo": [1]}}
    assert {d.field for d in batch.drifts} == {"documentos[].nuevo", "documentos[].id", "documentos[].datMod"}


@pytest.mark.parametrize("rows", [{"id": 1}, ["x"], [{"descripcion": "sin id"}], [{"id": 1, "datMod": "ayer"}]])
def test_a_child_list_that_cannot_be_read_makes_the_record_a_reject(rows: Any) -> None:
    item = {"codigoBDNS": "1", "fechaRecepcion": "2026-09-07", "documentos": rows}
    batch = decode_objects(CONVOCATORIAS, [item])
    assert not batch.records and batch.rejects[0].key == "1"
