"""From the domain's errors to Dagster's: what is worth another try, what is not, and in which words.

A wrong order or a refusal is one line and no repeat; a source or database that is away is asked again later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from fisio_ayida.bdns.errors import BadRequest, BdnsError, IncompleteWindow, RequestFailed
from fisio_ayida.defs.bdns import metadata
from fisio_ayida.defs.resources import MirrorResource


def is_transient(error: BaseException) -> bool:
    """True when the same load may succeed a few minutes later."""
    import psycopg

    from fisio_ayida.warehouse.clock import ClockError
    from fisio_ayida.warehouse.locks import LockBusy

    if isinstance(error, RequestFailed):
        return error.transient
    return isinstance(error, IncompleteWindow | LockBusy | ClockError | psycopg.OperationalError)


@contextmanager
def reported(context: dg.OpExecutionContext, mirror: MirrorResource) -> Iterator[None]:
    """Errors inside become ``Failure`` (no repeat) or ``RetryRequested`` with a pause that doubles."""
    import psycopg

    from fisio_ayida.bdns.mirror import MirrorFailed
    from fisio_ayida.warehouse.clock import ClockError
    from fisio_ayida.warehouse.embedded_files import EmbeddedServerError
    from fisio_ayida.warehouse.engine import WarehouseError

    try:
        yield
    except MirrorFailed as error:
        facts = metadata.failure(error.report)
        transient = any(map(is_transient, error.report.causes))
        raise _outcome(error, transient, context, mirror, facts) from error
    except (BdnsError, ClockError, psycopg.Error) as error:
        raise _outcome(error, is_transient(error), context, mirror, {}) from error
    except (BadRequest, WarehouseError, EmbeddedServerError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _outcome(
    error: Exception,
    transient: bool,
    context: dg.OpExecutionContext,
    mirror: MirrorResource,
    facts: Mapping[str, Any],
) -> Exception:
    retrying = mirror.retrying
    if transient and context.retry_number < retrying.most:
        pause = retrying.pause(context.retry_number, mirror.jitter()).total_seconds()
        # Dagster itself waits without a word.
        context.log.warning(
            f"{error}. Trying again in {pause:.0f} s ({context.retry_number + 1} of {retrying.most})"
        )
        return dg.RetryRequested(max_retries=retrying.most, seconds_to_wait=pause)
    return dg.Failure(str(error), metadata=dict(facts), allow_retries=False)
