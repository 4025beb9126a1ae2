"""Directing the simulator: faults, request statistics, the page cache, the process and its options.

What the service says is tested elsewhere; this is about the controls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from fisio_ayida.simulators.bdns import BdnsSimulator, Choices, SimulatorConfig, SimulatorError, SimulatorProcess
from fisio_ayida.simulators.cli import simulate_app
from fisio_ayida_tests.simulators.conftest import DAY, TODAY, Reader, es, small

WINDOW = {"fechaRegInicio": es(DAY), "fechaRegFin": es(DAY + timedelta(days=1))}
PATH = "concesiones/busqueda"


@pytest.fixture(autouse=True)
def _cleared(sim: BdnsSimulator) -> Iterator[None]:
    yield
    sim.clear_faults()


def test_a_cut_connection_loses_bytes_and_cut_json_does_not_parse(reader: Reader) -> None:
    reader.sim.fault("cut", PATH, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        reader.get(PATH, **WINDOW)
    reader.sim.fault("cut_json", PATH, times=1)
    answer = reader.get(PATH, **WINDOW)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert reader.get(PATH, **WINDOW).json()["content"]


def test_status_html_and_maintenance_replace_the_answer(reader: Reader) -> None:
    reader.sim.fault("status", PATH, status=503, retry_after=7, times=1)
    answer = reader.get(PATH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    reader.sim.fault("html", "sanciones", times=1)
    assert reader.get("sanciones/busqueda").headers["content-type"].startswith("text/html")
    reader.sim.fault("maintenance", PATH, times=1)
    assert reader.get(PATH).json()["codigo"] == "ERR_MANTENIMIENTO_BBDD"
    assert reader.get(PATH).status_code == 200


def test_slow_and_hanging_answers_run_into_timeouts(reader: Reader) -> None:
    for kind, settings in (("slow", {"seconds": 5}), ("hang", {})):
        reader.sim.fault(kind, PATH, **settings)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{reader.sim.base_url}/{PATH}", timeout=0.2, trust_env=False)
        reader.sim.clear_faults()


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        (
            "rename_field",
            {"field": "importe", "to": "importeTotal"},
            lambda row: "importe" not in row and row["importeTotal"],
        ),
        ("extra_field", {"name": "nuevo", "value": 3}, lambda row: row["nuevo"] == 3),
        ("number_as_text", {}, lambda row: isinstance(row["importe"], str)),
        ("null_key", {}, lambda row: row["id"] is None),
        ("huge_string", {"bytes": 200_000}, lambda row: len(row["beneficiario"]) == 200_000),
        ("nul_char", {}, lambda row: "\x00" in row["beneficiario"]),
        ("bad_date", {}, lambda row: row["fechaAlta"] == "2026-02-31"),
        ("lone_surrogate", {}, lambda row: row["beneficiario"].endswith("\ud800")),
    ],
)
def test_row_faults_hit_one_row_or_all(
    reader: Reader, kind: str, settings: dict[str, object], expected: Callable[[dict[str, object]], bool]
) -> None:
    for everywhere in (False, True):
        reader.sim.fault(kind, PATH, row=2, all=everywhere, times=1, **settings)
        rows = reader.get(PATH, pageSize=5, **WINDOW).json()["content"]

        def struck(row: dict[str, object]) -> bool:
            try:
                return bool(expected(row))
            except KeyError:
                return False

        assert [struck(row) for row in rows] == [everywhere or at == 2 for at in range(5)]


def test_missing_repeated_and_miscounted_rows(reader: Reader) -> None:
    whole = reader.rows("concesiones", **WINDOW)
    reader.sim.fault("missing_row", PATH, page=1, times=1)
    body = [reader.page("concesiones", page=number, pageSize=20, **WINDOW) for number in range(2)]
    assert [len(page["content"]) for page in body] == [20, 19]
    assert {page["totalElements"] for page in body} == {len(whole)}
    reader.sim.fault("duplicate_row", PATH, times=1)
    ids = [row["id"] for row in reader.page("concesiones", pageSize=20, **WINDOW)["content"]]
    assert (len(ids), len(set(ids))) == (20, 19)
    reader.sim.fault("total_changes", PATH)
    totals = [
        reader.page("concesiones", page=number, pageSize=20, **WINDOW)["totalElements"] for number in range(2)
    ]
    assert totals == [len(whole), len(whole) + 1]


def test_unknown_faults_are_refused_in_words(reader: Reader) -> None:
    with pytest.raises(SimulatorError, match="cut_json"):
        reader.sim.fault("explode", PATH)
    with pytest.raises(SimulatorError, match="retry_after"):
        reader.sim.fault("status", PATH, stat=3)


def test_statistics_count_data_requests_only(reader: Reader) -> None:
    reader.sim.reset_requests()
    reader.get("finalidades", headers={"User-Agent": "prueba/1.0"})
    reader.get("nada")
    reader.sim.state()
    found = reader.sim.requests()
    assert found["count"] == 2
    assert found["by_path"] == {"/bdnstrans/api/finalidades": 1, "/bdnstrans/api/nada": 1}
    assert found["by_status"] == {"200": 1, "404": 1}
    assert found["max_in_flight"] == 1
    assert 0 < found["min_spacing_ms"] < 5_000
    assert sum(found["spacing_ms"].values()) == 1
    assert found["recent"][0] == {
        "url": "/bdnstrans/api/finalidades",
        "user_agent": "prueba/1.0",
        "accept": "application/json",
    }


def test_cached_pages_are_the_same_and_come_with_a_length(tmp_path: Path, fresh: Callable[..., Reader]) -> None:
    plain, cached = fresh(), fresh(page_cache_dir=tmp_path)
    expected = plain.page("concesiones", **WINDOW)
    for _ in range(2):
        answer = cached.get(PATH, **WINDOW)
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert answer.json() == expected
    assert len(list(tmp_path.glob("*.json"))) == 1
    cached.sim.step(changed=1.0)
    assert cached.page("concesiones", **WINDOW) != expected
    assert "content-length" not in cached.get("minimis/busqueda").headers


def test_a_process_of_its_own_is_directed_in_the_same_way() -> None:
    options = ["--today", TODAY.isoformat(), "--rows-per-day", "concesiones=90", "--quirk", "Q20=off"]
    with (
        SimulatorProcess([*options, "--quirk", "Q13:rate=0,max_days=400"]) as other,
        BdnsSimulator(small()) as here,
    ):
        assert other.state()["quirks"]["Q13"] == {"rate": 0.0, "max_days": 400.0, "delay": 0.0}
        assert other.state()["quirks"]["Q20"] is False
        span = (DAY, DAY + timedelta(days=3))
        assert other.truth("concesiones", *span)["digest"] == here.truth("concesiones", *span)["digest"]
        other.step(removed=0.5)
        assert other.changes("concesiones", *span)["removed"] > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--today", "ayer"], "--today ayer: an ISO date"),
        (["--quirk", "Q99"], "quirk Q99: one of Q2"),
        (["--quirk", "Q13:rate=much"], "--quirk Q13:rate=much: a number"),
        (["--rows-per-day", "sanciones=3"], "rows_per_day sanciones: one of convocatorias"),
        (["--rows-per-day", "concesiones=many"], "--rows-per-day concesiones=many: dataset=whole number"),
        (["--weekend-factor", "3"], "weekend_factor=3.0: 0 to 1"),
        (["--port", "70000"], "--port 70000: 0 to 65535"),
    ],
)
def test_wrong_options_end_with_one_clear_line_and_code_2(options: list[str], words: str) -> None:
    result = CliRunner().invoke(simulate_app, ["bdns", *options])
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_configuration_says_what_is_allowed() -> None:
    with pytest.raises(SimulatorError, match="natural_share"):
        SimulatorConfig(today=TODAY, natural_share=2)
    with pytest.raises(SimulatorError, match="first_day sanciones"):
        SimulatorConfig(today=TODAY, first_day={"sanciones": TODAY})
    assert SimulatorConfig(today=TODAY) == SimulatorConfig(today=TODAY)


def test_undocumented_behaviours_can_be_chosen(fresh: Callable[..., Reader]) -> None:
    usual = fresh()
    assert usual.get("convocatorias", numConv="1").status_code == 204
    assert usual.get("planesestrategicos", idPES=1).status_code == 204
    texts = {
        "unknown_detail_status": "404",
        "past_the_end_status": "204",
        "default_direction": "desc",
        "sanciones_date_column": "fechaConcesion",
        "vigencia_by_plan": "true",
        "burst_body": "calma",
        "newest_first_without_order": "false",
    }
    other = fresh(choices=Choices.read(texts))
    assert other.get("convocatorias", numConv="1").status_code == 404
    assert other.get(PATH, page=10_000).status_code == 204
    ids = [
        [row["id"] for row in reader.rows("concesiones", order="importe", **WINDOW)] for reader in (usual, other)
    ]
    assert ids[0] == ids[1][::-1]
    assert other.rows("concesiones", **WINDOW)[0]["id"] == ids[0][0]
    day = other.rows("sanciones")[0]["fechaConcesion"]
    bounds = dict.fromkeys(("fechaDesde", "fechaHasta"), es(date.fromisoformat(day)))
    assert {row["fechaConcesion"] for row in other.rows("sanciones", **bounds)} == {day}
    assert len(other.get("planesestrategicos/vigencia", idPES=90_001).json()["vigDesde"]) == 1
    assert len(usual.get("planesestrategicos/vigencia", idPES=90_001).json()["vigDesde"]) > 1
    other.sim.quirks(Q14=True)
    assert [other.get("finalidades").text for _ in range(2)][1] == "calma"
    with pytest.raises(SimulatorError, match="unknown_detail_status"):
        Choices.read({"unknown": "1"})
