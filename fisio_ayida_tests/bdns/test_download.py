"""The client's way with bodies that are not JSON: in pieces, within a time for the whole, anew at every try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from fisio_ayida.bdns.errors import AnswerBrokeOff
from fisio_ayida_tests.bdns.conftest import Lab

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that never stops and never ends: no single wait is long."""
    with suppress(ConnectionError):
        writer.write(HEAD)
        for _n in range(1000):
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)


def test_a_body_that_drips_is_given_up_as_a_whole_and_begun_anew(shared_lab: Lab) -> None:
    tries: list[bytes] = []

    async def receive(chunks: AsyncIterator[bytes], url: str) -> None:
        tries.append(b"")
        async for chunk in chunks:
            tries[-1] += chunk

    async def run() -> None:
        async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
            base = "http://{}:{}/api".format(*server.sockets[0].getsockname())
            async with shared_lab.context(BDNS_BASE_URL=base, BDNS_MAX_RETRIES=1) as context:
                with pytest.raises(AnswerBrokeOff, match=r"not complete after 0.3 s. The connection was cut"):
                    await context.client.download("/x", {}, allowed=(), receive=receive, timeout=0.3)
                assert context.client.traffic.requests == 2

    asyncio.run(run())
    assert len(tries) == 2 and all(0 < len(body) < 1000 for body in tries)


def test_a_parameter_that_the_path_does_not_have_is_never_sent(shared_lab: Lab) -> None:
    async def receive(chunks: AsyncIterator[bytes], url: str) -> None: ...

    async def run() -> None:
        async with shared_lab.context() as context:
            with pytest.raises(ValueError, match="/convocatorias/documentos has no parameter id"):
                await context.client.download(
                    "/convocatorias/documentos", {"id": "1"}, allowed=("idDocumento",), receive=receive, timeout=1
                )
            assert context.client.traffic.requests == 0

    asyncio.run(run())
