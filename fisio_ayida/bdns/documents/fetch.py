"""One document over the wire: into a scratch file, measured, and looked at before it counts as one.

Pacing and repeats are the client's. What is done with the bytes, and what a failure means for the row, is
``service.py``'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fisio_ayida.bdns.answers import raise_api_error
from fisio_ayida.bdns.client import BdnsClient
from fisio_ayida.bdns.documents import kinds
from fisio_ayida.bdns.documents.errors import DocumentTooLarge, EmptyDocument, LengthDiffers, PageInstead
from fisio_ayida.bdns.documents.model import Announcement, Origin
from fisio_ayida.bdns.documents.store import Scratch
from fisio_ayida.bdns.errors import RequestFailed, RequestRefused

PATHS = {Origin.CALL: "/convocatorias/documentos", Origin.PLAN: "/planesestrategicos/documentos"}
_LARGEST_ERROR = 4096  # an error object in a 200 is a line of JSON


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes that are a document, in the scratch file."""

    size: int
    sha256: str
    kind: kinds.Kind


async def fetch(
    announced: Announcement, client: BdnsClient, scratch: Scratch, *, most_bytes: int, believed: str | None = None
) -> Received:
    """Ask for a document once, with the client's repeats, and write it to ``scratch``.

    A body of another size than announced is refused unless its digest is ``believed``. Raises the client's
    errors, :class:`PageInstead`, :class:`EmptyDocument`, :class:`LengthDiffers`, :class:`DocumentTooLarge`, and
    :class:`StoreError` if the disk is full.
    """
    target = announced.target

    async def receive(chunks: AsyncIterator[bytes], url: str) -> Received:
        scratch.restart()
        digest, size, head = hashlib.sha256(), 0, b""
        async for chunk in chunks:
            size += len(chunk)
            if size > most_bytes:
                raise DocumentTooLarge(url, 200, f"more than {most_bytes} bytes")
            digest.update(chunk)
            if len(head) < _LARGEST_ERROR:
                head += chunk[:_LARGEST_ERROR]
            scratch.write(chunk)
        return _accepted(announced, scratch, url, size, head, digest.hexdigest(), believed)

    return await client.download(
        PATHS[target.origin],
        {"idDocumento": str(target.id)},
        allowed=("idDocumento", "vpd"),
        receive=receive,
        timeout=client.page_timeout,
    )


def says_gone(error: RequestFailed) -> bool:
    """Whether the source's answer is that there is no such document (CONTRACT §1.5)."""
    return isinstance(error, RequestRefused) and error.status in (200, 400) and "ERR_VALIDACION" in error.words


def _accepted(
    announced: Announcement, scratch: Scratch, url: str, size: int, head: bytes, sha256: str, believed: str | None
) -> Received:
    extension = kinds.extension_of(announced.nombre_fic)
    if size < _LARGEST_ERROR and extension != "json" and head.startswith((b'{"codigo"', b'{"error"')):
        raise_api_error(head, url)
    if not size and announced.long != 0:
        raise EmptyDocument(url, 200, "no bytes")
    if kinds.is_page(head) and extension not in kinds.HTML.extensions and size != announced.long:
        raise PageInstead(url, 200, "an HTML page instead of a document")
    if announced.long is not None and size != announced.long and sha256 != believed:
        raise LengthDiffers(url, announced.long, size, sha256)
    return Received(size, sha256, kinds.kind_of(scratch.file, announced.nombre_fic))
