"""One HTTP call: what is known when it fails, and what a hostile answer cannot do."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from fisio_ayida.messaging.channels.calling import (
    LARGEST_ANSWER_BYTES,
    Answer,
    Lost,
    NotSent,
    Turn,
    call,
    http_client,
    unanswered,
    wished_pause,
)
from fisio_ayida.messaging.model import Ambiguous, Transient
from fisio_ayida.warehouse.clock import ClockError
from fisio_ayida_tests.messaging.senders import closed_port

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asked(talk: Talk, *, seconds: float = 20, authorization: str = "x") -> tuple[Answer | NotSent | Lost, int]:
    """One POST to a server that talks like this, and how many requests it read."""

    async def main() -> tuple[Answer | NotSent | Lost, int]:
        requests = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal requests
            try:
                await reader.readuntil(b"\r\n\r\n")
                requests += 1
                await talk(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with http_client(2) as client:
            outcome = await call(
                client,
                "POST",
                url,
                headers={"Authorization": authorization},
                body=b"{}",
                timeout=dt.timedelta(seconds=seconds),
            )
        server.close()
        return outcome, requests

    return asyncio.run(main())


def saying(text: bytes) -> Talk:
    """Answers with these bytes and hangs up."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return talk


def test_an_answer_is_read_whole() -> None:
    answer, _ = asked(saying(b'HTTP/1.1 201 Created\r\ncontent-length: 16\r\n\r\n{"a": [{"b":1}]}'))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.field("a", 0, "b"), answer.field("a", 1), answer.text("b")) == (201, 1, None, "")


def test_what_is_no_json_is_none() -> None:
    answer, _ = asked(saying(b"HTTP/1.1 502 Bad\r\ncontent-length: 6\r\n\r\n<html>"))
    assert isinstance(answer, Answer)
    assert (answer.json, answer.field("name"), answer.text("message")) == (None, None, "")


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    answer, requests = asked(saying(b"HTTP/1.1 307 X\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"))
    assert isinstance(answer, Answer)
    assert (answer.status, requests) == (307, 1)


def test_of_a_huge_answer_only_the_beginning_is_read() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    answer, _ = asked(talk)
    assert isinstance(answer, Answer)
    assert len(answer.body) == LARGEST_ANSWER_BYTES


def test_an_answer_that_drips_does_not_outlast_the_deadline() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    answer, _ = asked(talk, seconds=1)
    assert isinstance(answer, Lost)
    assert (answer.code, answer.status) == ("timeout", 200)


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", b"nonsense\r\n\r\n"])
def test_a_connection_that_breaks_after_the_request_leaves_the_outcome_open(text: bytes) -> None:
    answer, _ = asked(saying(text))
    assert isinstance(answer, Lost)
    assert isinstance(unanswered(answer), Ambiguous)


def test_calls_share_as_many_connections_as_are_allowed_and_wait_for_one() -> None:
    async def main() -> tuple[list[Answer | NotSent | Lost], int]:
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            with contextlib.suppress(asyncio.IncompleteReadError):
                while True:
                    await reader.readuntil(b"\r\n\r\n")
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with http_client(2) as client:
            calls = [call(client, "GET", url, headers={}, timeout=dt.timedelta(seconds=20)) for _ in range(10)]
            answers = await asyncio.gather(*calls)
        server.close()
        return list(answers), connections

    answers, connections = asyncio.run(main())
    assert all(isinstance(answer, Answer) for answer in answers)
    assert connections == 2


def test_where_nobody_knows_whose_turn_it_is_nothing_is_sent() -> None:
    @contextlib.asynccontextmanager
    async def no_turn() -> AsyncIterator[Turn]:
        raise ClockError("no turn for resend: the database stays away")
        yield

    async def main() -> Answer | NotSent | Lost:
        async with http_client(1) as client:
            return await call(
                client, "POST", closed_port(), headers={}, timeout=dt.timedelta(seconds=20), turn=no_turn()
            )

    outcome = asyncio.run(main())
    assert outcome == NotSent("no_turn", "no turn for resend: the database stays away")
    assert isinstance(unanswered(outcome), Transient)


def test_a_failed_tls_handshake_sent_nothing() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no TLS\r\n")

    async def main() -> Answer | NotSent | Lost:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with http_client(1) as client:
            outcome = await call(client, "POST", url, headers={}, body=b"{}", timeout=dt.timedelta(seconds=20))
        server.close()
        return outcome

    assert isinstance(asyncio.run(main()), NotSent)


def test_a_refused_connection_sent_nothing_and_may_be_tried_again() -> None:
    async def main() -> Answer | NotSent | Lost:
        async with http_client(1) as client:
            return await call(client, "POST", closed_port(), headers={}, timeout=dt.timedelta(seconds=20))

    outcome = asyncio.run(main())
    assert isinstance(outcome, NotSent)
    assert unanswered(outcome) == Transient("connect_failed", outcome.reason, channel=True)


@pytest.mark.parametrize("secret", ["Bearer abc\r\nx: y", "Bearer café\n"])
def test_a_header_that_cannot_be_sent_sends_nothing_and_is_not_repeated_in_the_reason(secret: str) -> None:
    outcome, requests = asked(saying(b""), authorization=secret)
    assert isinstance(outcome, NotSent)
    assert requests == 0
    assert "abc" not in outcome.reason and "caf" not in outcome.reason


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3),
        ({"ratelimit-reset": "2"}, 2),
        ({"retry-after": "1.5", "ratelimit-reset": "9"}, 1.5),
        ({"retry-after": "999999999999"}, 3600),
        ({"retry-after": "Fri, 20 Nov 2026 15:30:00 GMT"}, None),
        ({"retry-after": "."}, None),
        ({}, None),
    ],
)
def test_the_wish_of_a_provider(headers: dict[str, str], seconds: float | None) -> None:
    wish = wished_pause(Answer(429, httpx.Headers(headers), b"", None))
    assert wish == (None if seconds is None else dt.timedelta(seconds=seconds))
