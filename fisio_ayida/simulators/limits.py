"""How many requests a service takes in a second, and what it says to one too many.

Here: the sliding window and its headers. Not here: the answer's words.
"""

from __future__ import annotations

import math
import time
from collections import deque


class RateLimit:
    """No more than ``per_second`` requests in any stretch of a second; 0 lifts it."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        #: How many were one too many.
        self.refused = 0
        self._taken: deque[float] = deque()

    def take(self) -> bool:
        """Whether one more request is allowed now; one that is not does not count against the next."""
        if not self.per_second:
            return True
        now = time.monotonic()
        while self._taken and now - self._taken[0] >= self._window_seconds:
            self._taken.popleft()
        if len(self._taken) >= self._most:
            self.refused += 1
            return False
        self._taken.append(now)
        return True

    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the answer to a request says of the limit; nothing where there is none."""
        if not self.per_second:
            return ()
        left = self._window_seconds - (time.monotonic() - self._taken[0]) if self._taken else 0.0
        return (
            ("ratelimit-limit", str(self._most)),
            ("ratelimit-remaining", str(max(0, self._most - len(self._taken)))),
            ("ratelimit-reset", str(max(0, math.ceil(left)))),
        )

    @property
    def _most(self) -> int:
        return max(1, int(self.per_second))

    @property
    def _window_seconds(self) -> float:
        return self._most / self.per_second
