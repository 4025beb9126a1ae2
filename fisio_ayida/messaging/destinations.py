"""Where a message goes today: where the caller said, or else its cause's or its patient's address of now.

Here: the possible addresses, and why there is none. Not here: what makes an address one (``addresses.py``), and
which of them may be written to (``claims.py`` asks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fisio_ayida.messaging.addresses import AddressError, AddressProblem, canonical
from fisio_ayida.messaging.causes import KINDS, Reading
from fisio_ayida.messaging.letters import Letter, Letters
from fisio_ayida.messaging.model import Channel
from fisio_ayida.messaging.people import Person
from fisio_ayida.messaging.picking import Row


@dataclass(frozen=True, slots=True)
class Destination:
    """One address; ``problem`` if it is none."""

    to: str = ""
    hash: bytes | None = None
    problem: AddressProblem | None = None


def destinations(
    row: Row, letter: Letter | None, reading: Reading | None, persons: Mapping[str, Person], letters: Letters
) -> list[Destination]:
    """The possible ones, never none; a patient with several devices has as many."""
    person = persons.get(row.patient_id or "")
    known = (letter.to if letter else None) or (reading.to if reading else None)
    given: Sequence[str | None] = [known] if known else []
    if not given and person is not None:
        given = person.addresses[row.channel]
    return [_destination(row.channel, each, letters) for each in given or [None]]


def problem(row: Row, destination: Destination, reading: Reading | None) -> AddressProblem | None:
    """What is wrong with it; nothing where the cause is over that would have told it: then that is the reason."""
    if reading is not None and not reading.now.wanted and KINDS[row.cause_kind or ""].knows_address:
        return None
    return destination.problem


def _destination(channel: Channel, given: str | None, letters: Letters) -> Destination:
    try:
        to = canonical(channel, given)
    except AddressError as error:
        return Destination(problem=error.reason)
    return Destination(to, letters.hasher.address(channel, to))
