"""From the errors of the clinic's jobs to Dagster's: a wrong order is one line, an absent database is retried.

Rows of patients never get into a run's page: what PostgreSQL quotes of them is left out. Not here: organisations
that failed while the others were done (``work.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from fisio_ayida import telemetry
from fisio_ayida.clinic.registry import UnknownJob
from fisio_ayida.defs.bdns.failures import reported
from fisio_ayida.defs.resources import MirrorResource


@contextmanager
def explained(context: dg.OpExecutionContext, mirror: MirrorResource) -> Iterator[None]:
    """Errors inside become ``Failure`` (no repeat), or a repeat where the database is away."""
    import psycopg

    from fisio_ayida.clinic.model import BadOrder
    from fisio_ayida.messaging.model import MessagingError
    from fisio_ayida.settings import SettingsError
    from fisio_ayida.warehouse.clinic import ClinicError
    from fisio_ayida.warehouse.errors import said

    with reported(context, mirror):
        try:
            yield
        except (BadOrder, UnknownJob, ClinicError, MessagingError, SettingsError) as error:
            raise dg.Failure(telemetry.excerpt(str(error)), allow_retries=False) from None
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise dg.Failure(said(error), allow_retries=False) from None
