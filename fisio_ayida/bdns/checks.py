"""What must hold of a mirrored dataset, as SQL with a severity: each check finds, none repairs.

A check looks at the partitions that were just loaded, through their index, and never reads a whole table
of days. How a finding is shown is the doors' business; what a load itself refuses is in ``load.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from fisio_ayida.bdns.registry import Dataset
from fisio_ayida.bdns.windows import MADRID

if TYPE_CHECKING:
    import psycopg

SAMPLE = 5
HIGHEST_AMOUNT_EUR = 10_000_000_000  # the largest real budget line is below; a slipped comma is above
EARLIEST_DATE = dt.date(1990, 1, 1)  # before the law of subsidies and before any system that could hold it
FURTHEST_AHEAD = dt.timedelta(days=60 * 365)  # loans run for decades
SAME_WEEKDAYS = 6
LEAST_WEEKDAYS = 3  # fewer say nothing about what is usual
UNUSUAL_TIMES = 4  # a day with a quarter or four times of what is usual
LEAST_ROWS = 20  # a day of a few rows may double by chance

Connection: TypeAlias = "psycopg.Connection[Any]"


class Severity(StrEnum):
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a check looks at: the partitions of ``dataset`` that a run has loaded, at the moment ``now``."""

    dataset: Dataset
    partitions: Sequence[str]
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: ``count`` things that should not be, some of them, and further numbers."""

    count: int
    sample: Sequence[str] = ()
    numbers: Mapping[str, int | float | str] = field(default_factory=dict)
    severity: Severity | None = None

    @property
    def passed(self) -> bool:
        return self.count == 0


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. A finding may raise or lower the severity that is usual for it."""

    name: str
    severity: Severity
    description: str
    find: Callable[[Connection, Scope], Finding]
    applies: Callable[[Dataset], bool] = lambda _: True


def checks_for(dataset: Dataset) -> tuple[Check, ...]:
    """The checks that mean something for ``dataset``."""
    return tuple(check for check in CHECKS if check.applies(dataset))


def completeness(conn: Connection, scope: Scope) -> Finding:
    """The last load of each partition agrees with the source's total, and its rows are there."""
    stored = {
        str(row["partition"]): int(row["stored"])
        for row in _rows(
            conn,
            f"select {_partition(scope.dataset)} as partition, count(*) as stored "
            f"from {scope.dataset.table} t where {_inside(scope.dataset)} group by 1",
            scope,
        )
    }
    wrong = []
    for load in _latest(conn, scope):
        partition, received = load["partition_key"], load["rows_received"]
        kept = load["rows_new"] + load["rows_changed"] + load["rows_restored"] + load["rows_unchanged"]
        have = stored.get(partition, 0)
        if load["status"] == "held":
            continue  # guard_held tells of it
        if load["status"] == "failed":
            wrong.append(f"{partition}: the last load failed")
        elif load["total_first"] is not None and not (
            load["window_received"] == load["total_first"] == load["total_last"]
        ):
            wrong.append(
                f"{partition}: received {load['window_received']}, the source announced"
                f" {load['total_first']} and {load['total_last']}"
            )
        elif kept != received:
            wrong.append(f"{partition}: received {received}, accounted for {kept}")
        elif have < received or (have > received and not load["rows_rejected"]):
            wrong.append(f"{partition}: received {received}, stored {have}")
    return Finding(len(wrong), wrong[:SAMPLE], {"rows_stored": sum(stored.values())})


def drift(conn: Connection, scope: Scope) -> Finding:
    """No field that the contract does not know, none of another type, unless a person has accepted it."""
    rows = _rows(
        conn,
        """
        select field, kind, json_type, left(sample, 80) as sample, first_seen::date as day, times
        from ops.drift where dataset = %(dataset)s and accepted_at is null order by first_seen, field
        """,
        scope,
    )
    words = [
        f"{r['field']} ({r['kind']}, {r['json_type']}), for example {r['sample']}, first seen {r['day']},"
        f" {r['times']} times"
        for r in rows
    ]
    return Finding(len(rows), words[:SAMPLE])


def rejects(conn: Connection, scope: Scope) -> Finding:
    """No record waits in ops.rejects; an error when a load had too many to be called complete."""
    rows = _rows(
        conn,
        """
        select reason, count(*) as n, min(first_seen)::date as day from ops.rejects
        where dataset = %(dataset)s and resolved_at is null group by reason order by n desc
        """,
        scope,
    )
    broken = [load["partition_key"] for load in _latest(conn, scope) if load["status"] == "rejected"]
    return Finding(
        sum(r["n"] for r in rows) or len(broken),
        [f"{r['n']} × {r['reason']}, since {r['day']}" for r in rows[:SAMPLE]],
        {"partitions_over_guard": len(broken), "first_partition_over_guard": broken[0] if broken else ""},
        Severity.ERROR if broken else Severity.WARN,
    )


def guard_held(conn: Connection, scope: Scope) -> Finding:
    """No load of any partition waits for a person to allow its removals."""
    rows = _rows(
        conn,
        """
        select l.partition_key, l.would_remove, l.finished_at::date as day from ops.loads l
        where l.dataset = %(dataset)s and l.status = 'held' and not exists (
          select from ops.loads n
          where n.dataset = l.dataset and n.partition_key = l.partition_key and n.id > l.id)
        order by l.partition_key
        """,
        scope,
    )
    words = [f"{r['partition_key']}: would remove {r['would_remove']} rows, held on {r['day']}" for r in rows]
    return Finding(len(rows), words[:SAMPLE], {"would_remove": int(sum(r["would_remove"] for r in rows))})


def key_uniqueness(conn: Connection, scope: Scope) -> Finding:
    """No key is stored twice, and none has a past version that ends after the present one begins."""
    dataset = scope.dataset
    key = " || '|' || ".join(f"t.{name}::text" for name in dataset.key)
    same = " and ".join(f"h.{name} = t.{name}" for name in dataset.key)
    rows = _rows(
        conn,
        f"""
        select {key} as key, 'stored ' || count(*) || ' times' as words
        from {dataset.table} t where {_inside(dataset)} group by 1 having count(*) > 1
        union all
        select {key}, 'a past version ends after the present one begins'
        from {dataset.table} t join {dataset.table}_history h on {same} and h.valid_to > t.valid_from
        where {_inside(dataset)}
        """,
        scope,
    )
    return Finding(len(rows), [f"{r['key']}: {r['words']}" for r in rows[:SAMPLE]])


def amounts_plausible(conn: Connection, scope: Scope) -> Finding:
    """Amounts of money are neither negative nor higher than any real one."""
    dataset = scope.dataset
    names = [column.name for column in dataset.columns if column.type == "numeric"]
    odd = " or ".join(f"t.{name} < 0 or t.{name} > {HIGHEST_AMOUNT_EUR}" for name in names)
    return _count_rows(conn, scope, odd, names)


def dates_plausible(conn: Connection, scope: Scope) -> Finding:
    """Dates are not before 1990 nor decades ahead, and nothing was registered after today."""
    dataset = scope.dataset
    names = [column.name for column in dataset.columns if column.type == "date"]
    odd = " or ".join(f"t.{n} < '{EARLIEST_DATE}' or t.{n} > %(today)s + {FURTHEST_AHEAD.days}" for n in names)
    if dataset.is_windowed:
        odd += f" or t.{dataset.partition_column} > %(today)s"
    return _count_rows(conn, scope, odd, names)


def known_convocatoria(conn: Connection, scope: Scope) -> Finding:
    """The call of every award is in bdns.convocatorias."""
    rows = _rows(
        conn,
        f"""
        select t.numero_convocatoria as code, count(*) as n from {scope.dataset.table} t
        where {_inside(scope.dataset)} and not exists (
          select from bdns.convocatorias c where c.codigo_bdns = t.numero_convocatoria)
        group by 1 order by n desc, 1
        """,
        scope,
    )
    return Finding(
        int(sum(r["n"] for r in rows)),
        [f"call {r['code']}: {r['n']} rows" for r in rows[:SAMPLE]],
        {"unknown_calls": len(rows)},
    )


def rows_per_day(conn: Connection, scope: Scope) -> Finding:
    """A day has about as many rows as the same weekday of the six weeks before it."""
    rows = _rows(
        conn,
        """
        with days as (select unnest(%(partitions)s::text[]) as key),
        wanted as (
          select d.key, n.week, (d.key::date - 7 * n.week)::text as partition_key
          from days d cross join generate_series(0, %(weeks)s) as n(week)
        ),
        seen as (
          select distinct on (w.key, w.week) w.key, w.week, l.rows_received as n
          from wanted w join ops.loads l
            on l.dataset = %(dataset)s and l.partition_key = w.partition_key and l.status = 'ok'
          order by w.key, w.week, l.id desc
        )
        select t.key, t.n, avg(b.n)::float as usual from seen t join seen b on b.key = t.key and b.week > 0
        where t.week = 0
        group by t.key, t.n having count(*) >= %(least)s order by t.key
        """,
        scope,
        weeks=SAME_WEEKDAYS,
        least=LEAST_WEEKDAYS,
    )
    odd = [r for r in rows if _is_unusual(r["n"], r["usual"])]
    words = [f"{r['key']}: {r['n']} rows, usual on this weekday {r['usual']:.0f}" for r in odd]
    return Finding(len(odd), words[:SAMPLE], {"days_compared": len(rows)})


def _is_unusual(rows: int, usual: float) -> bool:
    low, high = sorted((float(rows), usual))
    return high >= LEAST_ROWS and high > UNUSUAL_TIMES * low


def _count_rows(conn: Connection, scope: Scope, odd: str, names: Sequence[str]) -> Finding:
    """How many rows are ``odd``, and some of them with their key and the columns ``names``."""
    dataset = scope.dataset
    shown = " || ', ' || ".join(f"'{name}=' || coalesce(t.{name}::text, 'null')" for name in names)
    key = " || '|' || ".join(f"t.{name}::text" for name in dataset.key)
    rows = _rows(
        conn,
        f"""
        select {key} as key, {shown} as words, count(*) over () as n
        from {dataset.table} t where {_inside(dataset)} and ({odd}) order by 1 limit {SAMPLE}
        """,
        scope,
        today=scope.now.astimezone(MADRID).date(),
    )
    return Finding(rows[0]["n"] if rows else 0, [f"{r['key']}: {r['words']}" for r in rows])


def _latest(conn: Connection, scope: Scope) -> list[dict[str, Any]]:
    """The last load of each partition in scope, by index."""
    return _rows(
        conn,
        """
        select l.* from unnest(%(partitions)s::text[]) as p(key) cross join lateral (
          select * from ops.loads l where l.dataset = %(dataset)s and l.partition_key = p.key
          order by l.id desc limit 1) l
        order by l.partition_key
        """,
        scope,
    )


def _rows(conn: Connection, query: str, scope: Scope, **values: Any) -> list[dict[str, Any]]:
    from psycopg.rows import dict_row  # declaring a check must not load the driver

    given = {"dataset": scope.dataset.name, "partitions": list(scope.partitions), **values}
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, given).fetchall()


def _partition(dataset: Dataset) -> str:
    return "'all'" if dataset.partition_column is None else f"t.{dataset.partition_column}::text"


def _inside(dataset: Dataset) -> str:
    """The rows of the partitions in scope, by the partition column's index; a whole has no such column."""
    if dataset.partition_column is None:
        return "true"
    kind = dataset.column(dataset.partition_column).type
    return f"t.{dataset.partition_column} = any(%(partitions)s::{kind}[])"


def _has_type(kind: str) -> Callable[[Dataset], bool]:
    return lambda dataset: any(column.type == kind for column in dataset.columns)


WARN, ERROR = Severity.WARN, Severity.ERROR
CHECKS = (
    Check("completeness", ERROR, "Rows received, the source's total and the rows stored agree.", completeness),
    Check("drift", WARN, "The source's fields are those of the contract.", drift),
    Check("rejects", WARN, "No record is unusable; an error when a window has too many.", rejects),
    Check("guard_held", ERROR, "No load waits for a person to allow its removals.", guard_held),
    Check("key_uniqueness", ERROR, "Each key has one present version, after all its past ones.", key_uniqueness),
    Check(
        "amounts_plausible", WARN, "Amounts are not negative and not above 10,000 million euros.",
        amounts_plausible, _has_type("numeric"),
    ),
    Check(
        "dates_plausible", WARN, "Dates are between 1990 and some decades ahead; registration until today.",
        dates_plausible, _has_type("date"),
    ),
    Check(
        "known_convocatoria", WARN, "The call of every row is stored.", known_convocatoria,
        lambda dataset: any(column.name == "numero_convocatoria" for column in dataset.columns),
    ),
    Check(
        "rows_per_day", WARN, "A day is like the same weekday of the six weeks before.", rows_per_day,
        lambda dataset: dataset.is_windowed,
    ),
)  # fmt: skip
