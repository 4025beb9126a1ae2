"""What the project says about itself while it runs: JSON log lines and StatsD counters.

Here: the line's format, the masking of secrets and personal contacts, the metrics that dashboards know.
Not here: what is worth saying (the domain) and where the settings come from (settings.py).
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Final, Protocol

#: What is handed to who has something to say: a module's logger, or one bound to a run.
Log = logging.Logger | logging.LoggerAdapter[Any]

LOGGER_NAME = "fisio_ayida"
MASK = "***"

COUNTERS: Final = frozenset(
    {
        *(f"etl.jobs.{what}" for what in ("started", "completed", "failed")),
        *(f"etl.pages.{what}" for what in ("fetched", "failed")),
        *(f"etl.items.{what}" for what in ("fetched", "processed", "skipped", "errors")),
    }
)
DURATIONS: Final = frozenset({"etl.jobs.duration", "etl.pages.duration"})

# Names that never carry anything to be shown, whatever their spelling (apiKey, api_key, API-KEY).
_SECRET_NAME = re.compile(
    r"passw(or)?d|secret|token|authorization|api[_-]?key|credential|cookie|signature|"
    r"phone|telefono|teléfono|telefone|celular|whatsapp|e[_-]?mail|correo",
    re.IGNORECASE,
)
_SECRETS_IN_TEXT = (
    # user:password@ of a URL; greedy up to the last @, because passwords contain them too.
    (re.compile(r"(\b[a-z][a-z0-9+.\-]*://[^\s:/@?#]*:)\S*@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=\-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    (
        re.compile(
            r"""((?:passw(?:or)?d|secret|token|authorization|api[_-]?key)["']?\s*[=:]\s*["']?)"""
            r"""(?!bearer\b|basic\b)[^\s"',;&}]+""",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"[\w.+\-]{1,128}@[\w\-]+(?:\.[\w\-]+)+"), MASK),
    # Telephones as people and gateways write them. A bare run of nine digits stays: the source's codes look so.
    (re.compile(r"(?<![\w.])\+\d(?:[\s().\-]{0,2}\d){7,14}(?!\w)"), MASK),
    (re.compile(r"(?<!\w)\(\d{2}\)\s?9?\d{4}[\s\-]?\d{4}(?!\w)"), MASK),
    (re.compile(r"(?<![\w.\-])[6789]\d{2}([\s\-])\d{3}\1\d{3}(?![\w\-])"), MASK),
    (re.compile(r"(?<![\w.\-])55\d{2}9?\d{8}(?![\w.\-])"), MASK),
)
# What logging puts on every record, and what is written under another name.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "dagster_meta"}


def mask(text: str) -> str:
    """The text without passwords, tokens, e-mail addresses and telephone numbers."""
    for pattern, replacement in _SECRETS_IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def excerpt(text: str, longest: int = 2000) -> str:
    """The beginning of a text, masked: fit to be kept as a reason."""
    # Cut first: looking for what is to be masked takes long in what is long.
    return mask(text[: 2 * longest])[:longest]


def mask_value(name: str, value: Any) -> Any:
    """A named value, made fit for a log line: nested mappings and lists too; unknown types as masked text."""
    if _SECRET_NAME.search(name) and value is not None:
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): mask_value(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_value(name, each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return mask(str(value))


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """A record's own fields, masked: those bound with `bind` or `extra`, with Dagster's job and run."""
    found: dict[str, Any] = {}
    meta = getattr(record, "dagster_meta", None)
    if isinstance(meta, Mapping):
        names = {"jobName": "job_name", "runId": "run_id", "step": "step_key"}
        found = {name: meta[key] for name, key in names.items() if meta.get(key)}
    own = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return {name: mask_value(name, value) for name, value in (found | own).items() if not name.startswith("_")}


class MaskingFilter(logging.Filter):
    """Masks a record before any handler sees it: Dagster's console and event log do not use our formatters."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite message and extra fields in place; every record passes."""
        record.msg, record.args = mask(record.getMessage()), None
        for name, value in list(vars(record).items()):
            if name not in _STANDARD and not name.startswith("_"):
                setattr(record, name, mask_value(name, value))
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: level, time (ISO, UTC), msg, logger, then jobName, runId, dataset, window …

    Usable in dagster.yaml: Dagster's own records and those of managed loggers carry job and run by themselves.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; what it cannot show it masks, and it never fails for a value's type."""
        line: dict[str, Any] = {
            "level": record.levelname.lower(),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "msg": mask(_message(record)),
            "logger": record.name,
        }
        line.update({name: value for name, value in fields(record).items() if name not in line})
        if record.exc_info:
            line["error"] = mask(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=lambda value: mask(str(value)))


class ConsoleFormatter(logging.Formatter):
    """The same for people: time, level, message, name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, and the traceback below it if there is one."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        extra = "".join(f" {name}={value}" for name, value in fields(record).items())
        text = f"{moment} {record.levelname:<7} {mask(record.getMessage())}{extra}"
        return text + ("\n" + mask(self.formatException(record.exc_info)) if record.exc_info else "")


def _message(record: logging.LogRecord) -> str:
    """The text itself: Dagster puts job, run and step in front of it, which are fields here."""
    meta = getattr(record, "dagster_meta", None)
    original = meta.get("orig_message") if isinstance(meta, Mapping) else None
    return original if isinstance(original, str) else record.getMessage()


class BoundLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger that adds its context to every line; a line's own `extra` wins over it."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Merge the bound context with the call's own fields."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def get_logger(name: str = LOGGER_NAME) -> logging.Logger:
    """The logger of a module (pass `__name__`), masking at the source whatever handlers Dagster adds."""
    logger = logging.getLogger(name)
    if not any(isinstance(each, MaskingFilter) for each in logger.filters):
        logger.addFilter(MaskingFilter())
    return logger


def bind(logger: logging.Logger | BoundLogger, **context: Any) -> BoundLogger:
    """A logger with fields for every line, for example `bind(log, jobName=…, runId=…, dataset=…, window=…)`.

    Binding a bound logger adds to what it has.
    """
    if isinstance(logger, BoundLogger):
        return BoundLogger(logger.logger, {**(logger.extra or {}), **context})
    return BoundLogger(logger, context)


def configure(*, level: str = "INFO", style: str = "json", stream: IO[str] | None = None) -> logging.Logger:
    """Send the project's log lines to a stream, once: for the command line, not under Dagster.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        style: "json" or "console".
        stream: standard error when left out, so that standard output stays for results.
    """
    logger = get_logger()
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else ConsoleFormatter())
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
    return logger


class _Client(Protocol):
    def incr(self, stat: str, count: int = 1) -> None: ...
    def timing(self, stat: str, delta: float) -> None: ...
    def close(self) -> None: ...


class Metrics:
    """The StatsD counters and durations of COUNTERS and DURATIONS; without a host it does nothing.

    Args:
        host: where to send UDP packets; None sends none. A host that does not answer costs nothing.
        port: StatsD's port.
        prefix: put before every name, with a dot.
    """

    def __init__(self, host: str | None = None, port: int = 8125, prefix: str = "") -> None:
        self._client: _Client | None = None
        if host:
            import statsd  # only those who measure need it

            self._client = statsd.StatsClient(host, port, prefix=prefix.rstrip(".") or None)

    def incr(self, name: str, count: int = 1) -> None:
        """Add to a counter. Raises ValueError for a name that no dashboard knows."""
        if name not in COUNTERS:
            raise ValueError(f"{name!r} is not a counter; known: {', '.join(sorted(COUNTERS))}")
        if self._client is not None and count:
            self._client.incr(name, count)

    def duration(self, name: str, length: timedelta) -> None:
        """Record a duration. Raises ValueError for a name that no dashboard knows."""
        if name not in DURATIONS:
            raise ValueError(f"{name!r} is not a duration; known: {', '.join(sorted(DURATIONS))}")
        if self._client is not None:
            self._client.timing(name, length.total_seconds() * 1000)

    def close(self) -> None:
        """Close the socket. Safe to call twice."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
