"""The words of this room: what is announced of a document, what is kept of it, what a visit came to.

Plain values; how they are found, fetched and written is in the modules beside.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """Whose document it is; ids of the two are apart."""

    CALL = "convocatoria"
    PLAN = "plan"


class State(StrEnum):
    STORED = "stored"
    FAILED = "failed"
    REFUSED = "refused"  # larger than we take
    GONE = "gone"


class Gone(StrEnum):
    REFUSED = "refused"  # still announced; the source answers that it does not exist
    UNLISTED = "unlisted"  # not announced any more


class Verdict(StrEnum):
    """What a visit of one document came to."""

    STORED = "stored"  # bytes that the store did not have
    SAME_BYTES = "same_bytes"  # asked for, and the store had them already
    RESTORED = "restored"  # it was gone and is announced again as before; not asked for
    UNCHANGED = "unchanged"  # not asked for
    GONE = "gone"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Target:
    """A document by its id and the call (BDNS code) or plan (id) that announces it.

    ``day`` is the call's registration or the plan's approval: newest first is by it.
    """

    origin: Origin
    id: int
    parent: str
    day: dt.date | None = None

    @property
    def partition(self) -> dt.date | None:
        """The registration day of the call; plans have none."""
        return self.day if self.origin is Origin.CALL else None


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the source says of a document before anybody asks for it; ``long`` in bytes."""

    target: Target
    nombre_fic: str | None
    long: int | None
    dat_mod: dt.date | None
    dat_publicacion: dt.date | None
    ejercicio: int | None
    tipo_documento: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of a document from earlier visits; ``held`` when its parent of then still announces it."""

    parent: str
    held: bool
    fingerprint: str
    state: State
    sha256: str | None
    gone_reason: Gone | None
    attempts: int
    next_attempt_at: dt.datetime | None
    doubtful_sha256: str | None
    refused_over: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes that are in the store."""

    path: str
    size: int
    sha256: str
    content_type: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One document of one run: what became of it, how many bytes came, and why if it went wrong."""

    target: Target
    verdict: Verdict
    size: int = 0
    error: str | None = None
