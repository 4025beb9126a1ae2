"""Text of PDF files, page by page, with pypdf."""

from __future__ import annotations

import logging
from typing import BinaryIO

import pypdf
from pypdf.errors import DependencyError, PyPdfError

from fisio_ayida.bdns.documents.reading.budget import Budget, Unreadable

EXTRACTOR = f"pypdf {pypdf.__version__}"

# It warns of every flaw of every file; what matters comes as an error.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read_pdf(file: BinaryIO, budget: Budget) -> None:
    """Add the text of the first pages; raises :class:`Unreadable` for a locked or broken file."""
    budget.used(EXTRACTOR)
    try:
        reader = pypdf.PdfReader(file, strict=False)
        # Most locked files only forbid printing or changing, and open without a password.
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("locked with a password")
        count = len(reader.pages)
    except DependencyError as error:
        raise Unreadable(f"locked: {error}") from None
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        raise Unreadable(f"broken: {type(error).__name__}: {str(error)[:200]}") from None
    budget.pages = (budget.pages or 0) + count
    wanted = min(count, budget.limits.pages)
    for number in range(wanted):
        budget.check_time()
        try:
            text = reader.pages[number].extract_text()
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            # One broken page; the others may be fine. Its words may quote the page.
            budget.note(f"page {number + 1}: {type(error).__name__}")
            continue
        budget.add(text + "\n\n")
    if wanted < count:
        budget.truncated = True
        budget.note(f"only {wanted} of {count} pages were read")
