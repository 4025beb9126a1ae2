"""The batch routes: Ayida's own, with a secret, an answer at once and a key for repeats."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from fisio_ayida.events.registry import routes
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.gateway.running import BEARER, Running, running

ONE, ALL = "sync-convocatoria-individual", "sync-convocatorias"


@pytest.mark.parametrize("route", routes())
def test_every_route_queues_its_event(gateway: Running, route: str) -> None:
    answer = gateway.batch(route, {"bdns": "123456"} if route == ONE else None)
    told = answer.json()
    ((id_, name, state, source, data),) = gateway.rows("select id, name, state, source, data from events.inbox")
    assert answer.status_code == 202
    assert told == {
        "eventId": id_, "runId": data["runId"], "status": "queued", "repeated": False,
        "statusUrl": f"/api/events/{id_}",
    }  # fmt: skip
    assert (name, state, source) == (routes()[route].name, "received", "batch")


def test_the_event_carries_a_run_id_and_a_time_as_ayidas_own_do(gateway: Running) -> None:
    gateway.batch(ALL)
    ((data, same),) = gateway.rows(
        "select data, date_trunc('milliseconds', received_at) = (data ->> 'timestamp')::timestamptz "
        "from events.inbox"
    )
    assert uuid.UUID(data["runId"]).version == 4
    assert data["timestamp"].endswith("Z") and same


def test_the_callers_own_run_id_stays(gateway: Running) -> None:
    answer = gateway.batch(ALL, {"runId": "mine", "timestamp": "then", "dateFrom": "2026-01-01"})
    assert answer.json()["runId"] == "mine"
    assert gateway.rows("select data from events.inbox") == [
        ({"runId": "mine", "timestamp": "then", "dateFrom": "2026-01-01"},)
    ]


@pytest.mark.parametrize(
    ("route", "body", "told"),
    [
        (ONE, None, "data.bdns: Field required"),
        (ONE, {"bdns": "abc"}, "it is 'abc'"),
        (ONE, {"bdns": 123456}, "data.bdns: Input should be a valid string (it is 123456)"),
        (ALL, {"dateFrom": "2026-13-01"}, "dateFrom='2026-13-01' is not a day"),
        (ALL, {"dateFrom": "2026-02-01", "dateTo": "2026-01-01"}, "is after dateTo"),
        (ALL, {"runId": 5}, "data.runId"),
    ],
)
def test_a_bad_field_is_named_and_the_event_kept_as_dead(
    gateway: Running, route: str, body: Any, told: str
) -> None:
    answer = gateway.batch(route, body)
    assert answer.status_code == 400
    assert told in answer.json()["detail"]
    assert gateway.rows("select state from events.inbox") == [("dead",)]


@pytest.mark.parametrize("body", [b"[]", b"5", b"{", b"hello", b'"text"', b"\xff", b'{"a":' * 5000])
def test_what_is_no_object_is_400_and_kept(gateway: Running, body: bytes) -> None:
    answer = gateway.client.post(f"/api/batch/{ALL}", content=body, headers=BEARER)
    assert answer.status_code == 400
    assert "not a JSON object" in answer.json()["detail"]
    assert gateway.rows("select body, source from events.refused") == [(body, "batch")]
    assert gateway.count() == 0


def test_a_body_of_nothing_but_space_is_none(gateway: Running) -> None:
    answer = gateway.client.post(f"/api/batch/{ALL}", content=b" \n", headers=BEARER)
    assert answer.status_code == 202


def test_a_body_that_is_too_long_is_413(gateway: Running) -> None:
    assert gateway.batch(ALL, {"x": "y" * 600_000}).status_code == 413
    assert gateway.batch(ALL, {"x": "y" * 4_000_000}).status_code == 413
    assert gateway.count() == 0


class TestAnIdempotencyKey:
    def test_again_gives_the_first_answer(self, gateway: Running) -> None:
        first = gateway.batch(ONE, {"bdns": "1"}, key="k").json()
        again = gateway.batch(ONE, {"bdns": "1"}, key="k")
        assert again.status_code == 202
        assert again.json() == {**first, "repeated": True}
        assert gateway.rows("select id from events.inbox") == [("k",)]

    def test_another_run_id_is_not_another_body(self, gateway: Running) -> None:
        first = gateway.batch(ALL, {"runId": "first"}, key="k").json()
        again = gateway.batch(ALL, {"runId": "second"}, key="k")
        assert (again.status_code, again.json()["runId"]) == (202, first["runId"])

    def test_another_body_is_422_and_kept(self, gateway: Running) -> None:
        gateway.batch(ONE, {"bdns": "1"}, key="k")
        answer = gateway.batch(ONE, {"bdns": "2"}, key="k")
        assert answer.status_code == 422
        assert gateway.rows("select data ->> 'bdns' from events.inbox") == [("1",)]
        assert gateway.rows("select data ->> 'bdns' from events.conflicts") == [("2",)]

    def test_another_route_is_422(self, gateway: Running) -> None:
        gateway.batch("sync-regiones", key="k")
        assert gateway.batch("sync-organos", key="k").status_code == 422

    def test_a_correction_of_a_refused_body_is_work(self, gateway: Running) -> None:
        assert gateway.batch(ONE, {"bdns": "x"}, key="k").status_code == 400
        assert gateway.batch(ONE, {"bdns": "1"}, key="k").status_code == 202
        assert gateway.rows("select state from events.inbox") == [("received",)]

    def test_of_any_characters_it_leads_to_its_event(self, gateway: Running) -> None:
        told = gateway.batch(ALL, key="with/slash ?&#%25 +..;=").json()
        found = gateway.client.get(told["statusUrl"], headers=BEARER)
        assert found.json()["id"] == told["eventId"]

    def test_that_is_too_long_is_400(self, gateway: Running) -> None:
        assert gateway.batch(ALL, key="k" * 257).status_code == 400


class TestTheSecret:
    @pytest.mark.parametrize(
        "authorization",
        [None, "", "Bearer", "Bearer wrong", "Basic secret-of-the-tests", "secret-of-the-tests", "Bearer ñ"],
    )
    def test_a_wrong_or_absent_one_is_401(self, gateway: Running, authorization: str | None) -> None:
        headers = {} if authorization is None else {"authorization": authorization.encode()}
        answers = [
            gateway.client.post(f"/api/batch/{ALL}", headers=headers),
            gateway.client.get("/api/events/any", headers=headers),
        ]
        for answer in answers:
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["requestId"] == answer.headers["x-request-id"]
        assert gateway.count() == 0

    def test_two_secrets_live_during_a_change(self, warehouse: Warehouse) -> None:
        with running(warehouse, environment={"CRON_SECRET": "new", "CRON_SECRET_PREVIOUS": "öld"}) as gateway:
            asked = [
                gateway.client.post(f"/api/batch/{ALL}", headers={"authorization": f"Bearer {secret}".encode()})
                for secret in ("new", "öld", "older")
            ]
        assert [answer.status_code for answer in asked] == [202, 202, 401]

    def test_without_a_secret_the_door_is_closed(self, warehouse: Warehouse) -> None:
        with running(warehouse, environment={}) as gateway:
            answers = [
                gateway.client.post(f"/api/batch/{ALL}", headers={"authorization": f"Bearer {secret}"})
                for secret in ("anything", "None")
            ]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert "no CRON_SECRET is configured" in answers[0].json()["detail"]


def test_numbers_of_a_body_keep_every_digit(gateway: Running) -> None:
    body = b'{"n":0.1234567890123456789012345678901234567890}'
    gateway.client.post(f"/api/batch/{ALL}", content=body, headers=BEARER)
    ((number,),) = gateway.rows("select data ->> 'n' from events.inbox")
    assert number == json.loads(body, parse_float=str)["n"]
