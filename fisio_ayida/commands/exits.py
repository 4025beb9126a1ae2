"""How a command of the command line ends: one line on standard error and a code, never a traceback.

Shared by ``cli.py`` and the modules of its sub-commands. Not here: what a command does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from fisio_ayida.bdns.datasets import UnknownDataset
from fisio_ayida.bdns.errors import BadRequest, BdnsError
from fisio_ayida.settings import SettingsError

FAILED, BAD_INPUT = 1, 2


def fail(message: str, code: int) -> NoReturn:
    """One line on standard error, and the end."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)


@contextmanager
def plain_errors(*bad_input: type[Exception]) -> Iterator[None]:
    """Expected failures as one line and a code: 2 for what was asked, 1 for what went wrong.

    Args:
        bad_input: what else the command raises for a wrong word or value.
    """
    import psycopg

    from fisio_ayida.warehouse.clinic import ClinicError
    from fisio_ayida.warehouse.clock import ClockError
    from fisio_ayida.warehouse.embedded import EmbeddedServerError
    from fisio_ayida.warehouse.engine import WarehouseError
    from fisio_ayida.warehouse.locks import LockBusy

    wrong: tuple[type[Exception], ...] = (BadRequest, UnknownDataset, SettingsError, *bad_input)
    try:
        yield
    except wrong as error:
        fail(str(error.args[0] if isinstance(error, UnknownDataset) else error), BAD_INPUT)
    except (BdnsError, WarehouseError, EmbeddedServerError, ClinicError, ClockError, LockBusy) as error:
        fail(str(error), FAILED)
    except psycopg.Error as error:
        # Only the server's own words: the rest may quote a row.
        fail(
            f"database: {error.diag.message_primary or (str(error) or type(error).__name__).splitlines()[0]}",
            FAILED,
        )
