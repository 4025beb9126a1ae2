"""The event API: what is answered, what is stored, whose ids they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from fisio_ayida.events.ids import Seed
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.gateway.running import KEY, Running, running, utc_now

DETAIL = {"name": "convocatorias/detail.requested", "data": {"bdns": "123456"}}
SEED = "1767225600000," + base64.b64encode(bytes(range(10))).decode()


def note(text: str, **more: Any) -> dict[str, Any]:
    return {"name": "fisio_ayida/canary", "data": {"note": text}, **more}


def test_one_event_is_a_row_and_its_id_the_answer(gateway: Running) -> None:
    answer = gateway.send(DETAIL)
    rows = gateway.rows("select id, name, state, data, source from events.inbox")
    assert answer.status_code == 200
    assert answer.json() == {"ids": [rows[0][0]], "status": 200}
    assert rows[0][1:] == ("convocatorias/detail.requested", "received", {"bdns": "123456"}, "http")


def test_ids_are_answered_in_the_order_of_the_events(gateway: Running) -> None:
    answer = gateway.send([note("a", id="z"), note("b"), note("c", id="a"), note("d")])
    ids = answer.json()["ids"]
    rows = gateway.rows("select id, data ->> 'note' from events.inbox order by seq")
    assert ids[0] == "z" and ids[2] == "a"
    assert rows == list(zip(ids, "abcd", strict=True))


def test_no_events_are_a_success(gateway: Running) -> None:
    assert gateway.send([]).json() == {"ids": [], "status": 200}


def test_all_fields_of_an_event_are_kept(gateway: Running) -> None:
    ts = int(utc_now().timestamp() * 1000) + 3_600_000
    gateway.send(note("x", ts=ts, user={"id": "u"}, v="2026-1", meta={"a": [1]}))
    rows = gateway.rows(
        "select extract(epoch from ts) * 1000, due_at = ts, user_data, version, meta from events.inbox"
    )
    assert rows == [(ts, True, {"id": "u"}, "2026-1", {"a": [1]})]


def test_an_alias_is_stored_under_its_name(gateway: Running) -> None:
    gateway.send({**DETAIL, "name": "app/convocatorias.detail.requested"})
    rows = gateway.rows("select name, received_name from events.inbox")
    assert rows == [("convocatorias/detail.requested", "app/convocatorias.detail.requested")]


def test_an_unknown_name_is_kept_and_answered_200(gateway: Running) -> None:
    answer = gateway.send({"name": "somebody/elses.event", "data": {"a": 1}})
    assert answer.status_code == 200
    assert gateway.rows("select name, state from events.inbox") == [("somebody/elses.event", "unmatched")]


def test_the_same_seed_gives_the_same_ids_and_no_second_row(gateway: Running) -> None:
    headers = {"x-inngest-event-id-seed": SEED}
    first = gateway.send([note("a"), note("b")], headers=headers).json()["ids"]
    again = gateway.send([note("a"), note("b")], headers=headers).json()["ids"]
    assert first == again == [Seed.parse(SEED).id(0), Seed.parse(SEED).id(1)]
    assert gateway.count() == 2


def test_without_a_seed_each_request_is_a_new_one(gateway: Running) -> None:
    ids = {gateway.send(note("a")).json()["ids"][0] for _ in range(3)}
    assert len(ids) == gateway.count() == 3


@pytest.mark.parametrize("seed", ["", "x", "1,", "1,AAAA", "-5,AAECAwQFBgcICQ==", "9" * 40 + ",AAECAwQFBgcICQ=="])
def test_a_malformed_seed_is_ignored_and_said_in_the_log(gateway: Running, seed: str) -> None:
    answer = gateway.send(note("a"), headers={"x-inngest-event-id-seed": seed})
    assert answer.status_code == 200
    assert [line["msg"] for line in gateway.lines() if line["level"] == "warning"] == ["seed ignored"]


def test_an_id_twice_in_one_request_is_one_row_and_answered_twice(gateway: Running) -> None:
    answer = gateway.send([note("a", id="same"), note("a", id="same")])
    assert answer.json() == {"ids": ["same", "same"], "status": 200}
    assert gateway.count() == 1
    assert gateway.count("conflicts") == 0


def test_an_id_again_does_nothing(gateway: Running) -> None:
    answers = [gateway.send(note("a", id="same")).json() for _ in range(2)]
    assert answers == [{"ids": ["same"], "status": 200}] * 2
    assert gateway.count() == 1


def test_another_body_under_an_id_is_kept_as_a_conflict(gateway: Running) -> None:
    gateway.send(note("first", id="same"))
    answer = gateway.send(note("second", id="same"))
    assert answer.json() == {"ids": ["same"], "status": 200}
    assert gateway.rows("select data ->> 'note' from events.inbox") == [("first",)]
    assert gateway.rows("select event_id, data ->> 'note' from events.conflicts") == [("same", "second")]


class TestABadEventAmongGoodOnes:
    @pytest.fixture
    def answer(self, gateway: Running) -> Iterator[dict[str, Any]]:
        bad = {"name": "convocatorias/detail.requested", "data": {"bdns": "zz"}}
        response = gateway.send([note("good"), bad, {"data": {}}], headers={"x-inngest-event-id-seed": SEED})
        assert response.status_code == 400
        yield response.json()

    def test_the_answer_names_place_field_and_value(self, answer: dict[str, Any]) -> None:
        assert answer["ids"] == [] and answer["status"] == 400
        assert "event 1 (convocatorias/detail.requested): data.bdns" in answer["error"]
        assert "'zz'" in answer["error"]
        assert "event 2: name is missing" in answer["error"]

    def test_only_the_bad_one_of_known_name_is_in_the_inbox(self, answer: Any, gateway: Running) -> None:
        rows = gateway.rows("select id, state, reason from events.inbox")
        assert [(id_, state) for id_, state, _ in rows] == [(Seed.parse(SEED).id(1), "dead")]
        assert "data.bdns" in rows[0][2]

    def test_the_request_is_kept_whole_and_once(self, answer: Any, gateway: Running) -> None:
        kept = gateway.rows("select status, reason, body from events.refused")
        assert [row[0] for row in kept] == [400]
        assert kept[0][1] == answer["error"]
        gateway.send(bytes(kept[0][2]), headers={"x-inngest-event-id-seed": SEED})
        assert gateway.rows("select times from events.refused") == [(2,)]
        assert gateway.count() == 1

    def test_what_was_kept_is_the_body_that_came(self, answer: Any, gateway: Running) -> None:
        body = json.loads(bytes(gateway.rows("select body from events.refused")[0][0]))
        assert [event.get("name") for event in body] == [
            "fisio_ayida/canary", "convocatorias/detail.requested", None,
        ]  # fmt: skip


def test_a_corrected_event_under_the_same_id_becomes_work(gateway: Running) -> None:
    gateway.send({"name": DETAIL["name"], "data": {"bdns": "zz"}, "id": "mine"})
    answer = gateway.send({**DETAIL, "id": "mine"})
    assert answer.status_code == 200
    assert gateway.rows("select state from events.inbox") == [("received",)]


class TestTheKey:
    @pytest.mark.parametrize("path", ["/e/wrong", "/e/", "/e", f"/e/{KEY}x", f"/e/{KEY}/more", "/e/%00"])
    def test_a_wrong_or_absent_one_is_401_and_leaves_nothing(self, gateway: Running, path: str) -> None:
        answer = gateway.client.post(path, json=DETAIL)
        assert answer.status_code == 401
        assert answer.json() == {"ids": [], "status": 401, "error": "this is not the INNGEST_EVENT_KEY"}
        assert gateway.count() == gateway.count("refused") == 0

    def test_two_keys_live_during_a_change(self, warehouse: Warehouse) -> None:
        with running(
            warehouse, environment={"INNGEST_EVENT_KEY": "new", "INNGEST_EVENT_KEY_PREVIOUS": "old"}
        ) as gateway:
            answers = [gateway.send(DETAIL, key=key).status_code for key in ("new", "old", "older")]
        assert answers == [200, 200, 401]

    def test_without_a_key_the_door_is_closed(self, warehouse: Warehouse) -> None:
        with running(warehouse, environment={}) as gateway:
            answer = gateway.send(DETAIL, key="")
            other = gateway.send(DETAIL, key="anything")
        assert answer.status_code == other.status_code == 401
        assert "no INNGEST_EVENT_KEY is configured" in other.json()["error"]

    def test_it_may_be_url_encoded(self, warehouse: Warehouse) -> None:
        key = "with space/slash+plus%percent-ñ"
        with running(warehouse, environment={"INNGEST_EVENT_KEY": key}) as gateway:
            assert gateway.send(DETAIL, key=quote(key, safe="")).status_code == 200
