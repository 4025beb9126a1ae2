"""The switches: which of the quirks Q1-Q41 are on, with their numbers, and what they remember.

Only switches and the few notes that a quirk needs between calls (what was null last time, which URL
failed last time). The quirks themselves show in the modules that answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Final

from fisio_ayida.simulators.bdns.config import SimulatorError
from fisio_ayida.simulators.bdns.hashing import one_hit, salt

Settings = dict[str, float | None]

# What each switch knows, with the numbers that it has when it is simply turned on.
KNOWN: Final[Mapping[str, Settings]] = {
    "Q2": {},
    "Q8": {},
    "Q13": {"rate": 0.05, "max_days": 31, "delay": 0.0},
    "Q14": {"window_ms": 100, "retry_after": None},
    "Q15": {"numconv_rate": 0.0},
    "Q20": {},
    "Q21": {},
    "Q23": {},
    "Q24": {"rate": 0.02},
    "Q25": {"rows": 1},
    "Q27": {},
    "Q41": {"scale": 1.0},
}
ON_BY_DEFAULT: Final = ("Q2", "Q15", "Q20", "Q21", "Q23")


class Quirks:
    """Which switches are on."""

    def __init__(self, initial: Mapping[str, object]) -> None:
        self._on: dict[str, Settings] = {name: dict(KNOWN[name]) for name in ON_BY_DEFAULT}
        self._failed_last: set[str] = set()
        self._null_last: set[tuple[str, int]] = set()
        self._blank_done: dict[tuple[str, int], set[int]] = {}
        self.apply(initial)

    def apply(self, changes: Mapping[str, object]) -> None:
        """Switch quirks: true, false, or an object with numbers.

        Raises:
            SimulatorError: an unknown quirk, number or kind of value; nothing is switched then.
        """
        turned = deepcopy(self._on)
        for name, value in changes.items():
            if name not in KNOWN:
                raise SimulatorError(f"quirk {name}: one of {', '.join(KNOWN)} is allowed")
            if value is False:
                turned.pop(name, None)
            elif value is True:
                turned[name] = dict(KNOWN[name])
            elif isinstance(value, Mapping):
                numbers = dict(KNOWN[name])
                for key, number in value.items():
                    if key not in numbers:
                        allowed = ", ".join(numbers) or "no number"
                        raise SimulatorError(f"quirk {name}:{key}: {allowed} is allowed")
                    if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
                        raise SimulatorError(f"quirk {name}:{key}={number!r}: a number is allowed")
                    numbers[key] = number
                turned[name] = numbers
            else:
                raise SimulatorError(f"quirk {name}={value!r}: true, false or an object of numbers is allowed")
        self._on = turned

    def on(self, name: str) -> bool:
        """True when a quirk is switched on."""
        return name in self._on

    def number(self, name: str, key: str) -> float | None:
        """A number of a quirk that is on; None when it is off."""
        return self._on.get(name, {}).get(key)

    def state(self) -> dict[str, object]:
        """All switches, for the control call."""
        return {name: self._on.get(name) or self.on(name) for name in KNOWN}

    def maintenance(self, url: str, days: int, call: int) -> bool:
        """True when this call gets the maintenance body (Q13); the same URL never twice in a row."""
        if not self.on("Q13"):
            return False
        if url in self._failed_last:
            self._failed_last.discard(url)
            return False
        limit = self.number("Q13", "max_days")
        rate = self.number("Q13", "rate") or 0.0
        if (limit is not None and days > limit) or one_hit(call, salt("Q13"), rate):
            self._failed_last.add(url)
            return True
        return False

    def nulls(self, what: str, key: int, call: int, blanked: tuple[int, bool] | None) -> bool:
        """True when the flapping fields of a row are null on this call; never twice in a row (Q24).

        Args:
            what: the dataset.
            key: the row.
            call: a number that differs from call to call.
            blanked: the latest blanking step and whether it hits this row.
        """
        note = (what, key)
        if note in self._null_last:
            self._null_last.discard(note)
            if blanked and blanked[1]:
                self._blank_done.setdefault((what, blanked[0]), set()).add(key)
            return False
        null = False
        if blanked and blanked[1]:
            done = self._blank_done.setdefault((what, blanked[0]), set())
            if key not in done:
                done.add(key)
                null = True
        if not null and self.on("Q24"):
            null = one_hit(key ^ call, salt("Q24"), self.number("Q24", "rate") or 0.0)
        if null:
            self._null_last.add(note)
        return null
