"""The job that reads one call again."""

from __future__ import annotations

import datetime as dt

import pytest

from fisio_ayida.defs.resources import Retrying
from fisio_ayida_tests.defs.conftest import House, failure_words, numbers

JOB = "sync_convocatoria_individual"


def stored_code(house: House) -> str:
    house.load("convocatorias", "2026-09-08")
    [(code,)] = house.rows("select min(codigo_bdns) from bdns.convocatorias")
    return str(code)


def test_with_nothing_stored_it_succeeds_and_records_nothing(house: House) -> None:
    assert house.run(JOB).success
    assert house.observations("convocatorias") == []


def test_without_a_code_it_takes_the_newest_call(house: House) -> None:
    stored_code(house)
    assert house.run(JOB).success
    [observed] = house.observations("convocatorias")
    [(newest,)] = house.rows(
        "select codigo_bdns from bdns.convocatorias order by fecha_recepcion desc, id desc limit 1"
    )
    assert numbers(observed) == {"codigo_bdns": newest, "verdict": "unchanged", "partition": "2026-09-08"}
    assert observed.partition == "2026-09-08"


def test_a_call_that_has_changed(house: House) -> None:
    code = stored_code(house)
    house.connection.execute("update bdns.convocatorias set row_hash = 0 where codigo_bdns = %s", [code])
    assert house.run(JOB, config={"sync_call": {"bdns": code}}).success
    assert numbers(house.observations("convocatorias")[0])["verdict"] == "changed"
    # A call read again is not its day read again.
    assert house.events("convocatorias") == []


@pytest.mark.parametrize(
    ("code", "words"), [("999999999", "has no such call"), ("12a", "is not a BDNS code: 1 to 16 digits")]
)
def test_an_unknown_code_is_one_line_and_no_repeat(house: House, code: str, words: str) -> None:
    house.retrying = Retrying(most=2, first_pause=dt.timedelta(0))
    result = house.run(JOB, config={"sync_call": {"bdns": code}})
    assert not result.success
    assert words in failure_words(result)
    assert not any(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events)


def test_a_source_that_is_away_is_asked_again(house: House) -> None:
    code = stored_code(house)
    house.retrying = Retrying(most=2, first_pause=dt.timedelta(0))
    house.sim.fault("status", "convocatorias", status=503, times=1)
    result = house.run(JOB, config={"sync_call": {"bdns": code}})
    assert result.success
    assert sum(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events) == 1
