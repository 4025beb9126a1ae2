"""Inngest's SDK for Python, from PyPI, pointed at the gateway by its own setting."""

from __future__ import annotations

import asyncio
from typing import Any

import inngest
import pytest

from fisio_ayida.events.registry import find
from fisio_ayida_tests.gateway.proxy import Fault, bad_network
from fisio_ayida_tests.gateway.running import KEY, Running
from fisio_ayida_tests.gateway.samples import samples


def client(url: str, key: str = KEY) -> inngest.Inngest:
    return inngest.Inngest(app_id="ayida-portal", event_api_base_url=url, event_key=key, is_production=True)


def event(sample: dict[str, Any], id_: str = "") -> inngest.Event:
    return inngest.Event(name=sample["name"], data=sample["data"], id=id_)


def stored(gateway: Running) -> list[tuple[Any, ...]]:
    return gateway.rows("select id, received_name, data, state from events.inbox order by seq")


def test_every_event_of_the_registry_is_taken_one_by_one(gateway: Running) -> None:
    sdk = client(gateway.url)
    ids = [sdk.send_sync(event(sample))[0] for sample in samples()]
    assert [(id_, name, data) for id_, name, data, _ in stored(gateway)] == [
        (id_, sample["name"], sample["data"]) for id_, sample in zip(ids, samples(), strict=True)
    ]
    # It was cancelled before its confirmation was due.
    assert {name for _, name, _, state in stored(gateway) if state != "received"} == {"appointment/created"}


def test_every_event_of_the_registry_is_taken_in_one_array(gateway: Running) -> None:
    ids = asyncio.run(client(gateway.url).send([event(sample) for sample in samples()]))
    rows = stored(gateway)
    assert [id_ for id_, *_ in rows] == ids
    assert all(find(name) for _, name, *_ in rows)


def test_an_id_of_the_apps_own_is_its_key_for_repeats(gateway: Running) -> None:
    sdk = client(gateway.url)
    for _ in range(2):
        assert sdk.send_sync(event(samples()[0], "mine")) == ["mine"]
    assert gateway.count() == 1


@pytest.mark.parametrize("faults", [["cut"], ["503"], ["cut", "503", "cut"]])
def test_a_repeat_after_a_lost_answer_does_not_double(gateway: Running, faults: list[Fault]) -> None:
    sent = samples()[:5]
    with bad_network(gateway.url, *faults) as network:
        ids = client(network.url).send_sync([event(sample) for sample in sent])
    assert network.answered == [200] * (len(faults) + 1)
    assert [id_ for id_, *_ in stored(gateway)] == ids
    assert gateway.count("conflicts") == 0


def test_a_wrong_key_is_an_error_that_says_so(gateway: Running) -> None:
    with pytest.raises(Exception, match="this is not the INNGEST_EVENT_KEY"):
        client(gateway.url, "wrong").send_sync(event(samples()[0]))


def test_a_bad_payload_is_an_error_that_names_the_field(gateway: Running) -> None:
    bad = inngest.Event(name="convocatorias/detail.requested", data={"bdns": "x"})
    with pytest.raises(Exception, match=r"data\.bdns"):
        client(gateway.url).send_sync(bad)
    assert [state for *_, state in stored(gateway)] == ["dead"]
