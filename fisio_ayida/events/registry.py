"""The registry: one row an event, with its payload, its work and the rules that it obeys.

Names are those of Ayida's and FisioFlow's code. From these rows follow the gateway's routes, what the sensor
starts, the docs and the tests. Not here: handlers, which ``defs/events/handlers.py`` binds to names.
"""

from __future__ import annotations

import datetime as dt
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


# CONTRACT clinic §3.1; the numbers count tries after the first one.
API = RetryPolicy("api", 3, dt.timedelta(seconds=1), dt.timedelta(seconds=30))
DATABASE = RetryPolicy("database", 5, dt.timedelta(seconds=0.5), dt.timedelta(seconds=10))
WHATSAPP = RetryPolicy("whatsapp", 3, dt.timedelta(seconds=2), dt.timedelta(seconds=60))
EMAIL = RetryPolicy("email", 3, dt.timedelta(seconds=2), dt.timedelta(seconds=60))
RETRY_POLICIES = {policy.name: policy for policy in (API, DATABASE, WHATSAPP, EMAIL)}


@dataclass(frozen=True, slots=True)
class Batch:
    """Many events are handled one by one in a run of ``job``; its ``op`` takes the claim's id as config."""

    job: str
    op: str


@dataclass(frozen=True, slots=True)
class Launch:
    """The event stands for a run of ``job``, whose outcome is the event's.

    Events that ask for the same are served by one run. ``op`` is what takes the days of the payload, if any.
    """

    job: str
    op: str | None = None


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


def _sync(dataset: str, job: str, op: str | None, what: str) -> Event:
    name = f"{dataset}/sync.requested"
    return Event(
        name,
        p.Sync if op is None else p.SyncDays,
        f"Bring {what} up to date.",
        work=Launch(job, op),
        aliases=(f"app/{dataset}.sync.requested",),
        route=f"sync-{dataset}",
        priority=1,
    )


def _asked(
    name: str, payload: type[p.Payload], what: str, *, batch: int = 1000, priority_field: str | None = None
) -> Event:
    """Handling it plans the message; sending is the outbox's, with its own retries."""
    priority = 10 if batch == 1000 else 0
    return Event(
        name, payload, what, work=PROCESS, retry=DATABASE, batch=batch, priority=priority,
        priority_field=priority_field,
    )  # fmt: skip


def _template(channel: str, kind: str, policy: RetryPolicy) -> Event:
    return Event(
        f"{channel}/{kind}", p.Payload, f"The {kind.replace('.', ' ')} message by {channel}.", retry=policy
    )


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
    Event("cron/daily.cleanup", p.Cleanup, "The daily clean-up.", retry=DATABASE),
    Event("cron/daily.reports", p.Cron, "The daily reports of the clinics."),
    Event("cron/daily.birthdays", p.Cron, "Birthday messages."),
    Event("cron/weekly.summary", p.Cron, "The weekly summaries."),
    Event("cron/daily.expiring-vouchers", p.Cron, "Reminders of vouchers that expire."),
    Event("cron/data-integrity", p.Cron, "The integrity checks.", retry=DATABASE),
    # FisioFlow: messages that an app asks for
    _asked("notification/send", p.Notification, "One notification.", priority_field="priority"),
    _asked("notification/send-batch", p.NotificationBatch, "Many notifications.", batch=20),
    _asked("email/send", p.Email, "One e-mail."),
    _asked("email/send-batch", p.EmailBatch, "Many e-mails.", batch=20),
    _asked("whatsapp/send", p.Whatsapp, "One WhatsApp message."),
    _asked("whatsapp/send-batch", p.WhatsappBatch, "Many WhatsApp messages.", batch=20),
    _template("email", "appointment.confirmation", EMAIL),
    _template("email", "appointment.reminder", EMAIL),
    _template("email", "birthday.greeting", EMAIL),
    _template("email", "reactivation", EMAIL),
    _template("email", "daily.report", EMAIL),
    _template("whatsapp", "appointment.confirmation", WHATSAPP),
    _template("whatsapp", "appointment.reminder", WHATSAPP),
    _template("whatsapp", "birthday.greeting", WHATSAPP),
    _template("whatsapp", "reactivation", WHATSAPP),
    Event("push/send.multicast", p.Payload, "One push message to many devices."),
    # FisioFlow: AI
    Event("ai/patient.insights", p.Insights, "Insights about one patient."),
    Event("ai/batch.insights", p.InsightsBatch, "Insights about several patients.", batch=20),
    Event("ai/generate.report", p.Clinic, "A written report."),
    Event("ai/exercise.suggestions", p.Clinic, "Suggestions of exercises."),
    # FisioFlow: what happened
    Event(
        "appointment/created",
        p.Appointment,
        "An appointment was made; the confirmation waits a minute for second thoughts (CONTRACT clinic §3.3).",
        delay=MINUTE,
        idempotency=Idempotency("appointmentId", DAY),
        cancel_on=(_APPOINTMENT_CANCELLED,),
    ),
    Event("appointment/updated", p.RecordChange, "An appointment's row changed."),
    Event("appointment/cancelled", p.Appointment, "An appointment was cancelled.", priority=5),
    Event(
        "appointment/reminder",
        p.Payload,
        "The appointment reminders, asked for by hand.",
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
        p.Clinic,
        "A session was completed; insights follow once the patient's record is quiet.",
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
