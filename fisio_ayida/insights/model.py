"""The words of the insights: a patient's record, what is computed of it, and what is told to the professional.

Here: types. Not here: reading records (``reading.py``), computing (``facts/``), wording (``wording/``), the model
(``narrative/``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, Protocol

from fisio_ayida.settings import Settings

#: Classes of ``clinic.status_class``.
StatusClass = Literal["upcoming", "confirmed", "done", "absent", "cancelled", "to_rebook", "other", "unknown"]
#: FisioFlow's words for kinds of insights.
InsightType = Literal[
    "trend_alert", "milestone_achieved", "risk_detected", "recommendation", "comparison", "progress_summary"
]
Source = Literal["facts", "narrative"]
#: How a series goes: ``unclear`` if its uncertainty allows both directions.
Verdict = Literal["rising", "falling", "unclear", "steady"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A booked visit, on its civil day in the clinic."""

    id: str
    day: dt.date
    status: StatusClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measured value. ``name``: as the clinic wrote it, with its side; ``unit``: empty if none was given."""

    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """What was done in a session; empty fields were not recorded. ``load``: kg; ``seconds``: of one repetition."""

    name: str
    sets: float | None = None
    repetitions: float | None = None
    load: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The finalized record of a visit.

    Args:
        day: civil day of the visit in the clinic.
        pain: 0 to 10.
        note: the main note as FisioFlow keeps it, with HTML.
        unusable: what of its content could not be read, each with the field and what was expected.
    """

    id: str
    day: dt.date
    finalized_at: dt.datetime
    pain: int | None = None
    note: str = field(default="", repr=False)
    procedures: tuple[str, ...] = field(default=(), repr=False)
    exercises: tuple[Exercise, ...] = field(default=(), repr=False)
    home_exercises: tuple[Exercise, ...] = field(default=(), repr=False)
    measurements: tuple[Measurement, ...] = field(default=(), repr=False)
    unusable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """By what a person or a clinic is known, and what therefore never leaves the house.

    Args:
        names: of the patient, the clinic and its staff, as written.
        numbers: documents and telephones, as written.
        addresses: of e-mail.
    """

    names: tuple[str, ...] = field(default=(), repr=False)
    numbers: tuple[str, ...] = field(default=(), repr=False)
    addresses: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the clinic has of a patient, as far as insights read it.

    Args:
        today: civil day in the clinic on which the facts' windows end.
        visits: by day; also those to come.
        sessions: finalized ones, by (day, finalized_at, id).
        age: years completed on ``today``.
        sex: ``F``, ``M``, ``O`` or empty.
        complaint: free text.
        earlier: finalized sessions that there are beside those read.
    """

    organization_id: str
    patient_id: str
    today: dt.date
    visits: tuple[Visit, ...] = ()
    sessions: tuple[Session, ...] = ()
    age: int | None = None
    sex: str = ""
    complaint: str = field(default="", repr=False)
    identity: Identity = field(default=Identity(), repr=False)
    earlier: int = 0

    @property
    def newest(self) -> Session | None:
        """The session that was finalized last: with each newly finalized one, insights are made anew."""
        return max(self.sessions, key=lambda each: (each.finalized_at, each.id), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A number that was computed, or the reason why it was not.

    Args:
        name: of the registry of facts.
        place: 0, or from 1 on where there are several of one name.
        subject: what is measured, where there are several of one name (a measurement's name).
        value: in ``unit``; None: there is too little to say it, and ``missing`` says what.
        low, high: what the value may be with 95 % certainty, where that can be said.
        count: how many records it is made from.
        first, last: civil days that it covers, both included: its window, or a series' first and newest value.
        verdict: of a series.
        of: further numbers that belong to it, by name (done, absent, ...).
        inputs: ids of the visits or sessions that it was made from.
        missing: English word of the reason.
    """

    name: str
    place: int = 0
    subject: str = field(default="", repr=False)
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    count: int = 0
    first: dt.date | None = None
    last: dt.date | None = None
    verdict: Verdict | None = None
    of: dict[str, float] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    missing: str = ""

    @property
    def ref(self) -> str:
        """How it is cited: ``pain_trend``, ``measurement_trend.2``; never by its subject, which is free text."""
        return f"{self.name}.{self.place}" if self.place else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A rule about a risk that holds. ``facts``: names of the facts it was seen in; ``of``: its numbers."""

    name: str
    facts: tuple[str, ...]
    of: dict[str, float] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that was computed of a record. ``missing``: what would be needed to say more, words of the registry."""

    version: str
    today: dt.date
    sessions: int
    facts: tuple[Fact, ...] = ()
    flags: tuple[Flag, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One insight as the professional reads it, in Portuguese.

    Args:
        citations: ``fact:REF`` or ``session:ID``, none that does not exist.
        metric, value, comparison: the number that it is about, and an earlier one.
    """

    source: Source
    type: InsightType
    text: str = field(repr=False)
    citations: tuple[str, ...]
    metric: str | None = None
    value: float | None = None
    comparison: float | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A narrative that was checked. ``scrubbed``: what was taken out of free texts, by kind."""

    items: tuple[Item, ...]
    scrubbed: dict[str, int]


@dataclass(frozen=True, slots=True)
class NotWritten:
    """Why there is no narrative.

    Args:
        reason: one word of :data:`REASONS`.
        detail: for people; no word of a patient's, no identifier.
        is_transient: a later try may succeed.
        after: not sooner than this, if the model's server said so.
        concerns: whom. ``clinic``: until its next day, nobody of the clinic has one; ``server``: it was not asked,
            as nobody is for a while. Neither is one of the patient's tries.
    """

    reason: str
    detail: str = ""
    is_transient: bool = False
    after: dt.timedelta | None = None
    concerns: Literal["patient", "clinic", "server"] = "patient"
    scrubbed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """For whom a narrative is written, and what it may cost.

    Args:
        key: of the insight.
        organization_id, patient_id: for the ledger; they never leave.
        day: civil day in the clinic whose budget it uses.
        cost_per_day: in the price table's currency; None: no limit in money.
    """

    key: str
    organization_id: str
    patient_id: str
    day: dt.date
    tokens_per_day: int
    cost_per_day: Decimal | None
    run_id: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a clinic without limits of its own may use on a civil day; ``cost_per_day`` None: no limit in money."""

    tokens_per_day: int
    cost_per_day: Decimal | None

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """``INSIGHTS_TOKENS_PER_DAY`` and ``INSIGHTS_COST_PER_DAY``."""
        cost = settings.insights_cost_per_day
        return cls(settings.insights_tokens_per_day, None if cost is None else Decimal(str(cost)))


class Writer(Protocol):
    """Who puts facts into words."""

    @property
    def model(self) -> str:
        """The model's name, as part of keys."""
        ...

    async def write(self, record: Record, facts: Facts, commission: Commission) -> Written | NotWritten:
        """A checked narrative, or why there is none; what it used is in the ledger either way."""
        ...


#: Why a patient has no insight, or facts without a narrative.
REASONS: Final = {
    "inactive_clinic": "The clinic is inactive, or there is none.",
    "ai_off_clinic": "The clinic switched insights off.",
    "ai_off_patient": "The patient switched AI off in FisioFlow.",
    "no_consent": "The patient does not consent to the use of the data.",
    "unknown_patient": "The patient is none of this organisation, or was deleted.",
    "no_session": "No session is finalized.",
    "too_old": "The sessions that are finalized are older than insights read.",
    "facts_only": "The clinic wants facts alone.",
    "not_yet": "The model was not asked yet.",
    "no_model": "No model is configured.",
    "insufficient_data": "Fewer than two finalized sessions have a note.",
    "over_budget": "The clinic's budget of the day is spent.",
    "no_price": "There is a budget in money, and no price for the model.",
    "identifier_found": "Even scrubbed, the texts could tell who the patient is: nothing left the house.",
    "unreachable": "The model's server did not answer in time, or not at all.",
    "rate_limited": "The model's server asks to wait.",
    "server_error": "The model's server failed.",
    "rejected": "The model's server refused the request.",
    "refused": "The model refused.",
    "truncated": "The answer was cut off.",
    "bad_json": "The answer is not what the schema asks for.",
    "bad_citation": "It cites what there is not, or nothing.",
    "bad_number": "It says a number that the facts and the sessions it cites do not, or not of that.",
    "bad_direction": "It tells a direction that the facts do not have.",
    "bad_language": "It is not Portuguese.",
    "leaked_identifier": "It names somebody, or something by which somebody is known.",
    "diagnosis": "It diagnoses, foretells, orders or grades.",
}


#: Part of keys: with another prompt, everything is written anew.
PROMPT_VERSION: Final = "p1"


def key(patient: str, session: str, prompt_version: str, model: str) -> str:
    """One insight a patient, newest session, prompt and model (CONTRACT clinic §14.4); without a model: facts."""
    return f"insight:{patient}:{session}:{prompt_version}:{model or 'facts'}"
