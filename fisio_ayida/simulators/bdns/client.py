"""The control calls as methods, the same for a simulator in a thread and in a process.

Speaks HTTP to a running simulator and knows nothing of its insides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import httpx

from fisio_ayida.simulators.bdns.config import SimulatorError


class SimulatorClient:
    """Directs a running simulator."""

    def __init__(self, root_url: str) -> None:
        self.root_url = root_url
        self._http = httpx.Client(base_url=root_url, timeout=120.0, trust_env=False)

    @property
    def base_url(self) -> str:
        """What a client of the BDNS takes as its base URL."""
        return f"{self.root_url}/bdnstrans/api"

    def _call(self, method: str, name: str, **values: Any) -> dict[str, Any]:
        answer = self._http.request(method, f"/_control/{name}", **values)
        if answer.status_code != 200:
            raise SimulatorError(answer.json()["error"])
        body: dict[str, Any] = answer.json()
        return body

    def control(self, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """POST a control call by name, or GET it when there is no body."""
        return self._call("GET", name) if body is None else self._call("POST", name, json=dict(body))

    def state(self) -> dict[str, Any]:
        """Step, day, switches and row counts."""
        return self._call("GET", "state")

    def step(self, **effects: Any) -> dict[str, Any]:
        """Take a step of time: added, changed, removed, restored, respelled, shuffled, blanked, advance_days."""
        return self._call("POST", "step", json=effects)

    def advance_days(self, days: int) -> dict[str, Any]:
        """Move today forward."""
        return self.step(advance_days=days)

    def quirks(self, **switches: Any) -> dict[str, Any]:
        """Switch quirks on, off or with numbers: quirks(Q14=True, Q13={"rate": 0.1})."""
        return self._call("POST", "quirks", json=switches)

    def truth(
        self, dataset: str, date_from: date | None = None, date_to: date | None = None, part: str | None = None
    ) -> dict[str, Any]:
        """Count, amount and digest of what is published; `date_to` exclusive."""
        return self._call("GET", "truth", params=_scope(dataset, date_from, date_to, part))

    def changes(
        self,
        dataset: str,
        date_from: date | None = None,
        date_to: date | None = None,
        part: str | None = None,
        since: int | None = None,
    ) -> dict[str, Any]:
        """What really changed since a step (by default the one before the current)."""
        scope = _scope(dataset, date_from, date_to, part)
        return self._call("GET", "changes", params=scope if since is None else {**scope, "since": str(since)})

    def fault(self, kind: str, path_contains: str = "", **settings: Any) -> dict[str, Any]:
        """Make matching requests go wrong."""
        return self._call("POST", "fault", json={"kind": kind, "path_contains": path_contains, **settings})

    def clear_faults(self) -> None:
        """Let everything go right again."""
        self._call("DELETE", "faults")

    def requests(self) -> dict[str, Any]:
        """Statistics of data requests since the last reset."""
        return self._call("GET", "requests")

    def reset_requests(self) -> None:
        """Start the statistics again."""
        self._call("DELETE", "requests")

    def close(self) -> None:
        """Close the connection for control calls."""
        self._http.close()


def _scope(dataset: str, first: date | None, last: date | None, part: str | None) -> dict[str, str]:
    values = {
        "dataset": dataset,
        "from": first.isoformat() if first else "",
        "to": last.isoformat() if last else "",
        "part": part or "",
    }
    return {name: value for name, value in values.items() if value}
