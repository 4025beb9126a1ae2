"""The client: what is tried again and how often, what is not, and what the source sees of us."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from fisio_ayida.bdns.client import Retries
from fisio_ayida.bdns.errors import (
    ApiOverloaded,
    ApiUnreachable,
    PathUnknown,
    RateLimited,
    RequestFailed,
    RequestRefused,
    UnusableBody,
)
from fisio_ayida.bdns.sweep import fetch_detail
from fisio_ayida_tests.bdns.conftest import MONDAY, Lab

FILTERS = {"fechaDesde": "07/09/2026", "fechaHasta": "07/09/2026", "pageSize": "3"}
ALLOWED = ("fechaDesde", "fechaHasta", "pageSize", "page", "order", "vpd")


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    """One database and simulator for the file: its tests look at requests."""
    return shared_lab


def get(
    lab: Lab, path: str = "/convocatorias/busqueda", parameters: dict[str, str] | None = None, **options: Any
) -> Any:
    """One GET through the client; the answer decoded, with what the client counted."""

    async def run() -> Any:
        async with lab.context(**options.pop("settings", {})) as context:
            try:
                return await context.client.get(
                    path,
                    FILTERS if parameters is None else parameters,
                    allowed=options.get("allowed", ALLOWED),
                    decode=lambda body, _: msgspec.json.decode(body) if body else None,
                    timeout=options.get("timeout", 5.0),
                )
            finally:
                get.traffic = context.client.traffic  # type: ignore[attr-defined]

    return asyncio.run(run())


def traffic() -> tuple[int, int]:
    """Requests and retries of the last GET."""
    counted = get.traffic  # type: ignore[attr-defined]
    return counted.requests, counted.retries


TRANSIENT = [
    ("status", {"status": 429}, RateLimited), ("status", {"status": 429, "retry_after": 0}, RateLimited),
    ("status", {"status": 503}, ApiOverloaded), ("status", {"status": 500}, ApiOverloaded),
    ("status", {"status": 502}, ApiOverloaded), ("status", {"status": 504}, ApiOverloaded),
    ("maintenance", {}, ApiOverloaded), ("html", {}, UnusableBody), ("cut", {}, ApiUnreachable),
    ("cut_json", {}, UnusableBody), ("hang", {}, ApiUnreachable),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "how", "error"), TRANSIENT)
def test_what_passes_is_tried_again_and_told(
    lab: Lab, caplog: pytest.LogCaptureFixture, kind: str, how: dict[str, Any], error: type[RequestFailed]
) -> None:
    lab.sim.fault(kind, "convocatorias", times=2, **how)
    with caplog.at_level(logging.WARNING):
        answer = get(lab, timeout=0.3 if kind == "hang" else 5.0)
    assert len(answer["content"]) == 3 and traffic() == (3, 2)
    told = [r for r in caplog.records if r.getMessage().startswith("retry ")]
    assert [r.getMessage()[:12] for r in told] == ["retry 1 of 3", "retry 2 of 3"]
    assert all(vars(r)["jobName"] == "sync_test" and vars(r)["runId"] == "run-1" for r in told)
    assert all("convocatorias/busqueda" in vars(r)["url"] for r in told)


@pytest.mark.parametrize(("kind", "how", "error"), TRANSIENT)
def test_what_does_not_pass_is_tried_a_bounded_number_of_times(
    lab: Lab, kind: str, how: dict[str, Any], error: type[RequestFailed]
) -> None:
    lab.sim.fault(kind, "convocatorias", **how)
    with pytest.raises(error) as caught:
        get(lab, timeout=0.2 if kind == "hang" else 5.0)
    assert caught.value.transient and traffic() == (4, 3)
    assert "/convocatorias/busqueda?" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "parameters", "error", "words"),
    [
        ("/convocatorias/busqueda", {"fechaDesde": "2026-09-01"}, RequestRefused, "ERR_VALIDACION"),
        ("/convocatorias/busqueda", {"order": "nada"}, RequestRefused, "ERR_VALIDACION"),
        ("/organos", {"vpd": "GE"}, RequestRefused, "idAdmon"),
        ("/convocatoria", {}, PathUnknown, "an HTML page"),
    ],
)
def test_a_refusal_is_final_and_repeats_the_sources_words(
    lab: Lab, path: str, parameters: dict[str, str], error: type[RequestFailed], words: str
) -> None:
    with pytest.raises(error) as caught:
        get(lab, path, parameters)
    assert words in str(caught.value) and not caught.value.transient and traffic() == (1, 0)


def test_the_advice_says_what_to_do(lab: Lab) -> None:
    lab.sim.fault("status", "convocatorias", status=429)
    with pytest.raises(RateLimited, match="Lower BDNS_REQUESTS_PER_SECOND"):
        get(lab)
    with pytest.raises(ApiUnreachable, match="BDNS_BASE_URL right"):
        get(lab, settings={"BDNS_BASE_URL": "http://127.0.0.1:1/api"})


@pytest.mark.parametrize(("sent", "waited"), [(0, 0.0), (7, 7.0), ("-3", 0.02), ("bald", 0.02)])
def test_retry_after_is_honoured(lab: Lab, monkeypatch: pytest.MonkeyPatch, sent: object, waited: float) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    patient = SimpleNamespace(**{**vars(asyncio), "sleep": sleep})
    monkeypatch.setattr("fisio_ayida.bdns.client.asyncio", patient)
    lab.sim.fault("status", "convocatorias", status=429, retry_after=sent, times=1)
    get(lab)
    assert max(pauses, default=0.0) == pytest.approx(waited, abs=0.02)


def test_pauses_double_to_a_limit_with_jitter() -> None:
    retries = Retries(5, 10.0, 60.0)
    assert [retries.delay(n, 0.0) for n in range(5)] == [10, 20, 40, 60, 60]
    assert [retries.delay(n, 0.999) for n in (0, 4)] == pytest.approx([12.5, 75], abs=0.1)


def test_a_parameter_that_the_endpoint_does_not_know_is_never_sent(lab: Lab) -> None:
    with pytest.raises(ValueError, match="/convocatorias/busqueda has no parameter soloAbiertas"):
        get(lab, parameters={"soloAbiertas": "true"})
    assert lab.sim.requests()["count"] == 0


def test_no_content_is_an_empty_answer(lab: Lab) -> None:
    assert get(lab, "/convocatorias", {"numConv": "99999999"}, allowed=("numConv",)) is None


def test_the_source_sees_who_asks_and_asks_for_json_with_its_own_dates(lab: Lab) -> None:
    lab.sync("concesiones", MONDAY, BDNS_CONTACT="prueba, correo@ejemplo.invalid", BDNS_PAGE_SIZE=50)
    seen = lab.sim.requests()["recent"]
    assert {request["accept"] for request in seen} == {"application/json"}
    assert {request["user_agent"] for request in seen} == {"fisio_ayida/0.1.0 (prueba, correo@ejemplo.invalid)"}
    assert len(seen) == 2
    for number, request in enumerate(seen):
        url = request["url"].replace("%2F", "/")
        assert "fechaRegInicio=07/09/2026" in url and "fechaRegFin=08/09/2026" in url
        assert "pageSize=50" in url and f"page={number}" in url and "order=codConcesion" in url


def test_calls_are_asked_for_with_both_ends_of_their_day(lab: Lab) -> None:
    lab.sync("convocatorias", MONDAY)
    url = lab.sim.requests()["recent"][0]["url"].replace("%2F", "/")
    assert "fechaDesde=07/09/2026" in url and "fechaHasta=07/09/2026" in url and "order=numeroConvocatoria" in url


def test_text_is_utf8_although_the_source_names_no_charset(lab: Lab) -> None:
    """Q18: Content-Type says application/json and nothing else."""
    lab.sync("instrumentos")
    text = lab.value("select string_agg(descripcion, ' ') from bdns.instrumentos")
    assert "Ó" in text.upper() and "Ã" not in text


def test_html_for_one_record_is_not_asked_for_again_and_again(lab: Lab) -> None:
    """Q15: the same ids answer HTML for weeks."""
    lab.sync("planes_estrategicos")
    requests, retries = lab.rows("select requests, retries from ops.loads where dataset = 'planes_estrategicos'")[
        0
    ]
    assert retries == 0
    assert requests == 1 + lab.count("bdns.planes_estrategicos")


def test_xml_is_named_in_the_error(lab: Lab) -> None:
    async def run() -> None:
        async with lab.context() as context:
            context.client._http.headers["Accept"] = "application/xml"
            from fisio_ayida.bdns.datasets import CONVOCATORIAS

            await fetch_detail(CONVOCATORIAS, "100001", context.client)

    with pytest.raises(UnusableBody, match="an XML document instead of JSON"):
        asyncio.run(run())
