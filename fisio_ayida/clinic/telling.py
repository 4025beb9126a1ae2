"""From a patient to drafts on the right channels: what birthdays, expiring packages and reactivation share.

Here: whom of a query's rows to write to and where, why to nobody, and that nobody is told twice on two channels.
Not here: who is asked for (the jobs), and who has opted out, which is asked when a message is sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import psycopg

from fisio_ayida.clinic.choice import REACH, channels, why_none
from fisio_ayida.clinic.model import Clinic, Proposal, Withheld
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import CHANNELS, Cause, Channel, Draft
from fisio_ayida.messaging.templates.registry import TEMPLATES

#: Columns for a query over ``clinic.patients p``: a :class:`Person`.
PERSON: Final = f"""
  p.id as patient_id, coalesce(nullif(btrim(p.social_name), ''), p.full_name) as name,
  p.is_active and p.deleted_at is null as is_active, {REACH}
"""

#: Of a row of messaging.messages; what certainly did not arrive told nobody anything.
TOLD: Final = "state not in ('failed', 'skipped', 'expired')"

_KNOWN: Final = f"select key, {TOLD} from messaging.messages where key = any(%s)"


class Person(Protocol):
    """A patient as the columns of :data:`PERSON` tell; a row of a query."""

    @property
    def patient_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def preferred(self) -> str | None: ...
    @property
    def has_phone(self) -> bool: ...
    @property
    def has_email(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What a patient is to be told once.

    Args:
        key: of the message on a channel.
        variables: of the template, without ``nome`` and ``clinica``; an empty one is left out.
        both: on every channel that reaches the patient; else on one.
        only: on no other channels.
    """

    clinic: Clinic
    job: str
    template: str
    key: Callable[[Channel], str]
    cause: Cause
    variables: Mapping[str, Any]
    due_at: dt.datetime
    not_after: dt.datetime
    both: bool = False
    only: Collection[Channel] = CHANNELS


def tell(telling: Telling, person: Person, proposal: Proposal) -> None:
    """Add the drafts, or the one reason why there are none."""
    if not person.is_active:
        return withhold(telling, person.patient_id, "patient_inactive_or_deleted", "", proposal)
    usable = [channel for channel in TEMPLATES[telling.template].channels if channel in telling.only]
    reach = {
        "has_phone": person.has_phone and "whatsapp" in usable, "has_email": person.has_email and "email" in usable
    }  # fmt: skip
    ways = channels(telling.clinic, telling.template, preferred=person.preferred, both=telling.both, **reach)
    if not ways:
        why = why_none(telling.clinic, usable, has_phone=person.has_phone, has_email=person.has_email)
        return withhold(telling, person.patient_id, *why, proposal)
    proposal.drafts += [_draft(telling, person, channel) for channel in ways]
    return None


def withhold(telling: Telling, patient_id: str | None, reason: str, detail: str, proposal: Proposal) -> None:
    """Add the decision that the patient is not told; under the key of the first channel of the template."""
    proposal.withheld.append(Withheld(
        key=telling.key(TEMPLATES[telling.template].channels[0]), organization_id=telling.clinic.id, reason=reason,
        detail=detail, patient_id=patient_id, cause=telling.cause, template=telling.template,
    ))  # fmt: skip


def once(ours: psycopg.Connection[Any], proposal: Proposal) -> Proposal:
    """Without drafts of which an earlier run has told the same on another channel.

    A run that finds a patient's new preference or address must not tell all again. Where the first message
    certainly did not arrive, the other channel may try; channels planned together stay together. In shadow mode,
    :func:`planning.keep` asks the same of what earlier runs only decided.
    """
    return without_told(proposal, lambda keys: dict(ours.execute(_KNOWN, [keys]).fetchall()))


def without_told(proposal: Proposal, known: Callable[[list[str]], Mapping[str, bool]]) -> Proposal:
    """Without drafts of which a message on another channel stands; they are withheld.

    Args:
        known: which of these keys there are, and whether each of them told somebody.
    """
    siblings = {draft.key: _siblings(draft) for draft in proposal.drafts}
    asked = sorted({key for each in siblings.values() for key in each.values()})
    stands = known(asked) if asked else {}
    kept = []
    withheld = list(proposal.withheld)
    for draft in proposal.drafts:
        told = [channel for channel, key in siblings[draft.key].items() if stands.get(key)]
        if draft.key in stands or not told:
            kept.append(draft)
        else:
            withheld.append(Withheld.of(draft, "duplicate", f"told by {', '.join(told)}"))
    return replace(proposal, drafts=kept, withheld=withheld, is_once=True)


def _siblings(draft: Draft) -> dict[Channel, str]:
    possible = TEMPLATES[draft.template or ""].channels
    return {channel: keys.on_other_channel(draft.key, channel) for channel in possible}


def _draft(telling: Telling, person: Person, channel: Channel) -> Draft:
    variables = {"nome": person.name, "clinica": telling.clinic.name, **telling.variables}
    return Draft(
        key=telling.key(channel), job=telling.job, channel=channel, category=TEMPLATES[telling.template].category,
        organization_id=telling.clinic.id, patient_id=person.patient_id, template=telling.template,
        variables={name: value for name, value in variables.items() if value not in (None, "")},
        cause=telling.cause, due_at=telling.due_at, not_after=telling.not_after,
    )  # fmt: skip
