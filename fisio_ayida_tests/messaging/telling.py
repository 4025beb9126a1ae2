"""Telling histories: a database for them, how many, from which seed.

Here: how Hypothesis runs the machine. Not here: its steps (``histories.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test

from fisio_ayida.warehouse.engine import connection_arguments
from fisio_ayida.warehouse.urls import DatabaseUrl
from fisio_ayida_tests.messaging.histories import Histories
from fisio_ayida_tests.messaging.one_thread import Lasting
from fisio_ayida_tests.messaging.world import World

STEPS: Final = 20
CHUNK: Final = 250


@contextmanager
def opened(url: DatabaseUrl) -> Iterator[World]:
    """A world on a database of its own."""
    conn = Lasting.connect(url.psycopg, **connection_arguments(url, "histories"), autocommit=True)
    # A crash of the machine is no part of a history.
    conn.execute("set timezone to 'UTC'; set synchronous_commit to off")
    world = World(conn)
    try:
        yield world
    finally:
        world.end()


def told(world: World, histories: int, first: int, *, shrink: bool = True) -> Counter[str]:
    """Run so many histories from a seed, :data:`CHUNK` from each; gives what happened in them.

    Raises:
        AssertionError: a rule was broken; Hypothesis shows the steps, and the last line how to tell them again.
    """
    seen: Counter[str] = Counter()
    for number, begun in enumerate(range(0, histories, CHUNK)):
        many = min(CHUNK, histories - begun)
        try:
            _tell(world, many, first + number, seen, shrink)
        except FlakyStrategyDefinition:
            # Hypothesis tells parts of a history again, and wants every row to come in the same order. PostgreSQL
            # has its reasons not to, now and then; no rule was broken by that.
            seen["chunks cut short"] += 1
        except BaseException as error:
            error.add_note(
                f"python -m bench messaging-histories --shrink --histories {many} --seed {first + number}"
            )
            raise
    return seen


def _tell(world: World, histories: int, first: int, seen: Counter[str], shrink: bool) -> None:
    machine = seed(first)(type("Told", (Histories,), {"world": world, "seen": seen}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=histories, stateful_step_count=STEPS, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), print_blob=False,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        ),
    )  # fmt: skip
