"""The registry against what follows from it: the migrated database, and the migration's frozen text."""

from __future__ import annotations

from pathlib import Path

import pytest

from fisio_ayida.bdns import ddl
from fisio_ayida.bdns.datasets import DATASETS, UnknownDataset, dataset
from fisio_ayida.warehouse import migrations
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.bdns.conftest import Lab

COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
from pg_attribute a where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
PRIMARY_KEY = """
select a.attname from pg_index i, unnest(i.indkey) with ordinality as k(attnum, n)
join pg_attribute a on a.attnum = k.attnum where i.indrelid = %s::regclass and a.attrelid = i.indrelid
  and i.indisprimary order by k.n
"""
TYPES = {"timestamptz": "timestamp with time zone"}
_OWN = [("row_hash", "bigint", True), ("valid_from", "timestamp with time zone", True)]
_PAST = [("valid_to", "timestamp with time zone", True), ("end_kind", "text", True)]


@pytest.fixture
def warehouse(module_lab: Lab) -> Warehouse:
    """One database for the file: its tests leave nothing behind."""
    return module_lab.warehouse


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_table_of_the_registry_is_in_the_migrated_database(warehouse: Warehouse, name: str) -> None:
    of = dataset(name)
    expected = [(c.name, c.type, c.required or c.name in of.key) for c in of.columns]
    tables = {of.table: ([*expected, ("extra", "jsonb", False), *_OWN], list(of.key))}
    for child in of.children:
        columns = [(c.name, c.type, c.required or c.name in child.key) for c in child.columns]
        parent = (child.parent, of.column(of.key[0]).type, True)
        tables[f"{of.table}_{child.name}"] = ([parent, *columns, *_OWN], [child.parent, *child.key])
    with warehouse.connect(autocommit=True) as conn:
        for table, (columns, key) in tables.items():
            assert conn.execute(COLUMNS, [table]).fetchall() == columns
            assert conn.execute(COLUMNS, [f"{table}_history"]).fetchall() == [*columns, *_PAST]
            assert [k for (k,) in conn.execute(PRIMARY_KEY, [table])] == key
            assert conn.execute(f"select count(*) from {table}_as_of(now())").fetchone() == (0,)


def test_the_frozen_migration_is_what_the_registry_gives() -> None:
    frozen = Path(migrations.__path__[0]) / "versions" / "0003_bdns.sql"
    assert ddl.mirror_ddl() == frozen.read_text()


def test_every_column_is_described_in_the_database(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as conn:
        for of in DATASETS.values():
            for column in of.columns:
                (text,) = conn.execute(
                    "select col_description(%s::regclass, attnum) from pg_attribute"
                    " where attrelid = %s::regclass and attname = %s", [of.table, of.table, column.name],
                ).fetchone()  # type: ignore[misc]  # fmt: skip
                assert text and text.startswith(column.description)


def test_an_unknown_dataset_is_answered_with_those_that_exist() -> None:
    with pytest.raises(UnknownDataset) as caught:
        dataset("concesion")
    assert "unknown dataset 'concesion'; known: finalidades, " in caught.value.args[0]


def test_whoever_may_show_a_preview_sees_no_names() -> None:
    for of in DATASETS.values():
        names = {c.name for c in of.columns if c.derive == "name" or c.source in ("beneficiario", "sancionado")}
        raw = {c.derived_from for c in of.columns if c.derive == "name"}
        assert not {c.name for c in of.preview_columns} & (names | raw)
