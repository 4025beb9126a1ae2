"""What goes back over HTTP: an answer as a value, its variants (XML, HTML) and how it is sent.

Only the form of answers; their content comes from routes.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from fisio_ayida.simulators.bdns.text import dumps
from fisio_ayida.simulators.listening import Send

JSON: Final = "application/json"
CHUNK: Final = 256 * 1024
NOT_FOUND_PAGE: Final = (
    "<!doctype html><html lang='es'><head><title>Estado HTTP 404 – No encontrado</title></head><body>"
    "<h1>Estado HTTP 404 – No encontrado</h1><hr><h3>Apache Tomcat/9 (simulado)</h3></body></html>"
)
ERROR_PAGE: Final = (
    "<!doctype html><html lang='es'><head><title>Error</title></head><body><h1>Se ha producido un error</h1>"
    "<p>Página ficticia en lugar de la respuesta.</p></body></html>"
)


@dataclass(frozen=True)
class Answer:
    """Status, media type and body; `length` announces a Content-Length instead of chunks."""

    body: bytes = b""
    status: int = 200
    media: str | None = JSON
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    cut: bool = False


def json_answer(value: object, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(dumps(value), status)


def not_found() -> Answer:
    """Tomcat's page for a path that does not exist (Q16)."""
    return Answer(NOT_FOUND_PAGE.encode(), 404, "text/html;charset=utf-8")


def html() -> Answer:
    """An HTML page where JSON was expected, with status 200 (Q15)."""
    return Answer(ERROR_PAGE.encode(), 200, "text/html;charset=UTF-8")


def maintenance() -> Answer:
    """The error that comes with status 200 (Q13)."""
    return json_answer(
        {"codigo": "ERR_MANTENIMIENTO_BBDD", "error": "Mensaje ficticio de base de datos en mantenimiento."}
    )


def gone() -> Answer:
    """What a document that is not there any more answers (Q33)."""
    return json_answer({"codigo": "ERR_VALIDACION", "errores": ["Mensaje ficticio: el documento no existe."]}, 400)


def as_xml(value: object, name: str = "ObjectNode") -> str:
    """The same value as the service writes it for browsers (Q17)."""
    if isinstance(value, dict):
        inner = "".join(as_xml(child, key) for key, child in value.items())
        return f"<{name}>{inner}</{name}>"
    if isinstance(value, list):
        if name == "ObjectNode":
            return f"<{name}>{''.join(as_xml(child, 'item') for child in value)}</{name}>"
        return "".join(as_xml(child, name) for child in value)
    if value is None:
        return f"<{name}/>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer, in chunks unless it has a length.

    A cut answer announces more bytes than it sends; raising then makes the server drop the connection.
    """
    headers = [
        (b"cache-control", b"no-cache, no-store, max-age=0, must-revalidate"),
        (b"set-cookie", b"XSRF-TOKEN=simulado; Path=/"),
    ]
    if answer.media and (answer.body or answer.status == 200):
        headers.append((b"content-type", answer.media.encode()))
    headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    length = answer.length
    if answer.cut:
        length = len(answer.body)
    elif not answer.body:
        length = 0
    if length is not None and answer.status != 204:
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = answer.body[: len(answer.body) * 2 // 3] if answer.cut else answer.body
    async for chunk in _chunks(body, CHUNK if length is None else 1 << 20):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if answer.cut:
        raise ConnectionAbortedError("cut on purpose")
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _chunks(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]
