"""The control calls below /_control: steps, switches, faults, statistics and the referee.

Not part of the real service; tests, benchmarks and the demo use them to direct the simulation.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qsl

from fisio_ayida.simulators.bdns.answers import Answer, json_answer
from fisio_ayida.simulators.bdns.config import SimulatorError, day_date
from fisio_ayida.simulators.bdns.faults import Faults
from fisio_ayida.simulators.bdns.statistics import Statistics
from fisio_ayida.simulators.bdns.truth import Referee
from fisio_ayida.simulators.bdns.truth import Scope as DataScope
from fisio_ayida.simulators.bdns.world import World
from fisio_ayida.simulators.listening import Receive, Scope

PREFIX: Final = "/_control"


class Control:
    """Answers control calls."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults()
        self.statistics = Statistics()
        self.referee = Referee(world)

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """The answer of one control call."""
        values = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        try:
            body = await _body(receive) if scope["method"] == "POST" else {}
            return json_answer(self._act(scope["method"], scope["path"][len(PREFIX) :].strip("/"), values, body))
        except SimulatorError as error:
            return json_answer({"error": str(error)}, 400)

    def _act(self, method: str, name: str, values: dict[str, str], body: dict[str, Any]) -> dict[str, object]:
        match method, name:
            case "GET", "state":
                return self.state()
            case "POST", "quirks":
                self.world.switch(body)
                return self.state(counted=False)
            case "POST", "step":
                self.world.step(body)
                return self.state(counted=False)
            case "POST", "fault":
                self.faults.add(body)
                return {"faults": len(self.faults.all)}
            case "DELETE", "faults":
                self.faults.all.clear()
                return {"faults": 0}
            case "GET", "requests":
                return self.statistics.report()
            case "DELETE", "requests":
                # What is in flight ends on the statistics that it began on.
                self.statistics = Statistics()
                return self.statistics.report()
            case "GET", "truth":
                return self.referee.truth(DataScope.read(values))
            case "GET", "changes":
                since = values.get("since")
                if since is not None and not since.isdigit():
                    raise SimulatorError(f"since={since!r}: a step number is allowed")
                return self.referee.changes(DataScope.read(values), None if since is None else int(since))
            case _:
                raise SimulatorError(
                    f"{method} {PREFIX}/{name}: GET state, truth, changes, requests; POST quirks, step, fault; "
                    "DELETE faults, requests are allowed"
                )

    def state(self, counted: bool = True) -> dict[str, object]:
        """Where the simulation stands; row counts only on demand, they take long at a large volume."""
        timeline, config = self.world.timeline, self.world.config
        now = timeline.now
        counts = {
            name: sum(population.size(part, now) for part in population.parts(now))
            for name, population in self.world.populations.items()
            if counted
        }
        return {
            "step": now,
            "today": day_date(timeline.today).isoformat(),
            "seed": config.seed,
            "quirks": self.world.quirks.state(),
            "faults": [{"kind": fault.kind, "path_contains": fault.path_contains} for fault in self.faults.all],
            "first_day": {
                name: day_date(population.first).isoformat()
                for name, population in self.world.populations.items()
                if population.daily
            },
            **({"rows": counts} if counted else {}),
        }


async def _body(receive: Receive) -> dict[str, Any]:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    try:
        value = json.loads(b"".join(parts) or b"{}")
    except ValueError as error:
        raise SimulatorError(f"body: a JSON object is allowed ({error})") from None
    if not isinstance(value, dict):
        raise SimulatorError("body: a JSON object is allowed")
    return value
