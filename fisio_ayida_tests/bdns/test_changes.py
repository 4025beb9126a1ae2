"""What really changed, and nothing else: exactly the simulator's counts and keys, in current rows and history."""

from __future__ import annotations

import pytest

from fisio_ayida.bdns.datasets import dataset
from fisio_ayida_tests.bdns.conftest import (
    DAILY,
    REFEREED,
    Lab,
    assert_week_true,
    changes,
    contents,
    key_sql,
    last_loads,
)

# Leaves that vanish make a leaf of their parent: hoja changes beside what the simulator counts.
LEAVES = ("organos", "regiones")
KINDS = (
    ("rows_new", "added"),
    ("rows_changed", "changed"),
    ("rows_removed", "removed"),
    ("rows_restored", "restored"),
)


def keys(lab: Lab, name: str, where: str, table: str = "") -> list[str]:
    """Keys of rows of a dataset (or of another of its tables) as the simulator writes them."""
    of = dataset(name)
    return sorted(
        row[0] for row in lab.rows(f"select distinct {key_sql(of)} from {table or of.table} where {where}")
    )


def told(lab: Lab, name: str, kind: str) -> list[str]:
    """The simulator's keys of one kind of change."""
    return sorted({str(key) for key in changes(lab, name)["keys"][kind]})


@pytest.mark.parametrize("name", [n for n in REFEREED if n != "sanciones"])
def test_a_step_gives_exactly_its_changes(lab: Lab, name: str) -> None:
    lab.week(name)
    rate = 0.05 if name == "organos" else 0.1 if name in DAILY else 0.4
    lab.sim.step(changed=rate, removed=rate, added=rate)
    report = lab.week(name, allow_removals=True)
    assert_week_true(lab, name)
    compare(lab, name, report)
    moment = f"valid_from = '{lab.moment.isoformat()}'"
    ended = f"valid_to = '{lab.moment.isoformat()}'"
    history = f"bdns.{name}_history"
    assert keys(lab, name, f"{ended} and end_kind = 'withdrawn'", history) == told(lab, name, "removed")
    superseded = keys(lab, name, f"{ended} and end_kind = 'superseded'", history)
    fresh = keys(lab, name, moment)
    assert set(fresh) - set(superseded) == set(told(lab, name, "added"))
    if name not in LEAVES:
        assert superseded == told(lab, name, "changed")
    else:
        only = keys(lab, name, f"{ended} and end_kind = 'superseded' and not hoja", history)
        assert set(superseded) - set(told(lab, name, "changed")) == set(only) - set(told(lab, name, "changed"))

    lab.sim.step(restored=1.0)
    report = lab.week(name)
    assert_week_true(lab, name)
    compare(lab, name, report)
    assert report.total("rows_restored") == changes(lab, name)["restored"] > 0
    assert keys(lab, name, f"valid_from = '{lab.moment.isoformat()}' and key_came_back", came_back(name)) == told(
        lab, name, "restored"
    )


def came_back(name: str) -> str:
    """Current rows with a mark for those whose key was withdrawn once."""
    of = dataset(name)
    same = " and ".join(f"h.{k} = t.{k}" for k in of.key)
    return (
        f"(select *, exists (select from {of.table}_history h where {same} and h.end_kind = 'withdrawn')"
        f" as key_came_back from {of.table} t) t"
    )


def compare(lab: Lab, name: str, report: object) -> None:
    """The load's counts are the simulator's."""
    counted = changes(lab, name)
    for ours, theirs in KINDS:
        found = report.total(ours)  # type: ignore[attr-defined]
        if name in LEAVES and ours == "rows_changed":
            assert found >= counted[theirs]
        else:
            assert found == counted[theirs], ours


def test_a_second_reading_of_a_changed_window_changes_nothing(lab: Lab) -> None:
    lab.week("concesiones")
    lab.sim.step(changed=0.2, removed=0.1, added=0.1)
    lab.week("concesiones", allow_removals=True)
    before = contents(lab, "bdns.concesiones_history")
    report = lab.week("concesiones")
    assert sum(report.total(ours) for ours, _ in KINDS) == 0
    assert contents(lab, "bdns.concesiones_history") == before


def test_counts_are_kept_for_each_day_of_the_window(lab: Lab) -> None:
    lab.week("concesiones")
    lab.sim.step(changed=0.2, removed=0.1, added=0.2)
    lab.week("concesiones", allow_removals=True)
    loads = last_loads(lab, "concesiones")[-7:]
    for load in loads:
        day = load["partition_key"]
        held = lab.count("bdns.concesiones", f"fecha_alta = '{day}'")
        gone = lab.count("bdns.concesiones_history", f"fecha_alta = '{day}' and end_kind = 'withdrawn'")
        assert load["rows_received"] == held and load["rows_removed"] == gone == load["would_remove"]
        assert load["rows_new"] + load["rows_changed"] + load["rows_unchanged"] == held
    assert sum(load["requests"] for load in loads) == 1
    assert len({load["window_received"] for load in loads}) == 1
    assert sum(load["bytes"] for load in loads) > 10_000 and all(load["seconds"] >= 0 for load in loads)


def test_a_changed_penalty_is_one_version_and_its_twin_stays(lab: Lab) -> None:
    lab.week("sanciones")
    lab.sim.step(changed=0.3)
    report = lab.week("sanciones")
    assert_week_true(lab, "sanciones")
    assert report.total("rows_new") == report.total("rows_removed") == 0
    assert 0 < report.total("rows_changed") <= changes(lab, "sanciones")["changed"]
    assert lab.count("bdns.sanciones_history") == report.total("rows_changed")


def test_penalties_that_go_and_come_back_are_counted_copy_by_copy(lab: Lab) -> None:
    lab.week("sanciones")
    for effects in ({"removed": 0.2}, {"added": 0.2}, {"restored": 1.0}, {"removed": 0.5}):
        lab.sim.step(**effects)
        lab.week("sanciones", allow_removals=True)
        assert_week_true(lab, "sanciones")
