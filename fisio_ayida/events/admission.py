"""From what a sender wrote to a row of the inbox, or to the reason why not.

Pure: no database, no clock. The same judgement for HTTP, SQL and the command line. Not here: storing
(``inbox.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic import ValidationError

from fisio_ayida import telemetry
from fisio_ayida.events.ids import Seed
from fisio_ayida.events.registry import ORGANIZATION_FIELDS, PRIORITIES, Event, find
from fisio_ayida.events.storable import mended, unstorable

LONGEST_EVENT_BYTES = 512 * 1024
LONGEST_ID = LONGEST_NAME = 256
# As far ahead as Inngest schedules.
FURTHEST_AHEAD = dt.timedelta(days=366)
# A sender that stamps its events when it sends them stamps the seed in the same moment.
SAME_MOMENT = dt.timedelta(seconds=1)
_FIELDS_SHOWN = 5
# What pydantic adds to a place for each type that a field may have; no field of ours has such a name.
_ALTERNATIVES = ("constrained-str", "list[constrained-str]")
_CODES = frozenset(("literal_error", "string_pattern_mismatch"))


class BadEvent(ValueError):
    """What came is no event: it has no place in the inbox. The message names the field and the value."""


class TooLarge(BadEvent):
    """One event is longer than is allowed."""


class Incoming(msgspec.Struct, frozen=True):
    """An event as it came: ``data`` and the rest undecoded, so that no number loses a digit."""

    name: Any = None
    id: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    ts: Any = None
    user: msgspec.Raw = msgspec.Raw(b"null")
    v: Any = None
    meta: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One event, judged. ``problem`` says what is wrong with the payload of a known one.

    ``data`` is JSON text, or None where jsonb cannot hold it: then ``raw`` has the event as it came.
    """

    id: str
    name: str
    received_name: str
    row: Event | None
    data: str | None
    raw: bytes | None
    ts: dt.datetime | None
    user: str | None
    version: str | None
    meta: str | None
    organization_id: str
    priority: int
    due_at: dt.datetime
    idempotency_key: str | None
    debounce_key: str | None
    cancel_key: str | None
    problem: str | None = None

    @property
    def state(self) -> str:
        """How it enters the inbox."""
        if self.problem is not None:
            return "dead"
        return "unmatched" if self.row is None else "received"


def read(body: bytes) -> list[tuple[Incoming, bytes]]:
    """The events of a request's body, one or an array of them, each with its own bytes.

    Raises:
        BadEvent: not JSON, or neither an object nor an array of objects; the message names the place.
    """
    body = mended(body)
    try:
        many = body.lstrip()[:1] == b"["
        raws = msgspec.json.decode(body, type=list[msgspec.Raw]) if many else [msgspec.Raw(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent(f"the body is not JSON: {error}") from None
    found = []
    for index, raw in enumerate(raws):
        try:
            found.append((msgspec.json.decode(raw, type=Incoming), bytes(raw)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadEvent(f"event {index}: not a JSON object: {error}") from None
    return found


def judge(incoming: Incoming, raw: bytes, *, own_id: str, seed: Seed | None, now: dt.datetime) -> Candidate:
    """The candidate of one event.

    Args:
        incoming: what was decoded.
        raw: the bytes of this event.
        own_id: its id if the sender gave none.
        seed: the request's seed, whose time tells a scheduled event from a clock that is off.
        now: the moment of receipt.

    Raises:
        BadEvent: no name, an id or data of the wrong type, a ts out of range: nothing to keep as an event.
    """
    if len(raw) > LONGEST_EVENT_BYTES:
        raise TooLarge(f"the event has {len(raw)} bytes, {LONGEST_EVENT_BYTES} are allowed")
    name = _text("name", incoming.name, LONGEST_NAME)
    if name is None:
        raise BadEvent("name is missing: an event needs one, as 'convocatorias/sync.requested'")
    id_ = _text("id", None if incoming.id == "" else incoming.id, LONGEST_ID) or own_id
    ts = _moment(incoming.ts)
    version = _text("v", incoming.v, 100)
    row = find(name)
    data, problem = _data(row, bytes(incoming.data))
    facts = facts_of(row, data)
    wait = _wait(ts, seed, now)
    if wait > FURTHEST_AHEAD:
        raise BadEvent(f"ts={incoming.ts} is more than {FURTHEST_AHEAD.days} days ahead")
    storable = data is not None
    return Candidate(
        id=id_,
        name=row.name if row else name,
        received_name=name,
        row=row,
        data=_json_text(incoming.data) or "{}" if storable else None,
        raw=None if storable else raw,
        ts=ts,
        user=_side("user", incoming.user),
        version=version,
        meta=_side("meta", incoming.meta),
        due_at=now + wait + (row.delay if row else dt.timedelta(0)),
        problem=problem,
        **facts,
    )


def judge_stored(name: str, data: str) -> tuple[Event | None, dict[str, Any], str | None]:
    """The same for an event that is stored already: its registry row, derived columns and problem.

    Args:
        data: the payload as JSON text, because jsonb holds more than a program can read.
    """
    row = find(name)
    payload, problem = _data(row, data.encode())
    return row, facts_of(row, payload), problem


def facts_of(row: Event | None, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns that follow from the payload: whose it is, how urgent, and the keys of its rules."""
    data = data or {}
    priority = row.priority if row else 0
    if row and row.priority_field:
        priority += PRIORITIES.get(str(_at(data, row.priority_field)), 0)
    return {
        "organization_id": next((key for f in ORGANIZATION_FIELDS if (key := key_of(data, f))), ""),
        "priority": priority,
        "idempotency_key": key_of(data, row.idempotency.key) if row and row.idempotency else None,
        "debounce_key": key_of(data, row.debounce.key) if row and row.debounce else None,
        "cancel_key": key_of(data, row.cancel_on[0].own) if row and row.cancel_on else None,
    }


def key_of(data: Mapping[str, Any], path: str) -> str | None:
    """The text or whole number at a dotted path, as text; None for anything else, and for what no index holds."""
    value = _at(data, path)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return key if 0 < len(key := str(value)) <= LONGEST_ID else None


def _at(data: Any, path: str) -> Any:
    for part in path.split("."):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data


def _text(field: str, value: Any, longest: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadEvent(f"{field} must be text, not {_kind(value)}")
    if not value or len(value) > longest:
        raise BadEvent(f"{field} must have 1 to {longest} characters, it has {len(value)}")
    if "\0" in value:
        raise BadEvent(f"{field}={value[:60]!r} holds the character U+0000")
    return value


def _moment(value: Any) -> dt.datetime | None:
    if value is None or value == 0:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadEvent(f"ts must be a number of milliseconds since 1970, not {_kind(value)}")
    try:
        return dt.datetime.fromtimestamp(value / 1000, dt.UTC)
    except (OverflowError, ValueError, OSError):
        raise BadEvent(f"ts={str(value)[:40]} is no moment: milliseconds since 1970 are expected") from None


def _wait(ts: dt.datetime | None, seed: Seed | None, now: dt.datetime) -> dt.timedelta:
    """The wait that is asked for: how far ts is ahead of the sender's own clock, which may be off."""
    if ts is None:
        return dt.timedelta(0)
    sent = now.timestamp() if seed is None else seed.millis / 1000
    ahead = dt.timedelta(seconds=ts.timestamp() - sent)
    return ahead if ahead > SAME_MOMENT else dt.timedelta(0)


def _data(row: Event | None, raw: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """The payload, decoded, and what is wrong with it; no payload where jsonb could not hold it."""
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return None, f"data cannot be read: {error}"
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise BadEvent(f"data must be an object, not {_kind(data)}")
    if problem := unstorable("data", data, raw):
        return None, problem
    return data, None if row is None else _invalid(row, data)


def _invalid(row: Event, data: Mapping[str, Any]) -> str | None:
    try:
        row.payload.model_validate(data)
    except ValidationError as error:
        return problem_of(error)
    return None


def problem_of(error: ValidationError) -> str:
    """The fields and why; values of people stay out, other values are shown short."""
    problems = error.errors(include_url=False)
    lines = []
    for problem in problems[:_FIELDS_SHOWN]:
        where = ".".join(("data", *(str(part) for part in problem["loc"] if part not in _ALTERNATIVES)))
        shown = "" if problem["type"] in ("missing", "value_error") else f" ({_shown(problem)})"
        lines.append(f"{where}: {problem['msg'].removeprefix('Value error, ')}{shown}")
    more = len(problems) - _FIELDS_SHOWN
    # The place of a problem may be a key that the sender made of somebody's address.
    text = telemetry.excerpt("; ".join(lines))
    return text + (f"; and {more} more" if more > 0 else "")


def _shown(problem: Any) -> str:
    """The value of a code or a choice; of any other text, which may be about a person, the length."""
    value = problem["input"]
    if isinstance(value, str):
        plain = problem["type"] in _CODES and len(value) <= 40 and value.isascii() and "@" not in value
        return f"it is {value!r}" if plain else f"it is a text of {len(value)} characters"
    if value is None or isinstance(value, bool | int | float):
        return f"it is {str(value)[:40]}"
    return f"it is {_kind(value)}"


def _side(field: str, raw: msgspec.Raw) -> str | None:
    """``user`` or ``meta`` as JSON text; None if there is none."""
    try:
        text = _json_text(raw)
        problem = None if text is None else unstorable(field, msgspec.json.decode(text), bytes(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent(f"{field} cannot be read: {error}") from None
    if problem:
        raise BadEvent(problem)
    return text


def _json_text(raw: msgspec.Raw) -> str | None:
    text = bytes(raw).decode()
    return None if text.strip() == "null" else text


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
