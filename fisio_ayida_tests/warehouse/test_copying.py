"""COPY that stays open: what is written is stored, what goes wrong leaves the connection usable."""

from __future__ import annotations

import psycopg
import pytest

from fisio_ayida.warehouse.copying import NULL, Copying
from fisio_ayida.warehouse.engine import Warehouse


def _table(connection: psycopg.Connection) -> None:
    connection.execute("create temp table t (id bigint primary key, name text)")


def test_lines_of_several_writes_are_stored_when_finished(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        _table(connection)
        copying = Copying(connection)
        copying.write("t", ("id", "name"), b"1\tuno\n")
        copying.write("t", ("id", "name"), f"2\t{NULL}\n3\tni\u00f1o\n".encode())
        copying.finish()
        assert connection.execute("select id, name from t order by id").fetchall() == [
            (1, "uno"), (2, None), (3, "ni\u00f1o"),
        ]  # fmt: skip


def test_another_table_ends_the_copy_into_the_first(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        _table(connection)
        connection.execute("create temp table u (id bigint)")
        copying = Copying(connection)
        copying.write("t", ("id",), b"1\n")
        copying.write("u", ("id",), b"7\n")
        copying.finish()
        assert connection.execute("select (select count(*) from t), (select id from u)").fetchone() == (1, 7)


def test_a_key_that_is_there_already_is_said_at_the_end_and_nothing_is_stored(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        _table(connection)
        copying = Copying(connection)
        copying.write("t", ("id",), b"1\n1\n")
        with pytest.raises(psycopg.errors.UniqueViolation):
            copying.finish()
        assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_an_aborted_copy_stores_nothing_and_the_transaction_can_roll_back(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        _table(connection)
        with pytest.raises(RuntimeError), connection.transaction():
            copying = Copying(connection)
            copying.write("t", ("id",), b"1\n")
            error = RuntimeError("the source went away")
            copying.abort(error)
            raise error
        assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_nothing_to_write_opens_nothing(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        _table(connection)
        copying = Copying(connection)
        copying.write("t", ("id",), b"")
        assert connection.execute("select 1").fetchone() == (1,)
