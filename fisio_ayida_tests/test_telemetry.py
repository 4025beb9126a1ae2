"""Log lines and metrics: the fields that dashboards read, and what must never be in them."""

from __future__ import annotations

import io
import json
import logging
import socket
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.telemetry import COUNTERS, JsonFormatter, Metrics, bind, configure, get_logger, mask


def line(level: int = logging.INFO, msg: str = "hello", *args: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("fisio_ayida.test", level, "file", 1, msg, args, None)
    vars(record).update(extra)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    parsed = json.loads(text)
    assert isinstance(parsed, dict)
    return parsed


def test_a_line_has_level_time_message_and_context() -> None:
    found = line(jobName="sync", runId="r1", dataset="concesiones", window="2026-11-01", rows=3)
    moment = datetime.fromisoformat(str(found.pop("time")))
    assert moment.tzinfo is not None
    assert moment.utcoffset() == timedelta(0)
    assert found == {
        **{"level": "info", "msg": "hello", "logger": "fisio_ayida.test", "jobName": "sync", "runId": "r1"},
        **{"dataset": "concesiones", "window": "2026-11-01", "rows": 3},
    }


def test_job_and_run_come_from_dagster() -> None:
    found = line(dagster_meta={"job_name": "sync_concesiones", "run_id": "abc", "step_key": None})
    assert (found["jobName"], found["runId"]) == ("sync_concesiones", "abc")
    assert "step" not in found
    assert "dagster_meta" not in found


def test_any_value_can_be_logged() -> None:
    found = line(when=datetime(2026, 1, 1, tzinfo=UTC), took=timedelta(seconds=2), what=object, many={1})
    assert found["when"] == "2026-01-01T00:00:00+00:00"
    assert found["took"] == 2.0
    assert found["many"] == [1]


@pytest.mark.parametrize(
    "name", ["password", "api_key", "apiKey", "Authorization", "RESEND_API_KEY", "token", "phone", "email"]
)
def test_a_value_with_a_secret_name_is_masked(name: str) -> None:
    assert line(**{name: "s3cret"})[name] == "***"
    assert line(config={"deep": [{name: "s3cret"}]})["config"] == {"deep": [{name: "***"}]}


@pytest.mark.parametrize(
    "text",
    [
        "cannot connect to postgresql://user:s3cret@host:5432/db",
        "cannot connect to postgresql://user:s3@cret/s3cret@host:5432/db",
        "header Authorization: Bearer s3cret.s3cret",
        "body {'api_key': 's3cret', 'x': 1}",
        "password=s3cret host=x",
        "sent to s3cret@example.org",
        "JID 5511s3cret@s.whatsapp.net",
    ],
)
def test_secrets_in_a_message_are_masked(text: str) -> None:
    assert "s3cret" not in mask(text)
    assert "***" in mask(text)


@pytest.mark.parametrize("phone", ["+34 612 345 678", "+5511987654321", "(11) 98765-4321", "5511987654321"])
def test_telephones_in_a_message_are_masked(phone: str) -> None:
    assert mask(f"call {phone} now") == "call *** now"


@pytest.mark.parametrize(
    "text",
    [
        "420000 rows of 2026-11-01 in 3.25 s, 636000 in all",
        "convocatoria 812345678 of órgano 2024-01-31",
        "https://www.infosubvenciones.es/bdnstrans/api/concesiones/busqueda?page=3&pageSize=10000",
        "run 0c9c2b0e-5f0b-4b8e-9c61-2f5e6b7a8c9d",
        "1763760000000 ms",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.none()))
def test_no_text_breaks_a_line(text: str, extra: dict[str, object]) -> None:
    assert "msg" in line(logging.INFO, text.replace("%", "%%"), context=extra)


def test_an_exception_is_in_the_line_and_masked() -> None:
    stream = io.StringIO()
    log = configure(stream=stream)
    try:
        raise RuntimeError("no answer from postgresql://u:s3cret@h/d")
    except RuntimeError:
        log.exception("failed")
    found = json.loads(stream.getvalue())
    assert "RuntimeError" in found["error"]
    assert "s3cret" not in stream.getvalue()


def test_a_handler_that_knows_nothing_of_us_sees_only_masked_text() -> None:
    seen: list[logging.LogRecord] = []

    class Foreign(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    log = get_logger("fisio_ayida.foreign")
    assert get_logger("fisio_ayida.foreign").filters == log.filters
    log.addHandler(Foreign())
    log.warning("password=%s of %d%%", "s3cret", 5, extra={"api_key": "s3cret"})
    log.handlers.clear()
    assert seen[0].getMessage() == "password=*** of 5%"
    assert "s3cret" not in str(vars(seen[0]))


def test_bound_context_is_on_every_line_and_adds_up() -> None:
    stream = io.StringIO()
    log = bind(bind(configure(stream=stream), jobName="sync", dataset="a"), dataset="b")
    log.info("one", extra={"rows": 1})
    log.debug("not shown")
    (found,) = map(json.loads, stream.getvalue().splitlines())
    assert (found["jobName"], found["dataset"], found["rows"]) == ("sync", "b", 1)


def test_the_console_shows_one_readable_line() -> None:
    stream = io.StringIO()
    configure(style="console", stream=stream).info("done", extra={"rows": 1, "token": "s3cret"})
    assert stream.getvalue().rstrip().endswith("INFO    done rows=1 token=***")


def test_metrics_leave_as_statsd_packets() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        metrics = Metrics("127.0.0.1", server.getsockname()[1], "ayida.")
        metrics.incr("etl.items.fetched", 10_000)
        metrics.duration("etl.pages.duration", timedelta(milliseconds=250))
        packets = [server.recv(1024).decode() for _ in range(2)]
        metrics.close()
    assert packets == ["ayida.etl.items.fetched:10000|c", "ayida.etl.pages.duration:250.000000|ms"]


def test_without_a_host_metrics_do_nothing_but_know_their_names() -> None:
    metrics = Metrics()
    for name in COUNTERS:
        metrics.incr(name)
    with pytest.raises(ValueError, match="not a counter"):
        metrics.incr("etl.jobs.finished")
    with pytest.raises(ValueError, match="not a duration"):
        metrics.duration("etl.items.fetched", timedelta(0))
    metrics.close()
