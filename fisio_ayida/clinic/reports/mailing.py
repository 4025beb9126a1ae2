"""The mails of a report: one to each reader, or why there is none.

Here: from numbers and readers to drafts. Not here: what they say (``wording.py``), and keeping them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fisio_ayida.clinic.model import Clinic, Connection, Desk, Order, Proposal, Withheld
from fisio_ayida.clinic.notices import cause
from fisio_ayida.clinic.reports import frames, readers, wording
from fisio_ayida.clinic.reports.counting import Counted
from fisio_ayida.clinic.reports.frames import WHOLE, Line
from fisio_ayida.clinic.reports.kinds import Report
from fisio_ayida.clinic.reports.periods import Period
from fisio_ayida.clinic.reports.readers import Messages, Reader
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import Draft


@dataclass(slots=True)
class _Numbers:
    """One clinic's: the whole period, its professionals, and the periods before, newest first."""

    whole: Line
    parts: list[Line] = field(default_factory=list)
    before: list[Line] = field(default_factory=list)


def mails(
    report: Report, desk: Desk, there: Connection, order: Order, clinics: Sequence[Clinic],
    periods: Sequence[Period], counted: Counted,
) -> Proposal:  # fmt: skip
    """The mails of these clinics' reports.

    Args:
        there: where the clinics' rows are visible.
    """
    by_id = {clinic.id: clinic for clinic in clinics}
    asked = {period.organization_id: period for period in periods if period.is_asked}
    numbers = _by_clinic(counted)
    therapists = {line.therapist_id for each in numbers.values() for line in each.parts}
    staff = readers.staff(there, report.wish, list(by_id), therapists)
    messages = _messages(report, desk, staff.readers, asked)
    common: dict[str, wording.Variables] = {}
    proposal = Proposal()
    for reader in staff.readers:
        clinic, found = by_id[reader.organization_id], numbers[reader.organization_id]
        key = keys.report(report.kind, clinic.id, asked[clinic.id].first_day, reader.user_id)
        if why := _why_not(clinic, reader, found.whole):
            proposal.withheld.append(Withheld(
                key=key, organization_id=clinic.id, reason=why[0], detail=why[1], cause=cause(key),
                channel="email", template=report.template,
            ))  # fmt: skip
            continue
        if clinic.id not in common:
            common[clinic.id] = report.words(clinic.name, found.whole, found.before)
        fared = messages.get(clinic.id, Messages()) if report.tells_messages else None
        # What an administrator is told is for no one else.
        proposal.needs[key] = (report.kind, *(("administrator",) if reader.is_administrator else ()))
        told = wording.addressed(common[clinic.id], reader, found.parts, staff.names[clinic.id], fared)
        proposal.drafts.append(Draft(
            key=key, job=report.job, channel="email", category="transactional", organization_id=clinic.id,
            user_id=reader.user_id, template=report.template, variables=told, cause=cause(key),
            due_at=order.nominal, not_after=order.nominal + report.useful_for,
        ))  # fmt: skip
    return proposal


def _by_clinic(counted: Counted) -> Mapping[str, _Numbers]:
    found: dict[str, _Numbers] = {}
    # In order: a clinic's whole comes before its professionals, an earlier week before a later one.
    for line in frames.lines(counted.asked):
        if line.therapist_id == WHOLE:
            found[line.organization_id] = _Numbers(line)
        else:
            found[line.organization_id].parts.append(line)
    for line in frames.lines(counted.before):
        if line.therapist_id == WHOLE:
            found[line.organization_id].before.insert(0, line)
    return found


def _messages(
    report: Report, desk: Desk, asking: Sequence[Reader], asked: Mapping[str, Period]
) -> Mapping[str, Messages]:
    told = sorted({each.organization_id for each in asking if each.is_administrator})
    if not report.tells_messages or not told:
        return {}
    return readers.messages(desk.conn, [asked[id] for id in told])


def _why_not(clinic: Clinic, reader: Reader, whole: Line) -> tuple[str, str] | None:
    if not reader.has_email:
        return "no_address", "no e-mail address"
    if "email" in clinic.channels_off:
        return "channel_disabled_org", "off for this clinic: email"
    if whole.is_empty and not clinic.rules.reports_empty_days:
        return "nothing_happened", "no visits and no new patients"
    return None
