"""The registry: one row an event, with its payload, its work and the rules that it obeys.

Names are those of Ayida's and FisioFlow's code. From these rows follow the gateway's routes, what the sensor
starts, the docs and the tests. Not here: handlers, which ``defs/events/handlers.py`` binds to names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from fisio_ayida.events import payloads as p

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed event is tried again, and after how long: doubling from ``first`` to ``longest``."""

    name: str
    most: int
    first: dt.timedelta
    longest: dt.timedelta

    def pause(self, attempt: int, jitter: float) -> dt.timedelta:
        """The wait after try number ``attempt`` (1 is the first); ``jitter`` in [0, 1) adds up to a quarter."""
        doubled = self.first * float(2 ** min(attempt - 1, 30))
        return min(doubled, self.longest) * (1 + jitter / 4)


# CONTRACT clinic §3.1; the numbers count tries after the first one. Those of its channels are the outbox's own.
API = RetryPolicy("api", 3, dt.timedelta(seconds=1), dt.timedelta(seconds=30))
DATABASE = RetryPolicy("database", 5, dt.timedelta(seconds=0.5), dt.timedelta(seconds=10))
RETRY_POLICIES = {policy.name: policy for policy in (API, DATABASE)}


@dataclass(frozen=True, slots=True)
class Batch:
    """Many events are handled one by one in a run of ``job``; its ``op`` takes the claim's id as config."""

    job: str
    op: str


@dataclass(frozen=True, slots=True)
class Option:
    """A field of the payload that is an option of the run; ``read`` makes equal what asks for the same."""

    field: str
    option: str
    read: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Launch:
    """The event stands for a run of ``job``, whose outcome is the event's.

    Events that ask for the same are served by one run. ``op`` is what takes the options, if there are any.
    """

    job: str
    op: str | None = None
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Of the events with equal ``key`` within ``period``, only the first one is work."""

    key: str
    period: dt.timedelta


@dataclass(frozen=True, slots=True)
class Debounce:
    """Of the events with equal ``key``, only the last is work: once it was quiet so long, or after ``longest``."""

    key: str
    quiet: dt.timedelta
    longest: dt.timedelta


@dataclass(frozen=True, slots=True)
class CancelOn:
    """A waiting event is skipped when one named ``event`` arrives whose ``theirs`` equals its own ``own``."""

    event: str
    own: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of event.

    Keys are dotted paths into ``data``. ``work`` is None for what waits in the inbox until its handler exists.
    ``batch`` events at most are claimed for one run, ``concurrency`` of them are under way at once where the work
    is outside our database. A higher ``priority`` goes first; ``priority_field`` adds the payload's own.
    """

    name: str
    payload: type[p.Payload]
    description: str
    work: Batch | Launch | None = None
    aliases: tuple[str, ...] = ()
    route: str | None = None
    retry: RetryPolicy = API
    batch: int = 1000
    concurrency: int = 1
    priority: int = 0
    priority_field: str | None = None
    delay: dt.timedelta = dt.timedelta(0)
    idempotency: Idempotency | None = None
    debounce: Debounce | None = None
    cancel_on: tuple[CancelOn, ...] = ()

    def __post_init__(self) -> None:
        if len({rule.own for rule in self.cancel_on}) > 1:
            raise ValueError(f"{self.name}: all cancel-on rules must compare the same field of their own")
        if self.batch < 1 or self.concurrency < 1:
            raise ValueError(f"{self.name}: batch and concurrency must be 1 or more")


#: What FisioFlow writes in ``priority``, as numbers that are compared.
PRIORITIES = {"critical": 30, "high": 20, "normal": 10, "low": 0}
#: Where an event says to which clinic it belongs.
ORGANIZATION_FIELDS = ("organizationId", "organization_id", "record.organization_id")

PROCESS = Batch("process_events", "events__inbox")
SYNC_CALLS = Batch("sync_convocatoria_individual", "sync_call")
STORE_DOCUMENTS = Batch("store_documents", "bdns__documentos")


_DAYS = (Option("dateFrom", "date_from"), Option("dateTo", "date_to"))
_SCHEDULED = Option("scheduledDate", "day", p.civil_day)
_CLEANUP = Launch("daily_cleanup", "clinic__cleanup", (_SCHEDULED, Option("cleanupType", "cleanup_type")))


def _clinic(job: str, asset: str | None = None) -> Launch:
    """A run of one of FisioFlow's jobs; its asset has the job's name unless it is given."""
    return Launch(job, f"clinic__{asset or job}", (_SCHEDULED,))


def _sync(dataset: str, job: str, op: str | None, what: str) -> Event:
    name = f"{dataset}/sync.requested"
    return Event(
        name,
        p.Sync if op is None else p.SyncDays,
        f"Bring {what} up to date.",
        work=Launch(job) if op is None else Launch(job, op, _DAYS),
        aliases=(f"app/{dataset}.sync.requested",),
        route=f"sync-{dataset}",
        priority=1,
    )


def _cron(
    name: str, work: Launch, what: str, payload: type[p.Payload] = p.Cron, retry: RetryPolicy = API
) -> Event:
    """FisioFlow's own cron: a run of the job, for the day that the cron was scheduled for if it says so."""
    return Event(name, payload, what, work=work, retry=retry, priority=1)


def _asked(
    name: str, payload: type[p.Payload], what: str, *, batch: int = 1000, priority_field: str | None = None
) -> Event:
    """Handling it plans the message; sending is the outbox's, with its own retries."""
    priority = 10 if batch == 1000 else 0
    return Event(
        name, payload, what, work=PROCESS, retry=DATABASE, batch=batch, priority=priority,
        priority_field=priority_field,
    )  # fmt: skip


def _template(channel: str, kind: str) -> Event:
    what = f"The {kind.replace('.', ' ')} message by {channel}."
    return Event(f"{channel}/{kind}", p.ReadyMade, what, work=PROCESS, retry=DATABASE, batch=100)


def _declared(name: str, description: str) -> Event:
    return Event(name, p.Clinic, description)


_APPOINTMENT_CANCELLED = CancelOn("appointment/cancelled", own="appointmentId", theirs="appointmentId")

ROWS: tuple[Event, ...] = (
    # Ayida
    _sync("convocatorias", "sync_convocatorias", "bdns__convocatorias", "the calls"),
    _sync("concesiones", "sync_concesiones", "bdns__concesiones", "the grants"),
    _sync("ayudas-estado", "sync_ayudas_estado", "bdns__ayudas_estado", "State aid"),
    _sync("minimis", "sync_minimis", "bdns__minimis", "de minimis aid"),
    _sync("catalogos-basicos", "sync_catalogos_basicos", None, "the basic catalogues"),
    _sync("grandes-beneficiarios", "sync_grandes_beneficiarios", None, "the large beneficiaries"),
    _sync("organos", "sync_organos", None, "the bodies"),
    _sync("partidos-politicos", "sync_partidos_politicos", None, "grants to political parties"),
    _sync("planes-estrategicos", "sync_planes_estrategicos", None, "the strategic plans"),
    _sync("regiones", "sync_regiones", None, "the regions"),
    _sync("sanciones", "sync_sanciones", None, "the penalties"),
    Event(
        "convocatorias/detail.requested",
        p.Detail,
        "Read one call again, whatever its day.",
        work=SYNC_CALLS,
        aliases=("app/convocatorias.detail.requested",),
        route="sync-convocatoria-individual",
        batch=500,
        # The source allows one call in flight; the others decode and store meanwhile.
        concurrency=4,
        priority=2,
    ),
    Event(
        "documents/storage.requested",
        p.Document,
        "Store one document of a call.",
        work=STORE_DOCUMENTS,
        aliases=("app/documents.storage.requested",),
        batch=200,
    ),
    # FisioFlow: crons
    _cron("cron/daily.cleanup", _CLEANUP, "The daily clean-up.", p.Cleanup, DATABASE),
    _cron("cron/daily.reports", _clinic("daily_reports"), "The daily reports of the clinics."),
    _cron("cron/daily.birthdays", _clinic("birthday_messages"), "Birthday messages."),
    _cron("cron/weekly.summary", _clinic("weekly_summary", "weekly_summaries"), "The weekly summaries."),
    _cron("cron/daily.expiring-vouchers", _clinic("expiring_vouchers"), "Reminders of vouchers that expire."),
    _cron("cron/data-integrity", _clinic("data_integrity", "integrity"), "The integrity checks.", retry=DATABASE),
    # FisioFlow: messages that an app asks for
    _asked("notification/send", p.Notification, "One notification.", priority_field="priority"),
    _asked("notification/send-batch", p.NotificationBatch, "Many notifications.", batch=20),
    _asked("email/send", p.Email, "One e-mail."),
    _asked("email/send-batch", p.EmailBatch, "Many e-mails.", batch=20),
    _asked("whatsapp/send", p.Whatsapp, "One WhatsApp message."),
    _asked("whatsapp/send-batch", p.WhatsappBatch, "Many WhatsApp messages.", batch=20),
    _template("email", "appointment.confirmation"),
    _template("email", "appointment.reminder"),
    _template("email", "birthday.greeting"),
    _template("email", "reactivation"),
    Event(
        "email/daily.report",
        p.Report,
        "The daily report of one clinic, to those of its staff who asked for it.",
        work=PROCESS,
        retry=DATABASE,
        batch=20,
    ),
    _template("whatsapp", "appointment.confirmation"),
    _template("whatsapp", "appointment.reminder"),
    _template("whatsapp", "birthday.greeting"),
    _template("whatsapp", "reactivation"),
    _asked("push/send.multicast", p.Multicast, "One push message to many devices or users.", batch=20),
    # FisioFlow: AI
    Event(
        "ai/patient.insights",
        p.Insights,
        "Insights about one patient, by the next run of `patient_insights`.",
        work=PROCESS,
        retry=DATABASE,
        batch=100,
    ),
    Event(
        "ai/batch.insights",
        p.InsightsBatch,
        "The same about several patients; the result lists who is none of the clinic's.",
        work=PROCESS,
        retry=DATABASE,
        batch=20,
    ),
    Event("ai/generate.report", p.Clinic, "A written report."),
    Event("ai/exercise.suggestions", p.Clinic, "Suggestions of exercises."),
    # FisioFlow: what happened
    Event(
        "appointment/created",
        p.Appointment,
        "An appointment was made; the confirmation waits a minute for second thoughts (CONTRACT clinic §3.3).",
        work=PROCESS,
        retry=DATABASE,
        batch=100,
        delay=MINUTE,
        idempotency=Idempotency("appointmentId", DAY),
        cancel_on=(_APPOINTMENT_CANCELLED,),
    ),
    Event(
        "appointment/updated",
        p.RecordChange,
        "An appointment's row changed: one that is done now is asked about, one that was moved is announced.",
        work=PROCESS,
        retry=DATABASE,
        batch=100,
    ),
    Event(
        "appointment/cancelled",
        p.Appointment,
        "An appointment was cancelled; the result names the messages that it stops.",
        work=PROCESS,
        retry=DATABASE,
        batch=100,
        priority=5,
    ),
    Event(
        "appointment/reminder",
        p.Reminder,
        "One appointment's reminder by hand; without an appointment, the reminders that are due.",
        work=PROCESS,
        retry=DATABASE,
        batch=20,
        cancel_on=(_APPOINTMENT_CANCELLED,),
    ),
    _declared("payment/success", "A payment arrived."),
    _declared("payment/failed", "A payment failed."),
    _declared("payment/refunded", "A payment was given back."),
    Event(
        "patient/created",
        p.Clinic,
        "A patient was added.",
        idempotency=Idempotency("patientId", DAY),
    ),
    _declared("patient/updated", "A patient's record changed."),
    _declared("session/created", "A session was opened."),
    Event(
        "session/completed",
        p.Completed,
        "A session was completed; insights follow once the patient's record is quiet.",
        work=PROCESS,
        retry=DATABASE,
        batch=100,
        debounce=Debounce("patientId", quiet=5 * MINUTE, longest=30 * MINUTE),
    ),
    # Ours
    Event(
        "fisio_ayida/canary",
        p.Canary,
        "A test of the whole way from the door to the effect; it leaves an echo and nothing else.",
        work=PROCESS,
        retry=DATABASE,
        batch=5000,
    ),
)

EVENTS: dict[str, Event] = {row.name: row for row in ROWS}
_NAMES: dict[str, Event] = {name: row for row in ROWS for name in (row.name, *row.aliases)}


class UnknownEvent(ValueError):
    """No row of the registry has this name."""


def find(name: str) -> Event | None:
    """The event of this name or alias; None if there is none."""
    return _NAMES.get(name)


def event(name: str) -> Event:
    """The event of this name or alias; raises :class:`UnknownEvent` with the names there are."""
    if (found := find(name)) is None:
        raise UnknownEvent(f"name={name!r} is not an event; known: {', '.join(EVENTS)}")
    return found


def names_with_work() -> list[str]:
    """The events that are handled; the others wait until a release brings their handler."""
    return [row.name for row in ROWS if row.work is not None]


def routes() -> dict[str, Event]:
    """The batch routes: ``sync-convocatorias`` and so on, with the event that each one sends."""
    return {row.route: row for row in ROWS if row.route}


def cancelled_by(name: str) -> list[tuple[Event, CancelOn]]:
    """The events that are cancelled when one of this (canonical) name arrives, with the rule."""
    return [(row, rule) for row in ROWS for rule in row.cancel_on if rule.event == name]


def jobs_of_batches() -> dict[Batch, tuple[Event, ...]]:
    """The events of each kind of batch run."""
    works = dict.fromkeys(row.work for row in ROWS if isinstance(row.work, Batch))
    return {work: tuple(row for row in ROWS if row.work == work) for work in works}
