"""Migrations: each once, also when two processes want them at once; the cheap look agrees with Alembic's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.migrate import migrate, run_sql_file, script_directory, status
from fisio_ayida.warehouse.revisions import VERSIONS, head, revisions
from fisio_ayida.warehouse.urls import DatabaseUrl


@pytest.fixture
def empty(warehouse_server: EmbeddedServer) -> Iterator[DatabaseUrl]:
    """A database without any table of ours."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(warehouse_server.url.psycopg, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield warehouse_server.url.with_database(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_file_names_tell_what_alembic_reads() -> None:
    directory = script_directory()
    assert directory.get_current_head() == head()
    assert [each.number for each in revisions()] == [each.revision for each in directory.walk_revisions()][::-1]
    assert all(each.title for each in revisions())
    assert len(list(VERSIONS.glob("[0-9]*.py"))) == len(revisions())


def test_status_before_and_after(empty: DatabaseUrl) -> None:
    assert {applied for _, _, applied in status(empty)} == {False}
    migrate(empty)
    assert {applied for _, _, applied in status(empty)} == {True}
    assert status(empty)[0][:2] == ("0001", "Schemas, and the request clock that all processes share")


def test_migrating_again_changes_nothing(warehouse: Warehouse) -> None:
    def tables() -> list[tuple[object, ...]]:
        with warehouse.connect() as connection:
            return connection.execute("SELECT oid, relname, xmin FROM pg_class ORDER BY oid").fetchall()

    before = tables()
    migrate(warehouse)
    assert tables() == before


def test_two_migrations_at_once_both_succeed(empty: DatabaseUrl) -> None:
    # Alembic keeps its context in a module: threads of one process are not a case, processes are.
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(3) as threads:
        processes = [context.Process(target=migrate, args=(empty,)) for _ in range(3)]
        for process in processes:
            process.start()
        list(threads.map(lambda each: each.join(60), processes))
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert status(empty)[-1][2]


def test_a_sql_file_runs_as_it_is(warehouse: Warehouse, tmp_path: Path) -> None:
    script = "CREATE TABLE public.t (a text);\nINSERT INTO public.t VALUES (':x 100%% %s'), ('b'::text);\n"
    (tmp_path / "frozen.sql").write_text(script)
    with warehouse.sqlalchemy_engine().begin() as connection:
        op = SimpleNamespace(get_bind=lambda: connection)
        run_sql_file(op, str(tmp_path / "0009_x.py"), "frozen.sql")
    with warehouse.connect() as connection2:
        assert connection2.execute("SELECT a FROM public.t").fetchall() == [(":x 100%% %s",), ("b",)]
