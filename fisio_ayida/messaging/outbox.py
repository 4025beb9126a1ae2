"""The outbox: planning messages in the transaction of their cause, and a person's acts on them.

Here: one statement for however many messages; a key that is there already changes nothing, unless its message was
stale or its cause was given to another patient since. Not here: the rules,
which are asked when a message is to be sent (``claims.py``), and sending.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

import msgspec
import psycopg

from fisio_ayida.messaging import causes, keys
from fisio_ayida.messaging.addresses import AddressError, canonical, mask
from fisio_ayida.messaging.letters import EVENT, Letter, Letters, Subject, plain
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

_CATEGORIES: Final = get_args(Category)
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
_FIELDS: Final = tuple(name for name, _ in _COLUMNS)
_NAMES = ", ".join(_FIELDS)
# One parameter for all: as arrays, psycopg would look at every value for what has to be quoted.
_ROWS = f"""
json_to_recordset(convert_from(%(rows)b, 'UTF8')::json)
  as d ({", ".join(f"{name} {kind}" for name, kind in _COLUMNS)})
"""
_ACCOUNT = (
    "case when d.channel = 'whatsapp' then coalesce(nullif(y.whatsapp_account, %(account)s), '') else '' end"
)
# Of the same cause, which was given to another patient, perhaps of another clinic, since it was planned.
_IS_ANOTHERS = """
(m.cause_kind = d.cause_kind and m.cause_id = d.cause_id and m.patient_id <> d.patient_id)
"""
# One statement, in the caller's transaction. A key that another transaction is just planning waits for it; always
# in the same order, so that two of them never wait for each other.
_PLAN = f"""
insert into messaging.messages ({_NAMES}, account, state, planned_at, changed_at)
select {", ".join(f"d.{name}" for name, _ in _COLUMNS)},
       {_ACCOUNT}, 'planned', %(now)s, %(now)s
from {_ROWS} left join messaging.policies y on y.organization_id = d.organization_id
order by d.key
on conflict (key) do nothing
returning key, id
"""  # fmt: skip
# A visit that was moved and moved back, or cancelled by mistake, is announced after all. What is another patient's
# by now is theirs, whatever was decided for the first one, unless that one may have it.
_PRESENT = f"""
select d.key, m.id,
       m.attempt = 0 and (m.state = 'skipped' and m.reason like 'stale:%%' or
         {_IS_ANOTHERS} and m.state in ('planned', 'deferred', 'skipped', 'expired')) as is_free,
       {_IS_ANOTHERS} as is_anothers
from {_ROWS} join messaging.messages m using (key)
"""
_REVIVE = f"""
update messaging.messages m set
  state = case m.state when 'deferred' then 'deferred' else 'planned' end,
  reason = case m.state when 'deferred' then m.reason end,
  planned_at = %(now)s, changed_at = %(now)s, run_id = null, account = {_ACCOUNT},
  {", ".join(f"{name} = d.{name}" for name in _FIELDS if name != "key")}
from {_ROWS} left join messaging.policies y on y.organization_id = d.organization_id
where m.key = d.key and m.attempt = 0
  and (m.state = 'skipped' and m.reason like 'stale:%%' or
       {_IS_ANOTHERS} and m.state in ('planned', 'deferred', 'skipped', 'expired'))
returning m.key, m.id
"""  # fmt: skip
# What a person stops was not sent, unless nobody knows; what was sent cannot be stopped.
_CANCEL = """
update messaging.messages set
  state = case when error_class = 'ambiguous' then 'unknown' else 'skipped' end, reason = %(reason)s,
  changed_at = %(now)s
where id = any(%(ids)s) and state in ('planned', 'deferred', 'retry') returning id, state
"""
# Only what was certainly not sent; to the provider it is another message, or it would answer as it did before. An
# unknown outcome is asked about once more, never sent again.
_RETRY = """
with over as (
  update messaging.messages set
    state = 'planned', changed_at = %(now)s, due_at = %(now)s, failures = 0, looks = 0,
    generation = generation + 1, first_called_at = null, content_hash = null, provider_id = null,
    accepted_at = null, batch_id = null, error_class = null,
    not_after = case when state = 'expired' then %(now)s + %(longest)s else not_after end
  where id = any(%(ids)s) and state in ('failed', 'skipped', 'expired')
  returning id, state),
waiting as (
  update messaging.messages set due_at = %(now)s, failures = 0, looks = 0
  where id = any(%(ids)s) and state in ('deferred', 'retry', 'unknown')
  returning id, state)
select id, state from over union all select id, state from waiting
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """A message of the outbox; ``is_new`` is False if its key was there already.

    Args:
        key: the draft's. The message's own is another (``keys.of_another``) where somebody else may have had it.
    """

    key: str
    id: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Outbox:
    """Plans messages.

    Args:
        account: the WhatsApp instance or number of the settings. Stored as no account even where a clinic names
            it, as of replies: else one instance would be two ways out, and its answers no answers.
    """

    letters: Letters
    account: str = ""

    def plan(self, conn: psycopg.Connection[Any], drafts: Sequence[Draft], *, now: dt.datetime) -> list[Planned]:
        """Plan messages in the connection's transaction; gives one result a draft, in order.

        Raises:
            MessagingError: a draft is no message; its key and field are named, and nothing is planned.
        """
        rows: dict[str, tuple[Any, ...]] = {}
        for draft in drafts:
            rows.setdefault(draft.key, self._row(draft, now))
        return self._insert(conn, drafts, rows, now)

    def plan_what_can_be(
        self, conn: psycopg.Connection[Any], drafts: Sequence[Draft], *, now: dt.datetime
    ) -> tuple[list[Planned], dict[str, str]]:
        """As :meth:`plan`, without the drafts that are no messages; why they are none, by their keys."""
        rows: dict[str, tuple[Any, ...]] = {}
        refused: dict[str, str] = {}
        for draft in drafts:
            try:
                rows.setdefault(draft.key, self._row(draft, now))
            except MessagingError as error:
                refused[draft.key] = str(error)
        good = [draft for draft in drafts if draft.key in rows]
        return self._insert(conn, good, rows, now), refused

    def _insert(
        self, conn: psycopg.Connection[Any], drafts: Sequence[Draft], rows: Mapping[str, tuple[Any, ...]],
        now: dt.datetime,
    ) -> list[Planned]:  # fmt: skip
        if not drafts:
            return []
        values = {"rows": _written(rows.values()), "now": now, "account": self.account}
        new = dict(conn.execute(_PLAN, values).fetchall())
        missing = [row for key, row in rows.items() if key not in new]
        present = conn.execute(_PRESENT, {"rows": _written(missing)}).fetchall() if missing else []
        there = {key: id for key, id, _, _ in present}
        if free := [rows[key] for key, _, is_free, _ in present if is_free]:
            new |= dict(conn.execute(_REVIVE, {**values, "rows": _written(free)}).fetchall())
        if had := {key for key, _, _, is_anothers in present if is_anothers and key not in new}:
            for key, own in self._to_the_next(conn, [each for each in drafts if each.key in had], now).items():
                there[key] = own.id
                if own.is_new:
                    new[key] = own.id
        planned, seen = [], set[str]()
        for draft in drafts:
            is_new = draft.key in new and draft.key not in seen
            seen.add(draft.key)
            planned.append(Planned(draft.key, new.get(draft.key) or there[draft.key], is_new))
        return planned

    def _to_the_next(
        self, conn: psycopg.Connection[Any], drafts: Sequence[Draft], now: dt.datetime
    ) -> dict[str, Planned]:
        """Plan, by their keys, what another patient may have got under the same ones."""
        found = {}
        for draft in {each.key: each for each in drafts}.values():
            own = replace(draft, key=keys.of_another(draft.key, draft.patient_id or ""))
            (found[draft.key],) = self.plan(conn, [own], now=now)
        return found

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
        if sealed is None and (lost := _lost(draft)):
            raise MessagingError(
                f"{draft.key}: cause={cause and cause.kind!r} cannot tell {lost} again, and without MESSAGING_KEY "
                "nothing of it is stored"
            )
        subject = Subject(
            key=draft.key, channel=draft.channel, category=draft.category, organization_id=draft.organization_id,
            patient_id=draft.patient_id, address_hash=digest or b"", template=draft.template,
        )  # fmt: skip
        # Whatever cannot be rendered is the planner's fault: told now, not when it should be sent.
        try:
            self.letters.check(subject, letter)
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


def _written(rows: Iterable[tuple[Any, ...]]) -> bytes:
    return msgspec.json.encode([dict(zip(_FIELDS, map(_plain, row), strict=True)) for row in rows])


def _plain(value: Any) -> Any:
    return "\\x" + value.hex() if isinstance(value, bytes) else value


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


def _lost(draft: Draft) -> str | None:
    """What of its letter nobody could tell again.

    An event has all of it; other causes have some variables, and the patient's or the operators' own address.
    """
    if draft.cause is None or draft.template is None:
        return None if draft.cause and draft.cause.kind == EVENT else "the body"
    gives = causes.KINDS[draft.cause.kind].gives
    if gives is None:
        return None
    if not causes.KINDS[draft.cause.kind].knows_address and (draft.patient_id is None or draft.to):
        return "the destination"
    declared = TEMPLATES[draft.template].variables
    needed = {each.name for each in declared if each.required or draft.variables.get(each.name)}
    return ", ".join(sorted(needed - gives)) or None


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
    if draft.category not in _CATEGORIES:
        return f"category={draft.category!r} is not one of {', '.join(_CATEGORIES)}"
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
    known = causes.KINDS.get(draft.cause.kind) if draft.cause else None
    if not draft.to and draft.patient_id is None and not (known and known.knows_address):
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
