"""Which function does which job: the names of the registry bound to the domain's code.

Not here: when (``registry.py``), and what is opened for it (``service.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from fisio_ayida.clinic import birthdays
from fisio_ayida.clinic.model import Desk, Order, Outcome
from fisio_ayida.clinic.planning import plan

Runner = Callable[[Desk, Order], Outcome]

#: By the job's name.
RUNNERS: Final[Mapping[str, Runner]] = {
    birthdays.JOB: partial(plan, birthdays.JOB, birthdays.find),
}


def run(job: str, desk: Desk, order: Order) -> Outcome:
    """Do a job.

    Raises:
        ClinicError: the clinic's relations are not as agreed, or hidden: nothing was done.
        BadOrder: what is asked for does not exist.
    """
    return RUNNERS[job](desk, order)
