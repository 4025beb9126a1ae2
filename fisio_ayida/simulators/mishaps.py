"""What a stand-in of a message service can be told to do wrong, before or after the message has gone out.

Here: which fault meets which call, waiting and cutting. Not here: the words of a service's own errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from fisio_ayida.simulators.listening import Receive, SimulatorError
from fisio_ayida.simulators.serving import Reply, html_reply, left_within

BAD_GATEWAY: Final = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr>"
    "<center>nginx</center></body></html>"
)
_FOREVER_SECONDS: Final = 3600.0


@dataclass(slots=True)
class Mishap:
    """One thing that goes wrong.

    Args:
        kind: ``slow``, ``hang``, ``cut``, ``bad_gateway``, or one that only the service knows.
        recorded: whether the message has gone out before it goes wrong.
        times: for so many calls; None: for every call.
        route: only for calls whose path holds this.
        seconds: how long ``slow`` waits.
        text, code: what the service's own error says.
        retry_after: seconds, for ``too_many``; None: no such header.
    """

    kind: str
    recorded: bool = False
    times: int | None = 1
    route: str = ""
    seconds: float = _FOREVER_SECONDS
    text: str = ""
    code: int = 0
    retry_after: int | None = None


class Mishaps:
    """What will go wrong next, in the order in which it was asked for.

    Args:
        kinds: those that the service knows beside ``slow``, ``hang``, ``cut`` and ``bad_gateway``.
        route: which calls a fault meets that names no route.
    """

    def __init__(self, kinds: tuple[str, ...], route: str) -> None:
        self.kinds = ("slow", "hang", "cut", "bad_gateway", *kinds)
        self.waiting: list[Mishap] = []
        self._route = route

    def add(self, body: dict[str, Any]) -> None:
        """One more.

        Raises:
            SimulatorError: an unknown kind or setting.
        """
        known = {field.name for field in fields(Mishap)}
        if body.get("kind") not in self.kinds or set(body) - known:
            raise SimulatorError(
                f"a fault has a kind of {', '.join(self.kinds)}, and of {', '.join(sorted(known))}"
            )
        mishap = Mishap(**body)
        self.waiting.append(replace(mishap, route=mishap.route or self._route))

    def take(self, path: str) -> Mishap | None:
        """What goes wrong with this call."""
        for mishap in self.waiting:
            if mishap.route in path:
                if mishap.times is not None:
                    mishap.times -= 1
                    if mishap.times <= 0:
                        self.waiting.remove(mishap)
                return mishap
        return None


async def go_wrong(
    mishap: Mishap, serve: Callable[[], Reply], spoilt: Callable[[Mishap], Reply], receive: Receive
) -> Reply | None:
    """The answer of a call that goes wrong; None when nobody waits for it any more.

    Args:
        serve: does what was asked and gives the right answer.
        spoilt: the service's own error.
    """
    right = serve() if mishap.recorded else None
    if right is not None and right.status >= 400:
        return right
    if mishap.kind in ("slow", "hang"):
        if await left_within(receive, mishap.seconds if mishap.kind == "slow" else _FOREVER_SECONDS):
            return None
        return right or serve()
    if mishap.kind == "cut":
        return Reply(200, b" " * 64, cut=True)
    if mishap.kind == "bad_gateway":
        return html_reply(BAD_GATEWAY, 502)
    return spoilt(mishap)
