"""The HTTP app: routes, shapes of errors, the page of the API.

Built by a call, so that tests build it with other parts. Not here: serving it (``server.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fisio_ayida.gateway import batch_api, event_api, looking_api, unsubscribe, webhooks
from fisio_ayida.gateway.access import Access
from fisio_ayida.gateway.answers import Refused, refusal
from fisio_ayida.gateway.door import Door, visit

_ABOUT = """
Events in, work out. The event API is Inngest's: point an SDK's base URL at this address. Every event is a row
before it is answered, and becomes work in Dagster.
"""


def build_app(door: Door) -> FastAPI:
    """The gateway over these parts. Its lifespan opens and closes them."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        door.writer.start()
        yield
        await door.writer.close()
        await asyncio.to_thread(door.reader.close)
        await asyncio.to_thread(door.keeper.close)
        await asyncio.to_thread(door.clinic.close)

    app = FastAPIOffline(
        title="fisio-ayida gateway",
        version="1",
        description=_ABOUT,
        redoc_url=None,  # its script fetches a logo from elsewhere
        # The validator's badge would be fetched from elsewhere, too.
        swagger_ui_parameters={"validatorUrl": None},
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.include_router(event_api.router(door))
    app.include_router(batch_api.router(door))
    app.include_router(looking_api.router(door))
    app.include_router(webhooks.router(door))
    app.include_router(unsubscribe.router(door))
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(Access, log=door.log, limits=door.limits, chance=door.chance)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101  registered for this class
    return refusal(request.url.path, error, visit(request).id)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class
    return await _refused(request, Refused(error.status_code, error.detail, error.headers))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class
    told = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
    return await _refused(request, Refused(400, told))
