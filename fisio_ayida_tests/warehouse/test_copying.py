"""COPY: values arrive as they were, and a NUL character does not lose the record."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest

from fisio_ayida.warehouse.copying import copy_in, copy_text
from fisio_ayida.warehouse.engine import Warehouse


def test_rows_of_python_values_arrive(warehouse: Warehouse) -> None:
    row = (1, 'tab\t line\n back\\slash "quote" ñ', Decimal("12.34"), date(2026, 1, 1), None, ["a", "b"])
    with warehouse.connect() as connection:
        connection.execute('CREATE TABLE public.t (n int, "Text" text, m numeric, d date, x text, l text[])')
        assert copy_in(connection, "public.t", ["n", "Text", "m", "d", "x", "l"], [row]) == 1
        assert connection.execute("SELECT * FROM public.t").fetchall() == [row]


def test_a_nul_character_becomes_the_replacement_character(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("CREATE TEMP TABLE t (name text)")
        copy_in(connection, "t", ["name"], [("a\0b",)])
        assert connection.execute("SELECT name FROM t").fetchone() == ("a\N{REPLACEMENT CHARACTER}b",)


def test_ready_text_is_taken_in_chunks_cut_anywhere(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("CREATE TEMP TABLE t (n int, name text)")
        assert (
            copy_text(connection, "t (n, name)", [b"1\tni", "ñ".encode()[:1], "ñ".encode()[1:], b"o\n2\t\\N\n"])
            == 2
        )
        assert connection.execute("SELECT * FROM t ORDER BY n").fetchall() == [(1, "niño"), (2, None)]


def test_a_row_that_does_not_fit_fails_the_whole_copy(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE public.t (at timestamptz)")
        rows = [(datetime(2026, 1, 1, tzinfo=UTC),), ("never",)]
        with pytest.raises(psycopg.errors.InvalidDatetimeFormat):
            copy_in(connection, "public.t", ["at"], rows)
        assert connection.execute("SELECT count(*) FROM public.t").fetchone() == (0,)
