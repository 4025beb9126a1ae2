"""One run of the integrity checks: look, keep, tell, and give each check's result (CONTRACT clinic §5.8).

Here: :func:`examine`, for Dagster's asset checks, the command line and the tests. Not here: the parts of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fisio_ayida.clinic import checking, organizations
from fisio_ayida.clinic.integrity import alerts
from fisio_ayida.clinic.integrity.checks import CHECKS, ROWS
from fisio_ayida.clinic.integrity.looking import NOBODY, SAMPLE, Found, Look, look
from fisio_ayida.clinic.model import Desk, Order, Outcome
from fisio_ayida.clinic.planning import finish

JOB: Final = alerts.JOB


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a check says of all organisations that were looked at.

    Args:
        check: its name in the registry.
        problems: exact; of what could be looked at if there is an error.
        organizations: how many of them are concerned; rows of nobody count as one.
        sample_ids: up to 20 of the rows, from as many organisations as there are.
        error: why it could not run, for all or for some organisations; never taken for no problems.
    """

    check: str
    problems: int
    organizations: int
    sample_ids: tuple[str, ...]
    error: str | None

    @property
    def passed(self) -> bool:
        """It ran everywhere and found nothing."""
        return self.problems == 0 and self.error is None


@dataclass(frozen=True, slots=True)
class Examination:
    """A run's outcome, and one result for each check, in the registry's order."""

    outcome: Outcome
    results: list[Result]


def examine(desk: Desk, order: Order) -> Examination:
    """Run all checks for all clinics of the order; no check that fails stops another.

    A relation that is not as agreed stops no check that does without it: each difference is a failure of the run.

    Raises:
        ClinicError: no organisation is visible.
        BadOrder: the organisation that is asked for does not exist.
    """
    loaded = organizations.load(desk.conn, desk.clinic, only=order.organization)
    outcome = Outcome(JOB, failures=list(loaded.unusable))
    outcome.failures += [
        ("", f"{each.where}: {each.what}")
        for each in checking.findings(desk.clinic.on(desk.conn)) if each.stops
    ]  # fmt: skip
    looked = look(desk, loaded.clinics, order)
    outcome.failures += looked.hidden
    outcome.failures += [(id, f"{name}: {error}") for (id, name), error in looked.errors.items()]
    outcome.clinics = len(looked.looked_at - {NOBODY})
    alerts.keep(desk, loaded.clinics, looked, order, outcome)
    results = [_result(check.name, looked) for check in ROWS]
    outcome.facts = {
        "inactive organizations": loaded.inactive,
        "checks": len(CHECKS),
        "failed checks": sum(not result.passed for result in results),
        "problems": sum(result.problems for result in results),
        "organizations with problems": len({id for id, _ in looked.found} - {NOBODY}),
    }
    finish(desk, order, outcome)
    return Examination(outcome, results)


def run(desk: Desk, order: Order) -> Outcome:
    """As :func:`examine`, for who only wants to know how it went."""
    return examine(desk, order).outcome


def _result(check: str, looked: Look) -> Result:
    found = {id: each for (id, name), each in looked.found.items() if name == check}
    errors = {id: words for (id, name), words in looked.errors.items() if name == check}
    return Result(
        check=check, problems=sum(each.problems for each in found.values()), organizations=len(found),
        sample_ids=tuple(_in_turn(found)), error=_error(errors),
    )  # fmt: skip


def _in_turn(found: Mapping[str, Found]) -> list[str]:
    ids: list[str] = []
    for place in range(SAMPLE):
        for organization in sorted(found):
            if place < len(found[organization].sample_ids) and len(ids) < SAMPLE:
                ids.append(found[organization].sample_ids[place])
    return ids


def _error(errors: Mapping[str, str]) -> str | None:
    if not errors:
        return None
    organizations: Sequence[str] = sorted(errors)
    whose = "" if organizations == [NOBODY] else f" ({len(organizations)} organisations)"
    return f"{errors[organizations[0]]}{whose}"
