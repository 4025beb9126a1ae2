"""What errors of the clinic's jobs become: one line without a patient's row, or another try."""

import datetime as dt

import dagster as dg
import psycopg
import pytest

from fisio_ayida.defs.clinic.failures import explained
from fisio_ayida.defs.resources import MirrorResource, Retrying
from fisio_ayida.settings import Settings
from fisio_ayida_tests.defs.clinic.conftest import Floor

MIRROR = MirrorResource(Settings.load({}), jitter=lambda: 0.0, retrying=Retrying(1, dt.timedelta(0)))


def test_a_row_that_postgresql_quotes_is_not_shown(floor: Floor) -> None:
    floor.lab.patient()
    with pytest.raises(dg.Failure) as raised, explained(dg.build_op_context(), MIRROR):
        floor.lab.patient()
    said = str(raised.value.description)
    assert "duplicate key value violates unique constraint" in said and "patient-1" not in said
    assert raised.value.allow_retries is False and raised.value.__suppress_context__


@pytest.mark.parametrize(
    "error", [psycopg.OperationalError("the connection was lost"), psycopg.errors.DeadlockDetected("deadlock")]
)
def test_what_the_database_could_not_do_now_is_asked_again_later(error: psycopg.Error) -> None:
    tries = []

    @dg.op
    def ask(context: dg.OpExecutionContext) -> None:
        with explained(context, MIRROR):
            tries.append(context.retry_number)
            if len(tries) == 1:
                raise error

    @dg.job
    def asking() -> None:
        ask()

    assert asking.execute_in_process().success
    assert tries == [0, 1]
