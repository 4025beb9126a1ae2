"""The daily clean-up: what no rule of retention keeps any longer goes, and unfinished sessions are told of.

Here: the order of things, and what one rule that cannot be applied means for the others: nothing. Not here: the
rules (``retention.py``), deleting (``sweeping.py``), the e-mails (``unfinished.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import psycopg

from fisio_ayida.clinic import notices, unfinished
from fisio_ayida.clinic.model import BadOrder, Clinic, Connection, Desk, Order, Outcome
from fisio_ayida.clinic.planning import begin, finish, for_each_group
from fisio_ayida.clinic.retention import FILES, FILES_AGE, PARTS, RULES, Rule
from fisio_ayida.clinic.sweeping import absent, count, sweep, sweep_files
from fisio_ayida.warehouse.errors import said

JOB: Final = unfinished.JOB
#: What FisioFlow's event says for all parts.
ALL: Final = "all"

Within = Callable[[Callable[[Connection], Any]], Any]


def clean_up(desk: Desk, order: Order) -> Outcome:
    """Apply the rules of the parts that are asked for; a run for one organisation only tells of sessions.

    In shadow mode, as in a dry run, rows are counted and not deleted. ``facts`` has the number of rows by rule.

    Raises:
        BadOrder: there is no such part, or no such organisation.
        RetentionError: a rule names what is not there; nothing was deleted.
        ClinicError: FisioFlow's relations are not as agreed; ours were cleaned up.
    """
    parts = _parts(order)
    rules = [rule for rule in RULES if rule.part in parts and order.organization is None]
    ours = [rule for rule in rules if not rule.in_clinic]
    theirs = [rule for rule in rules if rule.in_clinic]
    absent(desk.conn, ours)
    away = absent(desk.clinic.on(desk.conn), theirs)
    swept = Outcome(JOB)
    for rule in ours:
        _apply(rule, desk.conn, [lambda work: work(desk.conn)], order, swept)
    if "own" in parts and order.organization is None:
        _clean_files(desk, order, swept)

    outcome, clinics = begin(JOB, desk, order)
    outcome.add(swept)
    if theirs:
        outcome.facts["absent relations"] = len(away)
    _clean_clinic(desk, [rule for rule in theirs if rule.table not in away], clinics, order, outcome)
    if "sessions" in parts:

        def tell(there: Connection, members: Sequence[Clinic], part: Outcome) -> None:
            notices.keep_with_notices(desk, order, unfinished.find(there, members, order), part)

        for_each_group(desk, clinics, tell, outcome)
    finish(desk, order, outcome)
    return outcome


def _parts(order: Order) -> tuple[str, ...]:
    if unknown := [part for part in order.parts if part not in (*PARTS, ALL)]:
        raise BadOrder(f"part={unknown[0]!r} is not one of {', '.join((*PARTS, ALL))}")
    return PARTS if not order.parts or ALL in order.parts else order.parts


def _clean_clinic(
    desk: Desk, rules: Sequence[Rule], clinics: Sequence[Clinic], order: Order, outcome: Outcome
) -> None:
    """FisioFlow's own logs; under row security those of each organisation, and what belongs to none."""
    ways: list[Within] = [lambda work: work(desk.clinic.on(desk.conn))]
    if desk.clinic.tenant is not None:
        ways = [partial(desk.clinic.within, desk.conn, clinic.id) for clinic in clinics]
    for rule in rules:
        _apply(rule, desk.clinic.on(desk.conn), ways, order, outcome)


def _apply(
    rule: Rule, conn: Connection, ways: Sequence[Within], order: Order, outcome: Outcome
) -> None:  # fmt: skip
    """One rule, whose failure is the run's and not the other rules'."""
    before = _moment(order) - rule.age
    outcome.facts[rule.name] = 0
    try:
        for within in ways:
            if order.is_dry or order.is_shadow:
                outcome.facts[rule.name] += within(lambda there: count(there, rule, before))
            else:
                outcome.facts[rule.name] += sweep(within, rule, before)
    except psycopg.Error as error:
        if conn.closed:
            raise
        outcome.failures.append(("", f"{rule.name}: {said(error)}"))


def _clean_files(desk: Desk, order: Order, outcome: Outcome) -> None:
    if desk.files is None:
        return
    is_dry = order.is_dry or order.is_shadow
    try:
        outcome.facts[FILES] = sweep_files(desk.files, _moment(order) - FILES_AGE, is_dry=is_dry)
    except OSError as error:
        outcome.failures.append(("", f"{FILES}: {error.strerror or type(error).__name__}"))


def _moment(order: Order) -> dt.datetime:
    """Of a run for the future nothing young is deleted."""
    return min(order.nominal, order.now)
