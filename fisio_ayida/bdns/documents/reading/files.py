"""Which reader a file gets, what is inside an archive, and how a reading ends."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import BinaryIO

from fisio_ayida.bdns.documents import kinds
from fisio_ayida.bdns.documents.reading.budget import Budget, Exhausted, Unreadable
from fisio_ayida.bdns.documents.reading.markup import OFFICE, read_html, read_office
from fisio_ayida.bdns.documents.reading.pdf import read_pdf
from fisio_ayida.bdns.documents.reading.plain import read_plain
from fisio_ayida.bdns.documents.reading.protocol import Limits, Outcome, Reading, Task

_TOLD = 5  # notes that stand in the reason
_OFFICE_BY_TYPE = {kind.content_type: kind for kind in OFFICE}


class Unsupported(Unreadable):
    """There is no reader for this kind."""


def read(task: Task, limits: Limits) -> Reading:
    """The text of one file, or why there is none; only memory can run out of its hands."""
    budget = Budget(limits)
    outcome, reason = Outcome.EMPTY, ""
    try:
        with Path(task.path).open("rb") as file:
            size = file.seek(0, 2)
            if size > limits.input_bytes:
                raise Exhausted(f"more than {limits.input_bytes} bytes")
            _read(file, task.content_type, budget, depth=0)
    except Exhausted as error:
        outcome, reason, budget.truncated = Outcome.LIMIT, str(error), True
    except Unsupported as error:
        outcome, reason = Outcome.UNSUPPORTED, str(error)
    except Unreadable as error:
        outcome, reason = Outcome.FAILED, str(error)
    except OSError as error:
        outcome, reason = Outcome.FAILED, error.strerror or type(error).__name__
    text = budget.text()
    reasons = [*([reason] if reason else []), *budget.notes[:_TOLD]]
    if len(budget.notes) > _TOLD:
        reasons.append(f"and {len(budget.notes) - _TOLD} more")
    if text:
        outcome = Outcome.TEXT
    elif outcome is Outcome.EMPTY and not reasons:
        pages = f" in {budget.pages} pages: most likely pictures of paper" if budget.pages else ""
        reasons.append(f"no text{pages}")
    return Reading(
        outcome,
        ", ".join(budget.extractors) or "none",
        "; ".join(reasons) or None,
        text or None,
        budget.pages,
        budget.truncated,
    )


def _read(file: BinaryIO, content_type: str, budget: Budget, *, depth: int) -> None:
    if content_type == kinds.PDF.content_type:
        read_pdf(file, budget)
    elif content_type in _OFFICE_BY_TYPE:
        read_office(file, _OFFICE_BY_TYPE[content_type], budget)
    elif content_type == kinds.HTML.content_type:
        read_html(file, budget)
    elif content_type in (kinds.TEXT.content_type, kinds.CSV.content_type):
        read_plain(file, budget)
    elif content_type == kinds.ZIP.content_type:
        _read_archive(file, budget, depth=depth + 1)
    else:
        raise Unsupported(f"there is no reader for {content_type}")


def _read_archive(file: BinaryIO, budget: Budget, *, depth: int) -> None:
    """Every member that has a reader, each on its own: one that is broken does not hide the others."""
    if depth > budget.limits.depth:
        raise Unreadable(f"archives inside archives, more than {budget.limits.depth} deep")
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(f"broken: {type(error).__name__}: {error}") from None
    with archive:
        members = [each for each in archive.infolist() if not each.is_dir()]
        for member in members[: budget.limits.members]:
            try:
                _read_member(archive, member, budget, depth)
            except Unreadable as error:
                budget.note(f"{_shown(member)}: {error}")
        if len(members) > budget.limits.members:
            raise Exhausted(f"only {budget.limits.members} of {len(members)} members were read")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget, depth: int) -> None:
    if member.flag_bits & 0x1:
        raise Unreadable("locked with a password")
    # The directory's word is binding: no more than this ever comes out of the member.
    budget.unpacked(member.file_size)
    try:
        body = io.BytesIO(archive.read(member))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None
    except Exception as error:  # zlib, lzma and bz2 have errors of their own
        if isinstance(error, MemoryError):
            raise
        raise Unreadable(f"{type(error).__name__}: {error}") from None
    kind = kinds.kind_of(body, member.filename)
    budget.heading(member.filename)
    _read(body, kind.content_type, budget, depth=depth)


def _shown(member: zipfile.ZipInfo) -> str:
    return f"member {member.orig_filename[-60:]!r}"
