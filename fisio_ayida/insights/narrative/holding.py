"""When no call may start: the server asked to wait, or several requests in a row came to nothing.

Of one process: each finds out for itself, at the price of a few calls. Here: that. Not here: the calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: Requests in a row, each tried as often as the policy says, after which the others are not tried at all.
FAILURES: Final = 3
#: How long; then one of them finds out.
PAUSE: Final = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Hold:
    """Calls are held back.

    Args:
        reason: word of :data:`insights.model.REASONS`.
        is_worth_waiting: the server said how long; otherwise whoever asks had better come again later.
    """

    left: dt.timedelta
    reason: str
    is_worth_waiting: bool


class Holding:
    """What one process knows of the server's state.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._asked_until = 0.0
        self._closed_until = 0.0
        self._reason = ""
        self._failures = 0

    def now(self) -> Hold | None:
        """Why no call may start; None: one may."""
        moment = self._monotonic()
        if moment < self._closed_until:
            return Hold(dt.timedelta(seconds=self._closed_until - moment), self._reason, False)
        if moment < self._asked_until:
            return Hold(dt.timedelta(seconds=self._asked_until - moment), "rate_limited", True)
        return None

    def asked_to_wait(self, wait: dt.timedelta) -> None:
        """The server said how long it wants to be left alone."""
        self._asked_until = max(self._asked_until, self._monotonic() + wait.total_seconds())

    def succeeded(self) -> None:
        """A request was answered, however."""
        self._failures = 0

    def failed(self, reason: str) -> None:
        """A request came to nothing by no fault of its own, for all its tries."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._closed_until, self._reason = self._monotonic() + PAUSE.total_seconds(), reason
