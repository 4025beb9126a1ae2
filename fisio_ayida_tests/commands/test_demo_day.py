"""The demo's Monday of three made-up clinics: every job at every hour, and the proof of what came of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from fisio_ayida.clinic.model import Outcome
from fisio_ayida.clinic.page_words import REASONS
from fisio_ayida.clinic.running import RUNNERS
from fisio_ayida.commands.demo_day import Day, play
from fisio_ayida.commands.demo_day_proof import messages_of, proven, withheld_of
from fisio_ayida.commands.demo_day_tables import prove
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.fisioflow.clinics import world
from fisio_ayida.simulators.fisioflow.tables import remove, write
from fisio_ayida.simulators.fisioflow.world import Patient
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.conftest import cloned

# What the demo plays is set up once.
pytestmark = pytest.mark.xdist_group("demo_day")

Played = tuple[Day, Warehouse]


@pytest.fixture(scope="module")
def played(warehouse_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The day, played once, over the clinics of an earlier demo."""
    settings = Settings.load({"FISIO_AYIDA_HOME": str(tmp_path_factory.mktemp("demo"))})
    with cloned(warehouse_server) as warehouse:
        with warehouse.connect() as conn:
            write(conn, world("earlier"))
        yield play(settings, warehouse), warehouse


def test_everything_comes_as_plain_python_says(played: Played) -> None:
    day, warehouse = played
    shown = io.StringIO()

    with warehouse.connect(autocommit=True) as conn:
        good = prove(Console(file=shown, width=200), conn, day)

    assert good, shown.getvalue()


def test_the_day_is_shown_hour_by_hour_and_message_by_message(played: Played) -> None:
    day, warehouse = played
    shown = io.StringIO()

    with warehouse.connect(autocommit=True) as conn:
        prove(Console(file=shown, width=200), conn, day)

    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert "09:00 birthday_messages planned 3 email, 11 whatsapp" in "\n".join(lines)
    assert any("feedback_request │ opted_out_channel" in line for line in lines)
    assert "@" not in shown.getvalue().replace("…@example.com", "")


def test_all_jobs_run(played: Played) -> None:
    day, _ = played

    assert {entry.what.job for entry in day.first.entries if isinstance(entry.what, Outcome)} == set(RUNNERS)


def test_the_same_day_again_plans_and_sends_nothing(played: Played) -> None:
    day, _ = played

    assert day.first.planned > 0
    assert (day.again.planned, day.again.sent) == (0, 0)


def test_what_does_not_come_fails_the_proof(played: Played) -> None:
    """One more birthday than the jobs have seen."""
    day, warehouse = played
    rows = [
        dataclasses.replace(row, date_of_birth=dt.date(1990, 2, 28))
        if isinstance(row, Patient) and row.id.startswith("cliente-pacote-ipe") else row
        for row in day.world.rows
    ]  # fmt: skip

    with warehouse.connect(autocommit=True) as conn:
        proofs = proven(conn, dataclasses.replace(day, world=dataclasses.replace(day.world, rows=rows)))

    [wrong] = [proof for proof in proofs if proof.differences]
    assert wrong.what == "birthday"
    assert wrong.differences[0].startswith("missing: birthday cliente-pacote-ipe")


def test_every_reason_of_the_day_is_explained(played: Played) -> None:
    day, warehouse = played

    with warehouse.connect(autocommit=True) as conn:
        clinics = list(day.world.manners)
        stopped = {row.reason for row in messages_of(conn, clinics) if row.state == "skipped"}
        withheld = {row.reason for row in withheld_of(conn, clinics)}

    assert len(stopped | withheld) > 5
    assert stopped | withheld <= set(REASONS)


def test_clinics_of_an_earlier_demo_make_room(played: Played) -> None:
    day, warehouse = played

    with warehouse.connect(autocommit=True) as conn:
        ids = [id for (id,) in conn.execute("select id from clinic.organizations order by id")]
        assert ids == sorted(day.world.manners)


def test_removing_a_world_leaves_the_one_beside_it(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as conn:
        for mark in ("one", "two"):
            write(conn, world(mark))

        remove(conn, "one")

        left = conn.execute("select count(*), count(*) filter (where id like '%-two') from clinic.patients")
        assert left.fetchone() == (len(world("two").patients),) * 2
