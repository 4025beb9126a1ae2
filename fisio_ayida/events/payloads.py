"""The shape of each event's ``data``: what must be there and of what type.

Here: fields that the apps send (CONTRACT clinic §3.1, the two seed documents) and that something reads. What an
app sends beyond that is kept as it came. Not here: which event has which shape (``registry.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

Id = Annotated[str, Field(min_length=1, max_length=200)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Channel = Literal["email", "whatsapp", "push"]
Priority = Literal["critical", "high", "normal", "low"]
_SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def civil_day(text: str) -> str:
    """The day, YYYY-MM-DD, that a day or a moment of ISO 8601 is where FisioFlow's crons are at home.

    Raises:
        ValueError: it is neither.
    """
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        moment = dt.datetime.fromisoformat(text)
    try:
        return (moment.astimezone(_SAO_PAULO) if moment.tzinfo else moment).date().isoformat()
    except OverflowError:
        raise ValueError(f"{text!r} is at the end of the calendar") from None


class Payload(BaseModel):
    """Any object: unknown fields stay; what is declared must have its type, without conversion."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class Traced(Payload):
    """What Ayida puts into each of its events, to follow a request through the logs."""

    runId: str | None = None
    timestamp: str | None = None


class Sync(Traced):
    """Bring a dataset that is loaded whole up to date."""


class SyncDays(Traced):
    """Bring a dataset up to date; with days, those registration days (Europe/Madrid, both included)."""

    dateFrom: Day | None = None
    dateTo: Day | None = None

    @model_validator(mode="after")
    def _days_exist(self) -> SyncDays:
        days = {name: getattr(self, name) for name in ("dateFrom", "dateTo") if getattr(self, name)}
        for name, day in days.items():
            try:
                dt.date.fromisoformat(day)
            except ValueError:
                raise ValueError(f"{name}={day!r} is not a day of the calendar") from None
        if len(days) == 2 and days["dateFrom"] > days["dateTo"]:
            raise ValueError(f"dateFrom={days['dateFrom']!r} is after dateTo={days['dateTo']!r}")
        return self


class Detail(Traced):
    """Read one call again."""

    bdns: Annotated[str, Field(pattern=r"^[0-9]{1,16}$")]


class Document(Detail):
    """Store one document of a call."""

    documentId: Id


class Cron(Payload):
    """A cron of FisioFlow; the day it stands for, if it is not today: a day, or a moment of it."""

    timestamp: str | None = None
    scheduledDate: str | None = None

    @model_validator(mode="after")
    def _day_exists(self) -> Cron:
        if self.scheduledDate is not None:
            try:
                civil_day(self.scheduledDate)
            except ValueError:
                said = f"scheduledDate={self.scheduledDate!r}"
                raise ValueError(f"{said} is neither a day of the calendar nor a moment of ISO 8601") from None
        return self


class Cleanup(Cron):
    """Which part of the clean-up."""

    cleanupType: Literal["all", "notifications", "sessions", "tokens"] | None = None


class Clinic(Payload):
    """Something that happened in a clinic; the ids are there as far as the app knows them."""

    organizationId: Id | None = None
    patientId: Id | None = None


class Completed(Clinic):
    """A session was completed: the patient says whose it was, or the session."""

    sessionId: Id | None = None


class Appointment(Payload):
    """An appointment was made or cancelled, or its reminder is wanted."""

    appointmentId: Id
    patientId: Id | None = None
    organizationId: Id | None = None


class Reminder(Clinic):
    """The reminder of one appointment; without it, the reminders of all."""

    appointmentId: Id | None = None


class ReadyMade(Clinic):
    """A message in our words about an appointment, or to a patient: one of the ids says which."""

    appointmentId: Id | None = None


class Report(Payload):
    """The numbers of one clinic's civil day; without it, yesterday's."""

    organizationId: Id
    date: Day | None = None


class RecordChange(Payload):
    """A row before and after its change."""

    record: dict[str, Any]
    old_record: dict[str, Any] | None = None


class Asked(Payload):
    """A message that an app asks for; what it names binds it, and nothing else does.

    With a category, that category's rules count: who has opted out of it gets nothing. Moments are ISO 8601 with
    a zone.
    """

    organizationId: Id | None = None
    patientId: Id | None = None
    category: Literal["transactional", "care", "marketing"] | None = None
    quietHours: bool | None = None
    notBefore: str | None = None
    notAfter: str | None = None


class NotificationContent(Payload):
    """What to say and where."""

    to: Id
    body: str
    subject: str | None = None
    template: str | None = None
    templateData: dict[str, Any] | None = None


class NotificationItem(Asked):
    """One notification of a batch."""

    userId: Id
    type: Channel
    priority: Priority = "normal"
    data: NotificationContent


class Notification(NotificationItem):
    """One notification."""

    organizationId: Id


class NotificationBatch(Payload):
    """Many notifications of one clinic."""

    organizationId: Id
    notifications: Annotated[list[NotificationItem], Field(min_length=1)]


class Attachment(Payload):
    """A file with an e-mail; the content as base64."""

    filename: str
    content: str
    type: str | None = None


class Email(Asked):
    """One e-mail, as an app asks for it."""

    to: Id | Annotated[list[Id], Field(min_length=1)]
    subject: str
    html: str | None = None
    text: str | None = None
    replyTo: str | None = None
    attachments: list[Attachment] | None = None
    tags: dict[str, str] | None = None


class EmailBatch(Payload):
    """Many e-mails."""

    emails: Annotated[list[Email], Field(min_length=1)]


class Whatsapp(Asked):
    """One WhatsApp message, as an app asks for it."""

    to: Id
    message: str | None = None
    type: Literal["text", "template", "media"] = "text"
    mediaUrl: str | None = None
    templateName: str | None = None
    templateData: dict[str, Any] | None = None


class WhatsappBatch(Payload):
    """Many WhatsApp messages."""

    messages: Annotated[list[Whatsapp], Field(min_length=1)]


class Multicast(Asked):
    """One push message to devices, or to users whose devices we know."""

    title: Annotated[str, Field(min_length=1)]
    body: Annotated[str, Field(min_length=1)]
    tokens: list[Id] | None = None
    userIds: list[Id] | None = None

    @model_validator(mode="after")
    def _has_recipients(self) -> Multicast:
        if not self.tokens and not self.userIds:
            raise ValueError("tokens and userIds are both empty: nobody would get it")
        return self


class Insights(Payload):
    """Insights about one patient."""

    patientId: Id
    organizationId: Id


class InsightsBatch(Payload):
    """Insights about several patients of one clinic."""

    organizationId: Id
    patientIds: Annotated[list[Id], Field(min_length=1)]


class Canary(Payload):
    """A test of the whole way, sent by an operator."""

    note: str | None = None
