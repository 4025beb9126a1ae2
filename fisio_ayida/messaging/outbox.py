"""The outbox: planning messages in the transaction of their cause, and a person's acts on them.

Here: one statement for however many messages; a key that is there already changes nothing. Not here: the rules,
which are asked when a message is to be sent (``claims.py``), and sending.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec
import psycopg

from fisio_ayida.messaging import causes, keys
from fisio_ayida.messaging.addresses import AddressError, canonical, mask
from fisio_ayida.messaging.letters import CIRCUIT, EVENT, Letter, Letters, Subject, plain
from fisio_ayida.messaging.model import (
    CHANNELS,
    PRIORITIES,
    Category,
    Channel,
    Draft,
    EmailContent,
    MessagingError,
    PushContent,
    WhatsappContent,
)
from fisio_ayida.messaging.templates.registry import TEMPLATES

#: Who names no limit expects a message no longer than this after it was due.
LONGEST_WAIT: Final = dt.timedelta(hours=72)

_CONTENTS: Final[Mapping[Channel, type]] = {
    "email": EmailContent, "whatsapp": WhatsappContent, "push": PushContent,
}  # fmt: skip
_COLUMNS: Final = (
    ("key", "text"), ("organization_id", "text"), ("patient_id", "text"), ("user_id", "text"), ("job", "text"),
    ("category", "text"), ("channel", "text"), ("priority", "smallint"), ("heeds_quiet", "boolean"),
    ("template", "text"), ("cause_kind", "text"), ("cause_id", "text"), ("cause_version", "text"),
    ("variables_hash", "bytea"), ("content", "bytea"), ("address_masked", "text"), ("address_hash", "bytea"),
    ("due_at", "timestamptz"), ("not_after", "timestamptz"), ("fallback_of", "bigint"),
)  # fmt: skip
_NAMES = ", ".join(name for name, _ in _COLUMNS)
# One statement, in the caller's transaction. A key that another transaction is just planning waits for it; always
# in the same order, so that two of them never wait for each other.
_PLAN = f"""
with d as (select * from unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS)}) as d ({_NAMES}))
insert into messaging.messages ({_NAMES}, account, state, planned_at, changed_at)
select {", ".join(f"d.{name}" for name, _ in _COLUMNS)},
       case when d.channel = 'whatsapp' then coalesce(y.whatsapp_account, '') else '' end,
       'planned', %(now)s, %(now)s
from d left join messaging.policies y on y.organization_id = d.organization_id
order by d.key
on conflict (key) do nothing
returning key, id
"""  # fmt: skip
_PRESENT = """
select key, id, state = 'skipped' and reason like 'stale:%%' and attempt = 0 as was_stale
from messaging.messages where key = any(%s)
"""
# A visit that was moved and moved back, or cancelled by mistake, is announced after all.
_REVIVE = f"""
update messaging.messages m set
  state = 'planned', planned_at = %(now)s, changed_at = %(now)s, reason = null, run_id = null,
  due_at = d.due_at, not_after = d.not_after, content = d.content, variables_hash = d.variables_hash,
  template = d.template, cause_kind = d.cause_kind, cause_id = d.cause_id, cause_version = d.cause_version
from unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS)}) as d ({_NAMES})
where m.key = d.key and m.state = 'skipped' and m.reason like 'stale:%%' and m.attempt = 0
returning m.key, m.id
"""  # fmt: skip
# What a person stops was not sent, unless nobody knows; what was sent cannot be stopped.
_CANCEL = """
update messaging.messages set
  state = case when error_class = 'ambiguous' then 'unknown' else 'skipped' end, reason = %(reason)s,
  changed_at = %(now)s
where id = any(%(ids)s) and state in ('planned', 'deferred', 'retry') returning id, state
"""
# Only what was certainly not sent. An unknown outcome is asked about once more, never sent again.
_RETRY = """
update messaging.messages set
  state = case when state in ('failed', 'skipped', 'expired') then 'planned' else state end,
  changed_at = case when state in ('failed', 'skipped', 'expired') then %(now)s else changed_at end,
  due_at = %(now)s, failures = 0, looks = 0,
  error_class = case when state in ('failed', 'skipped', 'expired') then null else error_class end,
  not_after = case when state = 'expired' then %(now)s + %(longest)s else not_after end
where id = any(%(ids)s) and state in ('failed', 'skipped', 'expired', 'deferred', 'retry', 'unknown')
returning id, state
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """A message of the outbox; ``is_new`` is False if its key was there already."""

    key: str
    id: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Outbox:
    """Plans messages."""

    letters: Letters

    def plan(self, conn: psycopg.Connection[Any], drafts: Sequence[Draft], *, now: dt.datetime) -> list[Planned]:
        """Plan messages in the connection's transaction; gives one result a draft, in order.

        Raises:
            MessagingError: a draft is no message; its key and field are named, and nothing is planned.
        """
        if not drafts:
            return []
        rows: dict[str, tuple[Any, ...]] = {}
        for draft in drafts:
            rows.setdefault(draft.key, self._row(draft, now))
        new = dict(conn.execute(_PLAN, _columns(rows.values(), now)).fetchall())
        missing = [key for key in rows if key not in new]
        present = conn.execute(_PRESENT, [missing]).fetchall() if missing else []
        there = {key: id for key, id, _ in present}
        if stale := [rows[key] for key, _, was_stale in present if was_stale]:
            new |= dict(conn.execute(_REVIVE, _columns(stale, now)).fetchall())
        planned, seen = [], set[str]()
        for draft in drafts:
            is_new = draft.key in new and draft.key not in seen
            seen.add(draft.key)
            planned.append(Planned(draft.key, new.get(draft.key) or there[draft.key], is_new))
        return planned

    def _row(self, draft: Draft, now: dt.datetime) -> tuple[Any, ...]:
        _check(draft)
        to = draft.to
        masked, digest = "", None
        if to:
            try:
                address = canonical(draft.channel, to)
            except AddressError:
                # A fact about this person, which the rules tell in their order.
                pass
            else:
                masked, digest = mask(draft.channel, address), self.letters.hasher.address(draft.channel, address)
        variables = plain(draft.variables) if draft.template else None
        letter = Letter(to, variables, draft.content)
        cause = draft.cause
        sealed = self.letters.seal(letter, draft.key)
        if sealed is None and not _can_be_made_again(draft):
            raise MessagingError(
                f"{draft.key}: cause={cause and cause.kind!r} cannot tell body and destination again, and without "
                "MESSAGING_KEY nothing of them is stored"
            )
        subject = Subject(
            key=draft.key, channel=draft.channel, category=draft.category, organization_id=draft.organization_id,
            patient_id=draft.patient_id, address_hash=digest or b"", template=draft.template,
        )  # fmt: skip
        # Whatever cannot be rendered is the planner's fault: told now, not when it should be sent.
        try:
            self.letters.content(subject, letter)
        except MessagingError as error:
            raise MessagingError(f"{draft.key}: {error}") from None
        hashed = None if variables is None else self.letters.hasher.content(
            msgspec.json.encode(variables, order="sorted")
        )  # fmt: skip
        heeds_quiet = draft.category != "direct" if draft.heeds_quiet is None else draft.heeds_quiet
        return (
            draft.key, draft.organization_id, draft.patient_id, draft.user_id, draft.job, draft.category,
            draft.channel, draft.priority, heeds_quiet, draft.template, cause and cause.kind, cause and cause.id,
            cause and cause.version,
            hashed, sealed, masked, digest, draft.due_at or now,
            draft.not_after or (draft.due_at or now) + LONGEST_WAIT, draft.fallback_of,
        )  # fmt: skip


def _columns(rows: Collection[tuple[Any, ...]], now: dt.datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {name: [row[place] for row in rows] for place, (name, _) in enumerate(_COLUMNS)}
    return {**columns, "now": now}


def cancel(conn: psycopg.Connection[Any], ids: Sequence[int], *, who: str, now: dt.datetime) -> dict[int, str]:
    """Stop messages that were not handed over yet; gives the state of each that was stopped."""
    found = conn.execute(_CANCEL, {"ids": list(ids), "reason": f"cancelled: by {who}", "now": now})
    return dict(found.fetchall())


def retry(conn: psycopg.Connection[Any], ids: Sequence[int], *, now: dt.datetime) -> dict[int, str]:
    """Let messages be tried again, with all rules; gives the state of each that may be.

    A message of unknown outcome is looked up once more. What is expired gets a new limit: the caller wants it now.
    """
    values = {"ids": list(ids), "now": now, "longest": LONGEST_WAIT}
    return dict(conn.execute(_RETRY, values).fetchall())


def _can_be_made_again(draft: Draft) -> bool:
    """Without its letter: an event has all of it; other causes have variables, for the patient's own address."""
    if draft.cause is None or draft.cause.kind in (EVENT, CIRCUIT):
        return draft.cause is not None
    return draft.template is not None and draft.patient_id is not None and not draft.to


def _check(draft: Draft) -> None:
    """Raises :class:`MessagingError` for a draft that the table would refuse, or that can never be sent."""
    if not 1 <= len(draft.key) <= keys.LONGEST:
        raise MessagingError(f"key={draft.key[:80]!r} must have 1 to {keys.LONGEST} characters")
    problem = _problem(draft)
    if problem is not None:
        raise MessagingError(f"{draft.key}: {problem}")


def _problem(draft: Draft) -> str | None:
    """The first field that is wrong, with its value."""
    if draft.channel not in CHANNELS:
        return f"channel={draft.channel!r} is not one of {', '.join(CHANNELS)}"
    if draft.category not in (categories := get_args(Category)):
        return f"category={draft.category!r} is not one of {', '.join(categories)}"
    if draft.priority not in PRIORITIES.values():
        return f"priority={draft.priority!r} is not one of {dict(PRIORITIES)}"
    if (draft.template is None) == (draft.content is None):
        given = "neither" if draft.content is None else "both"
        return f"template={draft.template!r}: expected either a template or a content, {given} came"
    if draft.template is not None:
        template = TEMPLATES.get(draft.template)
        if template is None or draft.channel not in template.channels:
            return f"template={draft.template!r} does not exist for {draft.channel}"
    if draft.content is not None and not isinstance(draft.content, _CONTENTS[draft.channel]):
        return f"content={type(draft.content).__name__} is none of {draft.channel}"
    if not draft.to and draft.patient_id is None:
        return f"to={draft.to!r} is empty, and there is no patient_id whose address could be read"
    if draft.category != "direct" and not draft.organization_id:
        return f"organization_id={draft.organization_id!r} is empty; only a direct message belongs to nobody"
    for name in ("due_at", "not_after"):
        moment = getattr(draft, name)
        if moment is not None and moment.tzinfo is None:
            return f"{name}={moment} has no time zone"
    try:
        if draft.cause is not None:
            causes.check(draft.cause)
    except MessagingError as error:
        return str(error)
    return None
