"""How an event fares, and how the gateway does."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest

from fisio_ayida.warehouse.engine import Warehouse, WarehouseError
from fisio_ayida.warehouse.revisions import head
from fisio_ayida_tests.gateway.running import BEARER, ENVIRONMENT, Running, running, utc_now

CANARY = {"name": "fisio_ayida/canary", "data": {"note": "nobody else's business"}}


class TestAnEventsState:
    def test_a_new_event_has_been_received_and_nothing_else(self, gateway: Running) -> None:
        (id_,) = gateway.send(CANARY).json()["ids"]
        answer = gateway.client.get(f"/api/events/{id_}", headers=BEARER)
        told = answer.json()
        assert answer.status_code == 200
        assert (told["id"], told["name"], told["state"], told["attempts"]) == (id_, CANARY["name"], "received", 0)
        assert [step["state"] for step in told["steps"]] == ["received"]
        assert told["runId"] is told["runUrl"] is told["reason"] is None

    def test_the_payload_is_not_told(self, gateway: Running) -> None:
        (id_,) = gateway.send(CANARY).json()["ids"]
        assert "nobody" not in gateway.client.get(f"/api/events/{id_}", headers=BEARER).text

    def test_each_state_has_its_time_and_the_run_is_the_claims(self, gateway: Running) -> None:
        (id_,) = gateway.send(CANARY).json()["ids"]
        claim = uuid.uuid4()
        with gateway.warehouse.connect(autocommit=True) as connection:
            connection.execute(
                "insert into events.claims (id, kind, job, run_config, run_id, requested_at, lease_until) "
                "values (%s, 'batch', 'process_events', '{}', 'run-7', now(), now())",
                [claim],
            )
            connection.execute(
                "update events.inbox set state = 'claimed', claim_id = %s, attempt = 1, changed_at = now()",
                [claim],
            )
        told = gateway.client.get(f"/api/events/{id_}", headers=BEARER).json()
        assert (told["state"], told["attempts"], told["runId"]) == ("claimed", 1, "run-7")
        assert [(step["state"], step["attempt"]) for step in told["steps"]] == [("received", 0), ("claimed", 1)]
        assert told["steps"][0]["at"] == told["receivedAt"] < told["steps"][1]["at"] == told["changedAt"]

    def test_the_run_has_a_link_where_the_ui_is_known(self, warehouse: Warehouse) -> None:
        environment = {**ENVIRONMENT, "DAGSTER_UI_URL": "https://dagster.example/"}
        with running(warehouse, environment=environment) as gateway:
            (id_,) = gateway.send(CANARY).json()["ids"]
            with warehouse.connect(autocommit=True) as connection:
                connection.execute("update events.inbox set state = 'done', run_id = 'run-8'")
            told = gateway.client.get(f"/api/events/{id_}", headers=BEARER).json()
        assert told["runUrl"] == "https://dagster.example/runs/run-8"

    def test_a_refused_event_says_why(self, gateway: Running) -> None:
        gateway.send({"name": "convocatorias/detail.requested", "data": {}, "id": "mine"})
        told = gateway.client.get("/api/events/mine", headers=BEARER).json()
        assert told["state"] == "dead" and "data.bdns" in told["reason"]
        assert [step["state"] for step in told["steps"]] == ["dead"]

    @pytest.mark.parametrize("id_", ["none", "a/b", "\0", "'; drop", "x" * 2000])
    def test_an_unknown_id_is_404(self, gateway: Running, id_: str) -> None:
        answer = gateway.client.get(f"/api/events/{quote(id_, safe='')}", headers=BEARER)
        assert answer.status_code == 404
        assert answer.json()["detail"] == "no event has this id"


class Clock:
    """A time that a test moves, so that an answer of a second ago is not given again."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta(0)

    def __call__(self) -> dt.datetime:
        self.ahead += dt.timedelta(seconds=2)
        return utc_now() + self.ahead


class TestReadiness:
    @pytest.fixture
    def ready(self, warehouse: Warehouse) -> Iterator[Running]:
        with running(warehouse, now=Clock()) as gateway:
            gateway.beat()
            yield gateway

    def due(self, gateway: Running, name: str, ago: dt.timedelta) -> None:
        gateway.send({"name": name})
        with gateway.warehouse.connect(autocommit=True) as connection:
            connection.execute("update events.inbox set due_at = %s", [utc_now() - ago])

    def test_a_gateway_with_a_living_sensor_is_ready(self, ready: Running) -> None:
        answer = ready.client.get("/readyz")
        told = answer.json()
        assert answer.status_code == 200
        assert (told["status"], told["problems"], told["database"], told["migrations"]) == (
            "ready",
            [],
            True,
            True,
        )
        assert 0 <= told["daemonSeenSecondsAgo"] < 60

    def test_a_silent_sensor_is_degraded_and_events_are_still_accepted(self, ready: Running) -> None:
        ready.beat(dt.timedelta(minutes=5))
        answer = ready.client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert "is the Dagster daemon running?" in answer.json()["problems"][0]
        assert ready.client.get("/readyz?strict=true").status_code == 503

    def test_an_old_backlog_is_degraded(self, ready: Running) -> None:
        self.due(ready, "fisio_ayida/canary", dt.timedelta(hours=1))
        told = ready.client.get("/readyz").json()
        assert told["status"] == "degraded"
        assert told["oldestWaitingSeconds"] == pytest.approx(3600, abs=120)

    def test_a_message_that_nobody_sends_is_degraded(self, ready: Running) -> None:
        with ready.warehouse.connect(autocommit=True) as connection:
            connection.execute(
                "insert into messaging.messages "
                "(key, job, category, channel, heeds_quiet, state, due_at, planned_at, changed_at) "
                "select 'k', 'test', 'direct', 'email', false, 'planned', at, at, at "
                "from (select now() - interval '1 hour' as at) a"
            )
            told = ready.client.get("/readyz").json()
            connection.execute("delete from messaging.messages")
        assert told["status"] == "degraded" and "a message has been due" in told["problems"][0]

    @pytest.mark.parametrize("name", ["patient/created", "somebody/elses.event"])
    def test_what_has_no_work_yet_does_not_wait(self, ready: Running, name: str) -> None:
        self.due(ready, name, dt.timedelta(hours=1))
        told = ready.client.get("/readyz").json()
        assert (told["status"], told["oldestWaitingSeconds"]) == ("ready", None)

    def test_tables_of_another_release_are_503(self, ready: Running) -> None:
        with ready.warehouse.connect(autocommit=True) as connection:
            connection.execute("update ops.alembic_version set version_num = '0001'")
            answer = ready.client.get("/readyz")
            connection.execute("update ops.alembic_version set version_num = %s", [head()])
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert "run `fisio-ayida db migrate`" in answer.json()["problems"][0]

    def test_the_process_lives_without_a_database(self, warehouse: Warehouse) -> None:
        def away() -> psycopg.Connection[object]:
            raise WarehouseError("the database postgresql://user:***@host/db cannot be used: refused")

        with running(warehouse, connect=away) as gateway:
            alive = gateway.client.get("/healthz")
            answer = gateway.client.get("/readyz")
        assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
        assert (answer.status_code, answer.json()["problems"]) == (503, ["the database does not answer"])

    def test_the_database_is_asked_once_a_second_however_many_ask(self, warehouse: Warehouse) -> None:
        with running(warehouse, now=lambda: dt.datetime(2026, 11, 22, tzinfo=dt.UTC)) as gateway:
            first = gateway.client.get("/readyz").json()
            gateway.beat()
            assert gateway.client.get("/readyz").json() == first
