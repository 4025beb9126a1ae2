"""Whether a message may go now: one pure function, one reason a case (CONTRACT clinic §5.2).

Here: the order of the checks and what each says. Not here: reading the facts, and what becomes of a verdict.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from fisio_ayida.messaging.addresses import AddressProblem
from fisio_ayida.messaging.model import Category, Channel
from fisio_ayida.messaging.quiet import DEFAULT, Quiet, until

#: ``cancelled`` is an operator's; the others are §5.2's, in its order.
Reason = Literal[
    "org_inactive", "channel_disabled_org", "patient_inactive_or_deleted", "no_address", "address_invalid",
    "opted_out_channel", "opted_out_category", "suppressed", "quiet_hours", "duplicate", "stale", "cancelled",
]  # fmt: skip
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Organization:
    """A clinic and how it speaks to its patients.

    Args:
        marketing_basis: consent or legitimate_interest.
        reply_to: where answers to its e-mails go; nothing that decides.
    """

    is_active: bool
    channels_off: frozenset[Channel]
    quiet: Quiet
    marketing_basis: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """``is_active``: false for an inactive and for a deleted one."""

    is_active: bool


@dataclass(frozen=True, slots=True)
class Preference:
    """One row of messaging.preferences. ``category``: one of ours, or ``all``."""

    category: str
    allowed: bool
    at: dt.datetime
    id: int


@dataclass(frozen=True, slots=True)
class CauseNow:
    """What the message follows from, as it is now.

    Args:
        wanted: it still asks for this message (a visit that is still booked).
        version: what the message's own is compared with.
        why: if it is not wanted: what became of it, in words without names.
        useless_from: from then on the message says nothing new (the visit's start).
    """

    exists: bool
    wanted: bool
    version: str | None
    why: str
    useless_from: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that decides over one message, read in the transaction that claims it.

    Args:
        organization: None: no clinic, or one that there is not.
        patient_id: None: it goes to nobody's patient.
        patient: None with an id: there is no such patient.
        address_problem: why there is no canonical address.
        preferences: those of this person or address, on this channel, towards this clinic or all; in any order.
        suppressed: why nothing may go to this address.
        duplicate: what else says the same already.
        cause: None: it follows from nothing that can change.
        cause_version: what the cause was when the message was planned; None: the message does not speak of it.
        not_after: the message is useless from then on.
    """

    channel: Channel
    category: Category
    heeds_quiet: bool
    organization: Organization | None = None
    patient_id: str | None = None
    patient: Patient | None = None
    address_problem: AddressProblem | None = None
    preferences: tuple[Preference, ...] = ()
    suppressed: str | None = None
    duplicate: str | None = None
    cause: CauseNow | None = None
    cause_version: str | None = None
    not_after: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """It may go now."""


@dataclass(frozen=True, slots=True)
class Skip:
    """It will not go. ``detail``: for people, without names and addresses."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Defer:
    """It may go later: ask again at ``until``, an instant in UTC."""

    until: dt.datetime
    reason: Reason = "quiet_hours"


@dataclass(frozen=True, slots=True)
class Expire:
    """It is of no use any more, or will not be when it may go."""

    detail: str


Verdict = Send | Skip | Defer | Expire


def decide(facts: Facts, now: dt.datetime) -> Verdict:
    """The first check that hits, in this order.

    ======  ===========================  =======  ===============================================================
    No.     Verdict                      Direct   Hits when
    ======  ===========================  =======  ===============================================================
    1       org_inactive                 no       the clinic is inactive or unknown, or there is none
    2       channel_disabled_org         no       the clinic has switched this channel off
    3       patient_inactive_or_deleted  no       the patient is inactive, deleted or unknown
    4       no_address                   yes      there is none
    5       address_invalid              yes      it is none
    6       opted_out_channel            no       the latest word on ``all`` is no
    7       opted_out_category           no       the latest word on the category is no; marketing without a yes
    8       suppressed                   yes      nothing may go to this address
    9       quiet_hours (Defer, Expire)  if asked it is quiet; Expire if the message is useless when that is over
    10      duplicate                    yes      something else says the same
    11      stale                        yes      the cause is gone, no longer asks for it, or is another
    12      Expire                       yes      now is at or after ``not_after`` or the cause's ``useless_from``
    13      Send                         yes
    ======  ===========================  =======  ===============================================================

    ``direct`` is what an app asks for itself (a new password): we only carry it, so it goes even where the clinic
    is inactive or the person opted out of what we plan. Quiet hours bind it only if it was asked to heed them
    (those of :data:`quiet.DEFAULT` where there is no clinic).

    A later yes to ``all`` lifts a no to ``all``, never a no to a category. A yes to a category lifts no ``all``.
    Nor is a yes to ``all`` a consent: who takes a no back asks for no advertisements.
    """
    is_ours = facts.category != "direct"
    refused = (
        (_clinic(facts) if is_ours else None)
        or _address(facts)
        or (_preference(facts) if is_ours else None)
        or _suppression(facts)
    )
    if refused:
        return refused
    useless_from = _useless_from(facts)
    if facts.heeds_quiet and (allowed := until(_quiet(facts), now)):
        if useless_from is not None and allowed >= useless_from:
            return Expire(f"quiet until {_stamp(allowed)}, useless from {_stamp(useless_from)}")
        return Defer(allowed)
    if facts.duplicate is not None:
        return Skip("duplicate", facts.duplicate)
    if stale := _staleness(facts):
        return stale
    if useless_from is not None and now >= useless_from:
        return Expire(f"useless from {_stamp(useless_from)}")
    return Send()


def _clinic(facts: Facts) -> Skip | None:
    clinic = facts.organization
    if clinic is None:
        return Skip("org_inactive", "unknown organisation")
    if not clinic.is_active:
        return Skip("org_inactive", "the organisation is inactive")
    if facts.channel in clinic.channels_off:
        return Skip("channel_disabled_org", f"the organisation has switched {facts.channel} off")
    if facts.patient_id is not None and facts.patient is None:
        return Skip("patient_inactive_or_deleted", "unknown patient")
    if facts.patient is not None and not facts.patient.is_active:
        return Skip("patient_inactive_or_deleted", "the patient is inactive or deleted")
    return None


def _address(facts: Facts) -> Skip | None:
    if facts.address_problem is None:
        return None
    what = "has no address" if facts.address_problem == "no_address" else "has none that can be used"
    return Skip(facts.address_problem, f"the recipient {what} for {facts.channel}")


def _preference(facts: Facts) -> Skip | None:
    general = _latest(facts.preferences, "all")
    if general is not None and not general.allowed:
        return Skip("opted_out_channel", f"no {facts.channel} since {_stamp(general.at)}")
    own = _latest(facts.preferences, facts.category)
    if own is not None and not own.allowed:
        return Skip("opted_out_category", f"no {facts.category} by {facts.channel} since {_stamp(own.at)}")
    # CONTRACT clinic §15.3: silence is no consent.
    if facts.category == "marketing" and own is None and _needs_consent(facts):
        return Skip("opted_out_category", "no consent recorded")
    return None


def _needs_consent(facts: Facts) -> bool:
    return facts.organization is None or facts.organization.marketing_basis != "legitimate_interest"


def _latest(preferences: Iterable[Preference], category: str) -> Preference | None:
    rows = (row for row in preferences if row.category == category)
    return max(rows, key=lambda row: (row.at, row.id), default=None)


def _suppression(facts: Facts) -> Skip | None:
    return None if facts.suppressed is None else Skip("suppressed", facts.suppressed)


def _quiet(facts: Facts) -> Quiet:
    return DEFAULT if facts.organization is None else facts.organization.quiet


def _staleness(facts: Facts) -> Skip | None:
    cause = facts.cause
    if cause is None:
        return None
    if not cause.exists:
        return Skip("stale", cause.why or "what it follows from is gone")
    if not cause.wanted:
        return Skip("stale", cause.why or "what it follows from no longer asks for it")
    if facts.cause_version is not None and cause.version != facts.cause_version:
        return Skip("stale", f"planned for {facts.cause_version}, now {cause.version or 'nothing'}")
    return None


def _useless_from(facts: Facts) -> dt.datetime | None:
    limits = (facts.not_after, facts.cause.useless_from if facts.cause else None)
    return min((limit for limit in limits if limit is not None), default=None)


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="minutes")
