"""A request to the event API, judged as a whole: all of its events are taken, or none.

Pure: time and chance come in. Not here: judging one event (``events/admission.py``), storing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from fisio_ayida.events.admission import BadEvent, Candidate, TooLarge, judge, read
from fisio_ayida.events.ids import ENTROPY_BYTES, Seed

BAD, TOO_LARGE = 400, 413
_FAULTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """The candidates of a request that is taken; of one that is refused, those that are kept as dead.

    ``status`` and ``reason`` are what its sender is told; the reason is None where all is well. ``events`` is how
    many there were.
    """

    candidates: tuple[Candidate, ...]
    events: int
    status: int = 200
    reason: str | None = None


def judge_request(
    body: bytes, *, seed: Seed | None, now: dt.datetime, chance: Callable[[int], bytes], most: int
) -> Judged:
    """Judge every event of a body, so that the sender learns of all faults at once.

    Args:
        seed: the request's, from which come the ids of events that have none.
        chance: so many random bytes, for ids without a seed.
        most: the events that one request may have.
    """
    try:
        events = read(body)
    except BadEvent as error:
        return Judged((), 0, BAD, str(error))
    if len(events) > most:
        return Judged((), len(events), TOO_LARGE, f"the request has {len(events)} events, {most} are allowed")
    # A request without a seed gets one of ours, which nobody can repeat.
    own = seed or Seed(int(now.timestamp() * 1000), chance(ENTROPY_BYTES))
    good, dead, faults, status = [], [], [], BAD
    for index, (incoming, raw) in enumerate(events):
        try:
            candidate = judge(incoming, raw, own_id=own.id(index), seed=seed, now=now)
        except BadEvent as error:
            faults.append(f"event {index}: {error}")
            status = TOO_LARGE if isinstance(error, TooLarge) else status
        else:
            if candidate.problem is None:
                good.append(candidate)
            else:
                dead.append(candidate)
                faults.append(f"event {index} ({candidate.received_name}): {candidate.problem}")
    if faults:
        return Judged(tuple(dead), len(events), status, _told(faults, len(events)))
    return Judged(tuple(good), len(events))


def _told(faults: list[str], events: int) -> str:
    more = len(faults) - _FAULTS_SHOWN
    text = "; ".join(faults[:_FAULTS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return text if events == 1 else f"{text}. Nothing of this request was taken"
