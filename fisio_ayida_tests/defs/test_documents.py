"""The asset of documents and its job: default runs, days, single documents, failures, what the UI is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from fisio_ayida.defs.bdns.document_facts import KEY, OP
from fisio_ayida.defs.resources import Retrying
from fisio_ayida_tests.defs.conftest import House, failing_checks, failure_words, numbers

JOB = "store_documents"
DAYS = ("2026-09-07", "2026-09-08")
CHECKS = {"retries", "lengths", "gone", "readable", "in_store"}


class Archive:
    """A house whose mirror has the calls of two days, and a folder for their documents."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.folder = folder
        for day in DAYS:
            house.load("convocatorias", day)

    def run(self, config: Mapping[str, Any] | None = None, **options: Any) -> dg.ExecuteInProcessResult:
        """The job, a minute after the last run."""
        configured = {OP: dict(config)} if config else None
        return self.house.run(JOB, config=configured, **{"DOCUMENTS_URL": str(self.folder), **options})

    def days(self) -> list[str]:
        """The registration days that Dagster takes for materialized."""
        return sorted(self.house.instance.get_materialized_partitions(KEY))

    def events(self) -> list[dg.AssetMaterialization]:
        """The materializations, newest first."""
        records = self.house.instance.fetch_materializations(KEY, limit=100).records
        return [r.asset_materialization for r in records if r.asset_materialization]

    def observations(self) -> list[dg.AssetObservation]:
        """The observations, newest first."""
        records = self.house.instance.fetch_observations(KEY, limit=100).records
        return [r.asset_observation for r in records if r.asset_observation]

    def announced(self, day: str | None = None) -> int:
        """Documents that the mirror's calls of a day announce."""
        where = f"where fecha_recepcion = '{day}'" if day else ""
        query = "select count(*) from bdns.convocatorias_documentos join bdns.convocatorias using (codigo_bdns) "
        return int(self.house.rows(query + where)[0][0])

    def stored(self) -> int:
        """Documents that are stored."""
        return int(self.house.rows("select count(*) from bdns.documentos where state = 'stored'")[0][0])


@pytest.fixture
def archive(house: House, tmp_path: Path) -> Archive:
    """Two days of calls and an empty store."""
    return Archive(house, tmp_path / "documents")


def test_without_config_all_that_is_due_is_stored_and_each_day_is_told(archive: Archive) -> None:
    archive.house.load("planes_estrategicos", "all")
    result = archive.run()
    assert result.success
    plans = int(archive.house.rows("select count(*) from bdns.planes_estrategicos_documentos")[0][0])
    assert archive.stored() == archive.announced() + plans and plans > 0
    assert archive.days() == list(DAYS)
    assert {e.check_name for e in result.get_asset_check_evaluations()} == CHECKS and failing_checks(result) == {}
    for event in archive.events():
        told = numbers(event)
        assert event.partition is not None
        assert told["dagster/partition_row_count"] == told["announced"] == archive.announced(event.partition)
        assert told["due"] == 0 and told["bytes_received"] == told["bytes"] > 0
        assert "Base de Datos Nacional de Subvenciones" in told["attribution"]
    [total] = archive.observations()
    told = numbers(total)
    assert told["stored"] + told["same_bytes"] == told["requests"] == archive.stored()
    assert told["text_text"] == archive.house.rows("select count(*) from bdns.documentos_texto")[0][0]
    assert ".pdf" not in told["preview"] and "| application/pdf |" in told["preview"], "names can name people"

    again = archive.run()
    assert again.success and numbers(archive.observations()[0])["requests"] == 0


def test_a_partition_is_its_day_alone_and_is_told_even_when_nothing_is_due(archive: Archive) -> None:
    assert archive.run(partition=DAYS[0]).success
    assert archive.days() == [DAYS[0]] and archive.stored() == archive.announced(DAYS[0])
    assert archive.run(partition=DAYS[0]).success
    assert numbers(archive.events()[0])["bytes_received"] == 0 and len(archive.events()) == 2
    assert archive.run(days=("2026-09-06", DAYS[1])).success
    assert archive.days() == ["2026-09-06", *DAYS] and archive.stored() == archive.announced()


def test_a_limit_leaves_days_open(archive: Archive) -> None:
    assert archive.run({"date_from": DAYS[0], "date_to": DAYS[1], "limit": archive.announced(DAYS[1]) + 1}).success
    assert archive.days() == [DAYS[1]] and archive.stored() == archive.announced(DAYS[1]) + 1
    [open_day] = [event for event in archive.observations() if event.partition]
    assert open_day.partition == DAYS[0] and numbers(open_day)["due"] == archive.announced(DAYS[0]) - 1


def test_a_day_with_a_failed_document_is_not_complete_and_the_run_succeeds(archive: Archive) -> None:
    [(document,)] = archive.house.rows(
        f"""
        select min(d.id) from bdns.convocatorias_documentos d join bdns.convocatorias using (codigo_bdns)
        where fecha_recepcion = '{DAYS[0]}'
        """
    )
    archive.house.sim.fault("html", f"idDocumento={document}")
    assert archive.run().success
    assert archive.days() == [DAYS[1]]
    [open_day] = [event for event in archive.observations() if event.partition]
    told = numbers(open_day)
    assert (open_day.partition, told["failed"], told["now_failed"], told["due"]) == (DAYS[0], 1, 1, 0)
    archive.house.sim.clear_faults()
    archive.house.moment += dt.timedelta(hours=1)
    assert archive.run().success
    assert archive.days() == list(DAYS)


def test_one_document_by_its_call_and_id(archive: Archive) -> None:
    [(code, document)] = archive.house.rows(
        "select codigo_bdns, id from bdns.convocatorias_documentos order by id limit 1"
    )
    assert archive.run({"bdns": code, "document_id": document}).success
    assert archive.stored() == 1 and archive.events() == []
    told = numbers(archive.observations()[0])
    assert (told["codigo_bdns"], told["document_id"], told["verdict"]) == (code, document, "stored")


@pytest.mark.parametrize(
    ("config", "options", "words"),
    [
        ({"bdns": "123456"}, {}, "bdns and document_id go together, without days"),
        ({"document_id": 5}, {}, "bdns and document_id go together, without days"),
        ({"bdns": "x", "document_id": 5}, {}, "is not a BDNS code: 1 to 16 digits"),
        ({"bdns": "999999999", "document_id": 5}, {}, "bdns=999999999: the BDNS has no such call"),
        ({"date_from": "7.9.2026"}, {}, "date_from='7.9.2026' is not a date"),
        ({"date_from": "2026-09-08"}, {"partition": "2026-09-07"}, "and dates in its config: give one of them"),
        ({}, {"DOCUMENTS_URL": "s3://bucket/x"}, "DOCUMENTS_URL=s3://bucket/x needs the package s3fs"),
    ],
)
def test_a_wrong_order_is_one_line_and_no_repeat(
    archive: Archive, config: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    archive.house.retrying = Retrying(most=2, first_pause=dt.timedelta(0))
    result = archive.run(config, **options)
    assert not result.success and words in failure_words(result)
    assert not any(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events)


def test_a_source_that_is_away_is_asked_again_and_days_that_are_done_are_kept(archive: Archive) -> None:
    archive.house.retrying = Retrying(most=2, first_pause=dt.timedelta(0))
    archive.house.sim.fault("status", "convocatorias/documentos", status=503, times=3)
    result = archive.run()
    assert result.success
    assert sum(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events) == 1
    # Those have a pause of their own before them; a fourth may have been on its way.
    assert archive.announced() - archive.stored() in (3, 4)


def test_the_checks_see_what_is_wrong(archive: Archive) -> None:
    assert archive.run().success
    for path in archive.folder.rglob("*"):
        if path.is_file():
            path.write_bytes(b"half")
    archive.house.connection.execute("update bdns.documentos set long = long + 1")
    # What is announced did not change: nothing is asked for, everything is looked at.
    assert failing_checks(archive.run()) == {
        "in_store": dg.AssetCheckSeverity.ERROR, "lengths": dg.AssetCheckSeverity.WARN,
    }  # fmt: skip
