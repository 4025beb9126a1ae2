"""Senders that take their time: they are ended in ours, and nobody waits for them."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from fisio_ayida.gateway.protocol import raise_file_limit
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.gateway.running import KEY, LIMITS, Running, running, seconds

HEAD = f"POST /e/{KEY} HTTP/1.1\r\nhost: x\r\n".encode()
CANARY = {"name": "fisio_ayida/canary", "data": {}}


@pytest.fixture(scope="module")
def hasty(events_warehouse: Warehouse) -> Iterator[Running]:
    """A gateway with little patience."""
    with running(events_warehouse, limits=replace(LIMITS, head=seconds(0.5), body=seconds(0.5))) as served:
        yield served


def talk(gateway: Running, first: bytes, *, then: bytes = b"", every: float = 0.1) -> bytes:
    """Send something, then a byte now and again until the gateway has had enough; what it answered."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=every) as wire:
        wire.sendall(first)
        answer = b""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                part = wire.recv(65536)
            except TimeoutError:
                if then:
                    wire.sendall(then)
                continue
            except ConnectionResetError:
                return answer
            if not part:
                return answer
            answer += part
    raise AssertionError("the gateway still waits")


def told(answer: bytes) -> tuple[int, dict[str, object]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_head_that_dribbles_in_is_408(hasty: Running) -> None:
    status, body = told(talk(hasty, HEAD + b"x-long: ", then=b"a"))
    assert (status, body["status"]) == (408, 408)
    assert "the head has not arrived within 0.5 s" in str(body["error"])


def test_a_connection_that_says_nothing_is_closed(hasty: Running) -> None:
    assert talk(hasty, b"") == b""


def test_blank_lines_are_not_a_head(hasty: Running) -> None:
    assert told(talk(hasty, b"\r\n", then=b"\r\n"))[0] in (400, 408)


def test_a_body_that_dribbles_in_is_408(hasty: Running) -> None:
    status, body = told(talk(hasty, HEAD + b"content-length: 1000\r\n\r\n", then=b"a"))
    assert (status, body["ids"]) == (408, [])
    assert "the body has not arrived within 0.5 s" in str(body["error"])


def test_a_chunked_body_without_an_end_is_408(hasty: Running) -> None:
    head = HEAD + b"transfer-encoding: chunked\r\n\r\n"
    assert told(talk(hasty, head, then=b"1\r\na\r\n"))[0] == 408


def test_a_body_that_nobody_wants_does_not_hold_the_connection(hasty: Running) -> None:
    wrong = HEAD.replace(KEY.encode(), b"wrong") + b"content-length: 1000000\r\n\r\n"
    answer = talk(hasty, wrong, then=b"a")
    assert told(answer)[0] == 401
    assert b"connection: close" in answer


def test_a_head_without_an_end_is_431(hasty: Running) -> None:
    status, body = told(talk(hasty, HEAD + b"x-long: " + b"a" * 70_000))
    assert (status, body["status"]) == (431, 431)


def test_a_kept_connection_may_rest_longer_than_a_head_may_take(hasty: Running) -> None:
    with httpx.Client(base_url=hasty.url, limits=httpx.Limits(max_connections=1), trust_env=False) as client:
        for _ in range(2):
            answer = client.post(f"/e/{KEY}", json=CANARY)
            assert answer.status_code == 200
            wire = answer.extensions["network_stream"].get_extra_info("socket")
            port = wire.getsockname()[1]
            time.sleep(1)
        assert (
            client.get("/healthz").extensions["network_stream"].get_extra_info("socket").getsockname()[1] == port
        )


def test_a_thousand_slow_senders_keep_nobody_waiting(warehouse: Warehouse) -> None:
    raise_file_limit()
    with running(warehouse, limits=replace(LIMITS, head=seconds(6), body=seconds(6))) as gateway:
        ends, answers = asyncio.run(besiege(gateway, 1000))
    assert answers == [200] * 50
    assert gateway.count() == 50
    # Half of them dribble in their head, half their body; each is told so and let go.
    assert ends == Counter({408: 1000})


async def besiege(gateway: Running, size: int) -> tuple[Counter[int], list[int]]:
    """Slow senders, all at once, and among them a few in a hurry; how each ended."""
    starts = (HEAD + b"x-long: ", HEAD + b"content-length: 1000\r\n\r\n")
    wires = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(size)]

    async def dribble(number: int) -> int:
        reader, writer = wires[number]
        writer.write(starts[number % 2])
        ending = asyncio.ensure_future(reader.readline())
        while not ending.done():
            writer.write(b"a")
            await asyncio.wait([ending], timeout=1)
        writer.close()
        return int(ending.result().split()[1])

    async def hurry() -> list[int]:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=5, trust_env=False) as client:
            return [(await client.post(f"/e/{KEY}", json=CANARY)).status_code for _ in range(50)]

    slow = asyncio.gather(*(dribble(number) for number in range(size)))
    await asyncio.sleep(0.5)
    answers = await hurry()
    return Counter(await slow), answers
