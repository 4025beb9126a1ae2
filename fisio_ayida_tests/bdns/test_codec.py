"""From records to rows and hashes: whatever the text or the amount, it comes back; what counts is pinned."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.bdns.codec import codec
from fisio_ayida.bdns.datasets import CONVOCATORIAS, DATASETS, PARTIDOS_POLITICOS, PLANES_ESTRATEGICOS
from fisio_ayida.bdns.records import decode_objects, record_type
from fisio_ayida.bdns.registry import Column, Dataset
from fisio_ayida.warehouse.copying import Copying
from fisio_ayida.warehouse.engine import Warehouse

NOW = dt.datetime(2026, 10, 5, 9, tzinfo=dt.UTC)
# \x01 alone is the mark for null on the way to the table.
any_text = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda t: t != "\x01") | st.sampled_from(
    ["\t", "\n", "\r\n", "\\", "\\N", "\\.", "a\tb\nc\\d", '"', "'", "\x00", "a\x00b", "\x7f\x80", "😀🏛️", "\u2028"]
)
cents = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda n: Decimal(n) / 100)


def award(number: int, **values: object) -> dict[str, object]:
    """A record of partidos_politicos."""
    return {
        "id": number, "beneficiario": "G00000018 PARTIDO", "importe": 1, "ayudaEquivalente": 1,
        "numeroConvocatoria": "123456", **values,
    }  # fmt: skip


def store(conn: psycopg.Connection[Any], of: Dataset, items: list[dict[str, object]]) -> None:
    """Decode items and copy them into the table."""
    batch = decode_objects(of, items)
    assert not batch.rejects
    coding = codec(of)
    frame = coding.frame(batch.records)
    lines = coding.lines(frame, coding.hashes(frame), batch.extras, NOW)
    copying = Copying(conn)
    copying.write(of.table, coding.stored_columns, lines)
    copying.finish()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(any_text, st.none() | any_text, cents, st.none() | st.booleans()), max_size=25))
def test_any_text_and_amount_comes_back_from_the_table(
    warehouse: Warehouse, some: list[tuple[str, str | None, Decimal, bool | None]]
) -> None:
    items = [
        award(n, beneficiario=a or "x", convocatoria=b, importe=c, tieneProyecto=d)
        for n, (a, b, c, d) in enumerate(some)
    ]
    decoded = msgspec.json.Encoder(decimal_format="number")
    items = [msgspec.json.decode(decoded.encode(i)) for i in items]
    with warehouse.connect() as conn:
        store(conn, PARTIDOS_POLITICOS, items)
        found = conn.execute(
            "select beneficiario, convocatoria, importe, tiene_proyecto from bdns.partidos_politicos order by id"
        ).fetchall()
        conn.rollback()
    assert found == [(_kept(a or "x"), _kept(b), c, d) for a, b, c, d in some]


def _kept(text: str | None) -> str | None:
    return None if text is None else text.replace("\x00", "\ufffd")


@given(cents)
def test_an_amount_of_thirteen_digits_of_euros_is_exact_to_the_cent(amount: Decimal) -> None:
    (record,) = decode_objects(PARTIDOS_POLITICOS, [award(1, importe=float(amount))]).records
    coding = codec(PARTIDOS_POLITICOS)
    line = coding.lines(coding.frame([record]), np.array([1]), {}, NOW).decode().split("\t")
    assert Decimal(line[coding.stored_columns.index("importe")]) == amount


def test_a_string_of_two_megabytes_and_an_array_of_odd_texts_come_back(warehouse: Warehouse) -> None:
    odd = ['con "comillas"', "con \\barra", "con, coma", "{llaves}", "NULL", "", "tab\ty línea\n"]
    long = "Ñ\t" * 1_000_000
    with warehouse.connect() as conn:
        store(conn, PARTIDOS_POLITICOS, [award(1, convocatoria=long)])
        store(conn, PLANES_ESTRATEGICOS, [{"id": 1, "conDetalle": True, "ambitos": odd}])
        assert conn.execute("select convocatoria from bdns.partidos_politicos").fetchall() == [(long,)]
        assert conn.execute("select ambitos from bdns.planes_estrategicos").fetchall() == [(odd,)]
        conn.rollback()


def test_unknown_fields_come_back_as_they_came(warehouse: Warehouse) -> None:
    extra = {"nuevo": {"a": [1, 2.5, None, "ñ\t\n\\"]}, "otro": "x"}
    with warehouse.connect() as conn:
        store(conn, PARTIDOS_POLITICOS, [award(1), award(2, **extra), award(3, nuevo="a\x00b")])
        found = conn.execute("select extra from bdns.partidos_politicos order by id").fetchall()
        conn.rollback()
    assert found == [(None,), (extra,), ({"nuevo": "a\ufffdb"},)]


def plain_record(of: Dataset) -> dict[str, object]:
    """One record with a value in every field that the source fills."""

    def filled(columns: tuple[Column, ...]) -> dict[str, object]:
        return {c.field: _VALUES[c.type] for c in columns if c.derive is None}

    return filled(of.columns) | {c.source: [filled(c.columns)] for c in of.children}


_VALUES = {
    "text": "B00000018 Texto Ñandú, S.L.", "bigint": 12345678901, "integer": 2024, "numeric": 1200.5,
    "date": "2026-09-07", "boolean": True, "text[]": ["uno", "dos"],
}  # fmt: skip
# A stored hash is compared for years: another way of hashing makes every row of the mirror a new version.
PINNED: dict[str, int] = {
    "finalidades": 5020747184431266057,
    "tipos_beneficiario": 5020747184431266057,
    "instrumentos": 5020747184431266057,
    "reglamentos": 3776981794502845691,
    "sectores": 5020747184431266057,
    "actividades": 5020747184431266057,
    "objetivos": 5020747184431266057,
    "regiones": -127086377327889887,
    "organos": 6994038346165040203,
    "organos_agrupacion": 3776981794502845691,
    "convocatorias": -8245767484346778319,
    "concesiones": 4599390991460100099,
    "ayudas_estado": -2114267411283071657,
    "minimis": -1581648710666438866,
    "partidos_politicos": 2448196330573396444,
    "grandes_beneficiarios": 4155200923147666742,
    "planes_estrategicos": 817924860340122129,
    "planes_estrategicos_vigencia": -3090182937922426498,
    "sanciones": -521291240088679301,
}


@pytest.mark.parametrize("name", list(DATASETS))
def test_the_hash_of_a_record_is_the_same_in_every_release(name: str) -> None:
    assert hash_of(DATASETS[name], plain_record(DATASETS[name])) == PINNED[name]


def hash_of(of: Dataset, item: dict[str, object]) -> int:
    """The stored hash of one record."""
    batch = decode_objects(of, [item])
    assert not batch.rejects, batch.rejects
    return int(codec(of).hashes(codec(of).frame(batch.records))[0])


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_field_that_counts_changes_the_hash_and_no_other_does(name: str) -> None:
    of = DATASETS[name]
    before = hash_of(of, plain_record(of))
    others = {
        "text": "B00000026 Otra Cosa", "bigint": 5, "integer": 5, "numeric": 5.25, "date": "2026-09-08",
        "boolean": False, "text[]": ["tres"],
    }  # fmt: skip
    derived = {c.derived_from for c in of.columns if c.derive and c.canon != "off"}
    for column in of.columns:
        if column.derive is not None:
            continue
        changed = hash_of(of, plain_record(of) | {column.field: others[column.type]}) != before
        assert changed is (column.canon != "off" or column.name in derived), column.name
    for child in of.children:
        assert hash_of(of, plain_record(of) | {child.source: []}) != before
        for column in child.columns:
            if column.derive is None:
                rows = [{**plain_record(of)[child.source][0], column.field: others[column.type]}]  # type: ignore[index]
                assert hash_of(of, plain_record(of) | {child.source: rows}) != before


def test_null_blank_and_missing_are_one_and_the_order_of_a_list_is_nothing() -> None:
    item = plain_record(CONVOCATORIAS)
    blank = hash_of(CONVOCATORIAS, item | {"textInicio": "  "})
    assert blank == hash_of(CONVOCATORIAS, item | {"textInicio": None})
    assert blank == hash_of(CONVOCATORIAS, {k: v for k, v in item.items() if k != "textInicio"})
    rows = [{"descripcion": text} for text in ("uno", "dos", "dos ", "tres")]
    one = hash_of(CONVOCATORIAS, item | {"instrumentos": rows})
    assert one == hash_of(CONVOCATORIAS, item | {"instrumentos": [rows[3], rows[1], rows[0]]})
    assert hash_of(CONVOCATORIAS, item | {"sectores": None}) == hash_of(CONVOCATORIAS, item | {"sectores": []})


def test_ids_of_integer_keys_are_the_keys() -> None:
    kind = record_type(PARTIDOS_POLITICOS)
    records = [msgspec.convert(award(n), kind) for n in (3, -(2**63), 2**63 - 1)]
    coding = codec(PARTIDOS_POLITICOS)
    assert coding.ids(coding.frame(records)).tolist() == [3, -(2**63), 2**63 - 1]
