"""The secrets that open the gateway: two may live at a time, so that they can be changed without a closed hour.

Not here: where a request carries its secret; each route knows that.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one kind of caller. ``variable`` is the setting, for the answer that says it is missing."""

    variable: str
    _live: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, variable: str, *secrets: SecretStr | None) -> Keys:
        """The secrets that are set."""
        return cls(variable, tuple(each.get_secret_value().encode() for each in secrets if each is not None))

    def problem(self, given: bytes) -> str | None:
        """Why this secret does not open the door; None if it does. Without a secret set, nothing opens it.

        All live secrets are compared, each in constant time: the answer's time tells nothing about any of them.
        """
        if not self._live:
            return f"closed: no {self.variable} is configured"
        matches = [hmac.compare_digest(given, live) for live in self._live]
        return None if any(matches) else f"this is not the {self.variable}"
