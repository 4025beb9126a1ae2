"""What apps ask for directly: the payloads of ``notification/send``, ``email/send``, ``whatsapp/send``, batches.

Here: from a payload to drafts, each with a key made of the event's id; and from the payload again to the letter,
where bodies are not stored. Not here: the payloads' shapes (``events/payloads.py``) and the inbox.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fisio_ayida.messaging import keys
from fisio_ayida.messaging.model import (
    PRIORITIES,
    Attachment,
    Category,
    Cause,
    Channel,
    Content,
    Draft,
    EmailContent,
    MessagingError,
    PushContent,
    WhatsappContent,
)
from fisio_ayida.messaging.templates.registry import TEMPLATES

if TYPE_CHECKING:
    from fisio_ayida.messaging.letters import Letter

#: One push message to devices, and to users, whose devices are known when it is sent.
MULTICAST: Final = "push/send.multicast"
#: The events, and where a batch has its items.
EVENTS: Mapping[str, str | None] = {
    "notification/send": None,
    "notification/send-batch": "notifications",
    "email/send": None,
    "email/send-batch": "emails",
    "whatsapp/send": None,
    "whatsapp/send-batch": "messages",
    MULTICAST: None,
}
_LINE_BREAKS = frozenset("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")


@dataclass(frozen=True, slots=True)
class Asked:
    """One message that an app asks for."""

    channel: Channel
    to: str = field(repr=False)
    template: str | None
    variables: Mapping[str, Any] = field(repr=False)
    content: Content | None


@dataclass(frozen=True, slots=True)
class Asking:
    """An event's items, each one either a draft or the reason why it cannot be one, by their places."""

    drafts: Mapping[str, Draft]
    refused: Mapping[str, str]


def read(event_id: str, name: str, data: Mapping[str, Any]) -> Asking:
    """The messages of an event, in the order of its items. One that cannot be a message stops no other.

    A place is said as in the payload: ``emails[3]``, ``emails[3].to[1]``, empty for an event of one message.
    """
    drafts: dict[str, Draft] = {}
    refused: dict[str, str] = {}
    for place, item in _items(name, data):
        where = _where(name, data, place)
        try:
            drafts[where] = _draft(event_id, name, place, {**data, **item})
        except MessagingError as error:
            refused[where] = str(error)
    return Asking(drafts, refused)


def letter(cause_id: str, words: Mapping[str, Any]) -> Letter:
    """The letter of an event's item again, from the payload that the inbox has."""
    from fisio_ayida.messaging.letters import Letter, plain

    name, data = words["name"], words["data"]
    place = cause_id.rpartition("|")[2]
    for own, item in _items(name, data):
        if place == (own or ""):
            asked = _asked(name, {**data, **item})
            return Letter(asked.to, plain(asked.variables) if asked.template else None, asked.content)
    raise MessagingError(f"event {cause_id!r} has no such item")


def _items(name: str, data: Mapping[str, Any]) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Every message with its place: ``3`` in a batch, ``3.1`` for one of its recipients; None if alone."""
    if name not in EVENTS:
        raise MessagingError(f"event {name!r} asks for no message; those that do: {', '.join(EVENTS)}")
    if name == MULTICAST:
        people = [{"to": to} for to in _tokens(data)] + [{"userId": user} for user in data.get("userIds") or ()]
        yield from ((str(index), person) for index, person in enumerate(people))
        return
    batch = EVENTS[name]
    items = [data] if batch is None else data[batch]
    for index, item in enumerate(items):
        place = None if batch is None else str(index)
        if not isinstance(item.get("to"), list):
            yield place, item
            continue
        for nth, to in enumerate(item["to"]):
            yield ".".join(filter(None, (place, str(nth)))), {**item, "to": to}


def _tokens(data: Mapping[str, Any]) -> Sequence[str]:
    return data.get("tokens") or ()


def _where(name: str, data: Mapping[str, Any], place: str | None) -> str:
    if name == MULTICAST:
        index, devices = int(place or 0), len(_tokens(data))
        return f"tokens[{index}]" if index < devices else f"userIds[{index - devices}]"
    batch = EVENTS[name]
    numbers = [] if place is None else place.split(".")
    names = [*([] if batch is None else [batch]), "to"]
    return ".".join(f"{name}[{number}]" for name, number in zip(names, numbers, strict=False))


def _draft(event_id: str, name: str, place: str | None, item: Mapping[str, Any]) -> Draft:
    asked = _asked(name, item)
    category: Category = item.get("category") or "direct"
    organization = item.get("organizationId") or ""
    if category != "direct" and not organization:
        raise MessagingError(f"category={category!r} needs organizationId: whose rules are to be followed?")
    due_at, not_after = _moment(item, "notBefore"), _moment(item, "notAfter")
    if due_at is not None and not_after is not None and not_after <= due_at:
        raise MessagingError(f"notAfter={item['notAfter']!r} must be after notBefore={item['notBefore']!r}")
    kind = name.partition("/")[0]
    return Draft(
        key=keys.request(kind, event_id, place), job=name, channel=asked.channel, category=category,
        organization_id=organization, patient_id=item.get("patientId"), user_id=item.get("userId"), to=asked.to,
        template=asked.template, variables=asked.variables, content=asked.content,
        cause=Cause("event", f"{event_id}|{place or ''}"),
        priority=PRIORITIES[item.get("priority") or ("normal" if EVENTS[name] else "high")],
        due_at=due_at, not_after=not_after, heeds_quiet=item.get("quietHours"),
    )  # fmt: skip


def _asked(name: str, item: Mapping[str, Any]) -> Asked:
    kind = name.partition("/")[0]
    if kind == "email":
        return _email(item)
    if kind == "whatsapp":
        return _whatsapp(item)
    return _push(item) if name == MULTICAST else _notification(item)


def _email(item: Mapping[str, Any]) -> Asked:
    html, text = item.get("html"), item.get("text")
    if not html and not text:
        raise MessagingError("html and text are both empty")
    content = EmailContent(
        subject=_one_line("subject", item["subject"]), html=html, text=text,
        sender=_optional_line(item, "from"), reply_to=_optional_line(item, "replyTo"),
        attachments=tuple(
            Attachment(_one_line("attachments.filename", a["filename"]), a["content"], a.get("type"))
            for a in item.get("attachments") or ()
        ),
        tags=dict(item.get("tags") or {}),
    )  # fmt: skip
    return Asked("email", item["to"], None, {}, content)


def _whatsapp(item: Mapping[str, Any]) -> Asked:
    kind, message = item.get("type") or "text", item.get("message")
    template = item.get("templateName")
    if kind == "template":
        if not template:
            raise MessagingError("templateName is missing")
        if template in TEMPLATES:
            return Asked("whatsapp", item["to"], template, item.get("templateData") or {}, None)
        content = WhatsappContent(
            text=message, template_name=template, template_variables=_in_order(item.get("templateData") or {})
        )
    elif kind == "media":
        if not item.get("mediaUrl"):
            raise MessagingError("mediaUrl is missing")
        content = WhatsappContent(text=message, media_url=item["mediaUrl"])
    else:
        if not (message or "").strip():
            raise MessagingError("message is empty")
        content = WhatsappContent(text=message)
    return Asked("whatsapp", item["to"], None, {}, content)


def _push(item: Mapping[str, Any]) -> Asked:
    content = PushContent(title=_one_line("title", item["title"]), body=item["body"], data=item.get("data") or {})
    return Asked("push", item.get("to") or "", None, {}, content)


def _notification(item: Mapping[str, Any]) -> Asked:
    channel: Channel = item["type"]
    data = item["data"]
    if template := data.get("template"):
        if template in TEMPLATES:
            return Asked(channel, data["to"], template, data.get("templateData") or {}, None)
        if channel != "whatsapp":
            raise MessagingError(f"data.template={template!r} is not a template; known: {', '.join(TEMPLATES)}")
    body = data.get("body") or ""
    if not body.strip() and not template:
        raise MessagingError("data.body is empty")
    content: Content
    if channel == "email":
        subject = data.get("subject")
        if not subject:
            raise MessagingError("data.subject is missing: an e-mail needs one")
        content = EmailContent(subject=_one_line("data.subject", subject), text=body)
    elif channel == "push":
        content = PushContent(title=_one_line("data.subject", data.get("subject") or "FisioFlow"), body=body)
    else:
        variables = _in_order(data.get("templateData") or {}) if template else ()
        content = WhatsappContent(text=body or None, template_name=template, template_variables=variables)
    return Asked(channel, data["to"], None, {}, content)


def _in_order(variables: Mapping[str, Any]) -> tuple[str, ...]:
    """Meta's variables are numbered; JSON objects have no order."""
    try:
        numbers = sorted(variables, key=int)
    except ValueError:
        raise MessagingError(
            f"templateData={sorted(variables)} must have the numbers of the template's variables as keys: 1, 2, …"
        ) from None
    if [int(number) for number in numbers] != list(range(1, len(numbers) + 1)):
        raise MessagingError(f"templateData={numbers} must count from 1 without a gap")
    return tuple(str(variables[number]) for number in numbers)


def _moment(item: Mapping[str, Any], name: str) -> dt.datetime | None:
    text = item.get(name)
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise MessagingError(f"{name}={text!r} is not an ISO 8601 moment") from None
    if moment.tzinfo is None:
        raise MessagingError(f"{name}={text!r} has no time zone")
    return moment


def _optional_line(item: Mapping[str, Any], name: str) -> str | None:
    return _one_line(name, item[name]) if item.get(name) else None


def _one_line(name: str, text: str) -> str:
    """What becomes a header: a line break in it could smuggle in another."""
    if _LINE_BREAKS & set(text):
        raise MessagingError(f"{name} has a line break in it")
    return text
