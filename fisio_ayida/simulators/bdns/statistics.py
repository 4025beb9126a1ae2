"""What clients did: request counts, spacing of starts, calls in flight, the last addresses.

Control calls are not counted. Nothing here decides an answer.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field

_EDGES_MS = (5, 10, 25, 50, 75, 90, 95, 100, 105, 125, 150, 250, 500, 1000)


@dataclass
class Statistics:
    """Counts since the last reset."""

    count: int = 0
    by_path: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    spacing: Counter[str] = field(default_factory=Counter)
    min_spacing_ms: float | None = None
    in_flight: int = 0
    max_in_flight: int = 0
    first_start: float | None = None
    last_start: float | None = None
    recent: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=50))
    _last: float | None = None

    def start(self, path: str, url: str, headers: dict[str, str]) -> float | None:
        """Count a request; gives the milliseconds since the start of the one before."""
        now = time.perf_counter()
        gap = None if self._last is None else (now - self._last) * 1000
        self._last = now
        if gap is not None:
            self.min_spacing_ms = gap if self.min_spacing_ms is None else min(self.min_spacing_ms, gap)
            edge = next((f"<{edge}" for edge in _EDGES_MS if gap < edge), f">={_EDGES_MS[-1]}")
            self.spacing[edge] += 1
        self.count += 1
        self.by_path[path] += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        self.last_start = time.time()
        self.first_start = self.first_start or self.last_start
        self.recent.append(
            {"url": url, "user_agent": headers.get("user-agent", ""), "accept": headers.get("accept", "")}
        )
        return gap

    def end(self, status: int) -> None:
        """Count an answer."""
        self.in_flight -= 1
        self.by_status[str(status)] += 1

    def report(self) -> dict[str, object]:
        """The numbers for the control call."""
        spacing = None if self.min_spacing_ms is None else round(self.min_spacing_ms, 3)
        return {
            "count": self.count,
            "by_path": dict(self.by_path),
            "by_status": dict(self.by_status),
            "min_spacing_ms": spacing,
            "spacing_ms": dict(self.spacing),
            "max_in_flight": self.max_in_flight,
            "first_start": self.first_start,
            "last_start": self.last_start,
            "recent": list(self.recent),
        }
