"""The keys that make messages unique (CONTRACT clinic §14.4).

Here: one function a kind of message. All give lower-case text under 256 characters, fit to be a provider's
idempotency key. Not here: who plans which message.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

from fisio_ayida.messaging.model import CHANNELS, Channel, MessagingError

LONGEST = 256
_START = "%Y-%m-%dt%H:%M"
# Printable ASCII without capitals, which a header can carry; not ending as an item of a batch does.
_GENERATION = re.compile(r":R([0-9]{1,9})$")
_PLAIN_ID = re.compile(r"(?!.*:[0-9.]+$)[!-@\[-~]+")


def birthday(patient: str, year: int, channel: Channel) -> str:
    """One greeting a patient, year and channel."""
    return _key("birthday", patient, str(year), channel)


def expiring(kind: str, id: str, expiry: dt.date, channel: Channel) -> str:
    """One warning for each voucher or package and expiry date."""
    return _key("expiring", kind, id, expiry.isoformat(), channel)


def reminder(appointment: str, start: dt.datetime, rule: str, channel: Channel) -> str:
    """One reminder for each civil start of an appointment: a moved one is announced again."""
    return _key("reminder", appointment, start.strftime(_START), rule, channel)


def reminder_day(patient: str, day: dt.date, rule: str, channel: Channel) -> str:
    """One reminder of all visits of a patient on a day, for each rule of the clinic."""
    return _key("reminder-day", patient, day.isoformat(), rule, channel)


def reminder_today(patient: str, start: dt.datetime, rule: str, channel: Channel) -> str:
    """One reminder, on the day itself, of a patient's visits that follow each other; the first begins then."""
    return _key("reminder-today", patient, start.strftime(_START), rule, channel)


def confirmation(appointment: str, start: dt.datetime, channel: Channel) -> str:
    """One confirmation for each civil start of an appointment."""
    return _key("confirmation", appointment, start.strftime(_START), channel)


def feedback(appointment: str, channel: Channel) -> str:
    """One question for each visit."""
    return _key("feedback", appointment, channel)


def reactivation(patient: str, last_visit: dt.date, channel: Channel) -> str:
    """One invitation for each last visit."""
    return _key("reactivation", patient, last_visit.isoformat(), channel)


def report(kind: str, organization: str, first_day: dt.date, user: str) -> str:
    """One e-mail to each reader of a clinic's day or week."""
    return _key("report", kind, organization, first_day.isoformat(), user, "email")


def integrity(organization: str, day: dt.date, digest: str, user: str) -> str:
    """One alert a day for each result of the integrity checks and each reader; no organisation: the operators."""
    return _key("integrity", organization or "-", day.isoformat(), digest, user, "email")


def unfinished(organization: str, user: str, iso_week: str) -> str:
    """One e-mail a week to each author of unfinished sessions."""
    return _key("unfinished", organization, user, iso_week, "email")


def request(name: str, request_id: str, place: str | None = None) -> str:
    """What an app asks for: its own id, and the item's place in a batch or among recipients.

    An id that is too long for a key, that a header cannot carry, or that reads like an item of another batch is
    replaced by its digest.
    """
    parts = [name, request_id, *([] if place is None else [place])]
    whole = ":".join(parts).lower()
    if len(whole) < LONGEST and _PLAIN_ID.fullmatch(request_id):
        return whole
    # Two ids that differ only in their case are two requests.
    parts[1] = hashlib.sha256(request_id.encode()).hexdigest()
    return _key(*parts)


def answer(reply_id: int) -> str:
    """What we answer to a patient's reply."""
    return _key("reply", str(reply_id), "whatsapp")


def alert(provider: str, account: str, organization: str, opening: int) -> str:
    """One alert for each time that a way out is closed."""
    return _key("circuit", provider, account or "-", organization or "-", str(opening), "email")


def on_other_channel(key: str, channel: Channel) -> str:
    """The same message on another channel: the same stem; a request's key, which names none, is all stem."""
    stem, _, last = key.rpartition(":")
    return _key(stem if last in CHANNELS else key, channel)


def of_another(key: str, patient: str) -> str:
    """The same message to another patient, whose the cause is since the first one had it."""
    stem, _, last = key.rpartition(":")
    return _key(stem, patient, last) if last in CHANNELS else _key(key, patient)


def of_call(key: str, generation: int) -> str:
    """What the provider knows a message by: its key, another one each time that a person has it tried again."""
    # No key has capitals: nobody else's can be the same.
    return f"{key}:R{generation}" if generation else key


def of_message(call_key: str) -> tuple[str, int]:
    """The message's key and the generation, of what :func:`of_call` gave."""
    found = _GENERATION.search(call_key)
    return (call_key[: found.start()], int(found[1])) if found else (call_key, 0)


def _key(*parts: str) -> str:
    whole = ":".join(parts).lower()
    if len(whole) >= LONGEST or not all(parts):
        raise MessagingError(f"key={whole[:80]!r} must have no empty part and fewer than {LONGEST} characters")
    return whole
