"""What a message came to, in a few words: how the truth and the tables are compared.

Not here: either of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Came:
    """A message, or one that was withheld.

    Args:
        subject: the visits, package, patient or colleague that it is about.
        channel: empty for one that was not even planned.
        became: sent, waits (for the morning), or the reason for which it did not go.
    """

    template: str
    subject: str
    channel: str
    became: str

    @property
    def is_planned(self) -> bool:
        """It was in the outbox, whatever became of it there."""
        return bool(self.channel)


def withheld(template: str, subject: str, reason: str) -> Came:
    """One that was not planned."""
    return Came(template, subject, "", reason)
