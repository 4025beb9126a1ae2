"""``/unsubscribe/{token}``: the page behind the link in e-mails, and the click of a mail program (RFC 8058).

Looking changes nothing, because programs look at links before people do; only POST does. Not here: what a link
says and what a click records (``messaging/unsubscribing.py``).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

import jinja2
import psycopg
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from fisio_ayida.events.outcomes import words
from fisio_ayida.gateway.answers import Refused
from fisio_ayida.gateway.bodies import read_body
from fisio_ayida.gateway.door import Door
from fisio_ayida.gateway.line import Connection, Unavailable
from fisio_ayida.messaging import unsubscribing
from fisio_ayida.messaging.unsubscribing import EVERYTHING, Link
from fisio_ayida.warehouse.clinic import ClinicDoor

_WHAT = {
    "marketing": "novidades e ofertas",
    "care": "mensagens de acompanhamento",
    "transactional": "lembretes e confirmações de sessões",
    EVERYTHING: "todas as mensagens automáticas",
}
_STYLE = """
body{margin:0;background:#f3f5f7;color:#1f2933;font:1.0625rem/1.6 system-ui,sans-serif}
main{max-width:30rem;margin:10vh auto;padding:2.5rem;background:#fff;border-radius:.75rem;
box-shadow:0 1px 4px rgba(0,0,0,.12)}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.3}
p{margin:0 0 1.5rem}
button{font:inherit;width:100%;padding:.75rem 1rem;border:0;border-radius:.5rem;background:#0b6e6e;color:#fff;
cursor:pointer}
button:hover,button:focus{background:#084f4f}
form+p,.quiet{color:#52606d;font-size:.9375rem}
.quiet button{background:#fff;color:#0b6e6e;border:1px solid #0b6e6e}
@media(max-width:34rem){main{margin:0;min-height:100vh;border-radius:0;padding:1.5rem}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    # The link is a key: it must not travel on.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}
_PAGE = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    Path(__file__).with_name("unsubscribe.html.j2").read_text()
)
_LONGEST_BODY = 64 * 1024
_CLINIC = "select name from clinic.organizations where id = %s"


def router(door: Door) -> APIRouter:
    """The page and the click."""
    routes = APIRouter(include_in_schema=False)

    async def look(request: Request) -> Response:
        try:
            found = await _known(door, request)
        except Refused as refused:
            return _refused(refused)
        return _page("ask", 200, what=_WHAT[found.category], clinic=await _clinic(door, found))

    async def stop(request: Request) -> Response:
        try:
            found = await _known(door, request)
            everything = await _wants_everything(request, door)
            now = door.now()
            await door.keep(lambda conn: unsubscribing.stop(conn, found, everything=everything, now=now))
        except Refused as refused:
            return _refused(refused)
        is_all = everything or found.category == EVERYTHING
        what, clinic = _WHAT[EVERYTHING if is_all else found.category], await _clinic(door, found)
        return _page("done", 200, what=what, clinic=clinic, more=not is_all)

    routes.add_api_route("/unsubscribe/{token}", look, methods=["GET"])
    routes.add_api_route("/unsubscribe/{token}", stop, methods=["POST"])
    return routes


async def _known(door: Door, request: Request) -> Link:
    """What the link says.

    Raises:
        Refused: 404 for a link that is not ours; 503 without the database.
    """
    token = request.path_params["token"]

    def read(conn: Connection) -> Link | None:
        return unsubscribing.read(door.hasher(conn), token)

    found = await door.look(read)
    if found is None or found.category not in _WHAT:
        raise Refused(404, "this link is not ours, or was changed on its way")
    return found


async def _clinic(door: Door, found: Link) -> str | None:
    """The clinic's name, if FisioFlow's database tells: nobody's no waits for it."""
    # Naming the organisation is needed under row security, and does no harm without it.
    clinic = ClinicDoor(tenant=door.settings.clinic_tenant_setting)

    def read(there: Connection) -> str | None:
        row = there.execute(_CLINIC, [found.organization_id]).fetchone()
        return None if row is None else str(row[0])

    try:
        return await door.clinic.call(
            lambda conn: clinic.within(conn, found.organization_id, read), door.limits.database
        )
    except (Unavailable, psycopg.Error) as error:
        door.log.error("the clinic was not read", extra={"reason": words(error)})
        return None


async def _wants_everything(request: Request, door: Door) -> bool:
    """Whether the second button was pressed. A mail program's click, or an empty body, means the link's own."""
    body = await read_body(request, door.limits)
    if len(body) > _LONGEST_BODY:
        raise Refused(413, "the form has two fields at most")
    return parse_qs(body.decode("latin-1")).get("scope") == [EVERYTHING]


def _refused(refused: Refused) -> Response:
    return _page("gone" if refused.status == 404 else "later", refused.status, headers=refused.headers)


def _page(
    state: str,
    status: int,
    *,
    what: str = "",
    clinic: str | None = None,
    more: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response:
    html = _PAGE.render(style=_STYLE, state=state, what=what, clinic=clinic, more=more)
    return HTMLResponse(html, status, {**_HEADERS, **(headers or {})})
