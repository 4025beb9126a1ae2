"""A load that would remove too much waits for a person; nothing else waits with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from fisio_ayida.bdns.datasets import CONCESIONES
from fisio_ayida.bdns.load import Guard
from fisio_ayida_tests.bdns.conftest import FIRST, MONDAY, SUNDAY, WEEK, Lab, assert_true, everything, last_loads

TIGHT = {"BDNS_REMOVAL_GUARD_ROWS": 10, "BDNS_REMOVAL_GUARD_SHARE": 0.05}


@pytest.mark.parametrize(
    ("removed", "of", "held"),
    [
        (100, 100, False),
        (101, 2020, False),
        (101, 2019, True),
        (51, 100, False),
        (500, 100_000, False),
        (101, 0, True),
    ],
)
def test_the_default_guard_holds_more_than_five_percent_and_more_than_a_hundred_rows(
    removed: int, of: int, held: bool
) -> None:
    assert Guard().holds(removed, of) is held
    assert not Guard(allow=True).holds(removed, of)


def test_a_load_that_would_remove_too_much_is_held_and_changes_nothing(lab: Lab) -> None:
    lab.week("concesiones")
    before = everything(lab, CONCESIONES)
    lab.sim.step(removed=0.6, changed=0.2, datasets=["concesiones"])
    report = lab.week("concesiones")
    assert {load.status for load in report.loads} == {"held"}
    assert everything(lab, CONCESIONES) == before
    held = last_loads(lab, "concesiones")[-7:]
    assert sum(load["would_remove"] for load in held) > 100
    for load in held:
        assert load["rows_removed"] == load["rows_changed"] == 0
        assert "the load would remove" in load["error"] and "allow_removals" in load["error"]

    again = lab.week("concesiones")
    assert {load.status for load in again.loads} == {"held"} and everything(lab, CONCESIONES) == before

    released = lab.week("concesiones", allow_removals=True)
    assert {load.status for load in released.loads} == {"ok"}
    assert_true(lab, "concesiones", *WEEK)
    assert lab.week("concesiones").held == []


def test_only_the_days_that_lose_too_much_are_held_and_the_rest_goes_on(labs: Callable[..., Lab]) -> None:
    lab = labs(rows_per_day={"concesiones": 400})
    lab.week("concesiones")
    held_day = MONDAY + dt.timedelta(days=2)
    # What the mirror knows of one day and the source no longer publishes.
    lab.connection.execute(
        """
        insert into bdns.concesiones
        select (jsonb_populate_record(c, jsonb_build_object('id', -c.id))).* from bdns.concesiones c
        where fecha_alta = %s order by id limit 110
        """,
        [held_day],
    )
    lab.sim.step(changed=0.02, datasets=["concesiones"])
    report = lab.week("concesiones")
    assert [load.partition_key for load in report.held] == [held_day.isoformat()]
    assert lab.count("bdns.concesiones", "id < 0") == 110
    for offset in (0, 1, 3, 4, 5, 6):
        day = MONDAY + dt.timedelta(days=offset)
        assert_true(lab, "concesiones", day, day)
    changed_there = f"fecha_alta = '{held_day}' and valid_from = '{lab.moment.isoformat()}'"
    assert lab.count("bdns.concesiones", changed_there) == 0
    assert lab.week("concesiones", allow_removals=True).total("rows_removed") == 110
    assert_true(lab, "concesiones", *WEEK)


def test_other_windows_go_on_beside_a_held_one(lab: Lab) -> None:
    lab.sync("concesiones", FIRST, SUNDAY)
    lab.connection.execute(
        """
        insert into bdns.concesiones
        select (jsonb_populate_record(c, jsonb_build_object('id', -c.id))).* from bdns.concesiones c
        where fecha_alta < %s
        """,
        [MONDAY],
    )
    lab.sim.step(changed=0.1, datasets=["concesiones"])
    report = lab.sync("concesiones", FIRST, SUNDAY)
    statuses = {load.partition_key: load.status for load in report.loads}
    # The range is read in windows of seven days from its first one: 1-7 September, then 8-13.
    assert [s for d, s in statuses.items() if d >= "2026-09-08"] == ["ok"] * 6
    assert "held" in {s for d, s in statuses.items() if d < "2026-09-08"}
    assert_true(lab, "concesiones", dt.date(2026, 9, 8), SUNDAY)


def test_a_held_day_is_not_complete_and_comes_first_in_the_next_run(lab: Lab) -> None:
    days = (dt.date(2026, 10, 1), dt.date(2026, 10, 2))
    lab.sync("concesiones", *days)
    lab.sim.step(removed=0.9, datasets=["concesiones"])
    assert len(lab.sync("concesiones", days[0], days[0], **TIGHT).held) == 1
    next_run = lab.sync("concesiones", **TIGHT)
    assert [load.partition_key for load in next_run.loads] == ["2026-10-02", "2026-10-03", "2026-10-04"]


def test_a_small_window_may_lose_everything(lab: Lab) -> None:
    lab.sync("reglamentos")
    lab.sim.step(removed=1.0, datasets=["reglamentos"])
    report = lab.sync("reglamentos")
    assert report.held == [] and lab.count("bdns.reglamentos") == 0
    assert lab.count("bdns.reglamentos_history", "end_kind = 'withdrawn'") == report.total("rows_removed")


def test_the_yearly_withdrawal_waits_for_a_person(labs: Callable[..., Lab]) -> None:
    """Q27: on New Year the awards of natural persons of the last year but one disappear."""
    lab = labs(
        today=dt.date(2026, 12, 30),
        first_day={"convocatorias": dt.date(2025, 6, 2), "concesiones": dt.date(2025, 6, 2)},
        rows_per_day={"concesiones": 200, "convocatorias": 2},
    )
    lab.moment = dt.datetime(2026, 12, 30, 9, tzinfo=dt.UTC)
    week = (dt.date(2025, 6, 2), dt.date(2025, 6, 8))
    lab.sync("concesiones", *week)
    stored = lab.count("bdns.concesiones")
    lab.sim.quirks(Q27=True)
    lab.sim.advance_days(3)
    lab.moment = dt.datetime(2027, 1, 2, 9, tzinfo=dt.UTC)
    report = lab.sync("concesiones", *week)
    assert report.held and lab.count("bdns.concesiones") == stored
    released = lab.sync("concesiones", *week, allow_removals=True)
    assert released.total("rows_removed") > 0.8 * stored
    assert_true(lab, "concesiones", *week)
    assert lab.count("bdns.concesiones_history", "end_kind = 'withdrawn'") == released.total("rows_removed")
