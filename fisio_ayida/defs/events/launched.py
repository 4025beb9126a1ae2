"""A run that stands for events gives a sign of life while one of its steps works.

Without it a run whose process is gone would be believed in for a day. Not here: what a lost lease leads to.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fisio_ayida.warehouse.engine import Warehouse

LOG = logging.getLogger("fisio_ayida.events")


@contextmanager
def claim_kept(tags: Mapping[str, str], warehouse: Warehouse) -> Iterator[None]:
    """Keep the lease of the claim that a run's tags name, if they do."""
    from fisio_ayida.defs.events.runs import CLAIM_TAG
    from fisio_ayida.events.claims import LAUNCH_LEASE
    from fisio_ayida.events.lease import kept

    claim = tags.get(CLAIM_TAG)
    if claim is None:
        yield
        return
    with kept(lambda: warehouse.connect(autocommit=True), uuid.UUID(claim), LAUNCH_LEASE, LOG):
        yield
