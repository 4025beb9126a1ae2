"""Facts as rows: every one, in words, without a date, and what is measured apart."""

from __future__ import annotations

import re

from hypothesis import given, settings

from fisio_ayida.insights.facts import compute
from fisio_ayida.insights.facts.registry import KINDS
from fisio_ayida.insights.model import Measurement, Record
from fisio_ayida.insights.wording.rows import FactRow, rows
from fisio_ayida_tests.insights.facts.records import arbitrary, record, session, visit, weekly


def row(of: Record, ref: str) -> FactRow:
    return next(each for each in rows(compute(of)) if each.ref == ref)


def test_adherence_has_its_interval_and_its_counts() -> None:
    found = row(record(visits=[visit(1), visit(8), visit(15), visit(22, "absent")]), "attendance_rate_90d")

    assert (found.title, found.value, found.interval, found.window) == (
        "Comparecimento", "75%", "30% a 95%", "últimos 90 dias",
    )  # fmt: skip
    assert found.detail == "3 realizadas; 1 falta; 0 canceladas; 0 a remarcar; 0 sem desfecho"
    assert (found.count, found.reason) == (4, "")


def test_a_trend_has_its_ends_in_days_before_today() -> None:
    found = row(record(sessions=weekly([8, 7, 6, 5, 4, 3], last=2)), "pain_trend")

    assert (found.value, found.detail) == ("-4,3 pontos a cada 30 dias", "8 há 37 dias, 3 há 2 dias; caindo")


def test_a_trend_that_ended_is_told_of_the_past_without_a_date() -> None:
    found = row(record(sessions=weekly([8, 7, 6, 5, 4, 3], last=40)), "pain_trend")

    assert (found.interval, found.detail) == ("", "8 há 75 dias, 3 há 40 dias; caiu até então")


def test_what_is_not_known_has_its_reason_and_no_value() -> None:
    found = row(record(sessions=weekly([8, 7, 6])), "pain_trend")

    assert (found.value, found.interval, found.reason) == ("", "", "há menos de 5 dias com registro de dor")


def test_what_is_measured_stands_apart() -> None:
    sessions = [session(ago, measurements=(Measurement(name="Dor da Maria", value=ago),)) for ago in (9, 2)]

    found = row(record(sessions=sessions), "measurement_trend.1")

    assert found.subject == "Dor da Maria"
    assert "Maria" not in f"{found.title} {found.value} {found.detail} {found.reason} {found!r}"


@given(arbitrary())
@settings(max_examples=20, deadline=None, derandomize=True)
def test_every_fact_is_a_row_without_a_date(of: Record) -> None:
    facts = compute(of)
    found = rows(facts)

    assert [(each.ref, each.title) for each in found] == [
        (fact.ref, KINDS[fact.name].portuguese) for fact in facts.facts
    ]
    assert all(bool(each.value) != bool(each.reason) for each in found)
    assert not any(
        re.search(r"\d/\d", f"{each.value} {each.interval} {each.window} {each.detail}") for each in found
    )
