"""One thread, one connection, one order: thousands of runs of a dispatcher go fast, and each time the same way.

Here: the pieces. Not here: who uses them (``world.py``).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg


class Lasting(psycopg.Connection[Any]):
    """A connection that many dispatchers use one after the other."""

    def close(self) -> None:
        """Stay open: a history has thousands of runs."""

    def really_close(self) -> None:
        super().close()


class AtOnce(ThreadPoolExecutor):
    """Does the work of other threads in this one: a history goes step by step."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class Numbered(asyncio.Task[Any]):
    """A task that sets keep in the same order each time: a history must be the same when it is told again."""

    made = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Numbered.made += 1
        self._number = Numbered.made
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other
