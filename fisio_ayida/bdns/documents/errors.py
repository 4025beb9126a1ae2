"""What can go wrong with a document, one class for each kind; all but the last three are about one document."""

from __future__ import annotations

from fisio_ayida.bdns.errors import BadRequest, BdnsError, RequestFailed, UnusableBody


class UnknownDocument(BadRequest):
    """The call has no such document, or the source says that it does not exist; the message has its words."""


class PageInstead(UnusableBody):
    """An HTML error page where a document was expected."""

    advice = "It is asked for again later."


class EmptyDocument(UnusableBody):
    advice = "It is asked for again later."


class LengthDiffers(UnusableBody):
    """A whole body of another size than announced; ``sha256`` is its digest."""

    advice = "It is asked for again later, and believed if the same bytes come."

    def __init__(self, url: str, announced: int, received: int, sha256: str) -> None:
        super().__init__(url, 200, f"{received} bytes came, {announced} were announced")
        self.sha256 = sha256


class DocumentTooLarge(RequestFailed):
    advice = "Raise DOCUMENTS_MAX_BYTES to have it."


class StoreError(BdnsError):
    """The store of DOCUMENTS_URL cannot be used; one line that says what to do."""


class MissingObject(StoreError):
    """A row says that bytes are stored, and they are not."""


class ReaderError(BdnsError):
    """The process that reads texts does not start."""
