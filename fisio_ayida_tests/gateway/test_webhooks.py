"""Webhooks: stored before they are answered, once, by who they are from, and without what is nobody's business."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import jwt
import pytest

from fisio_ayida.gateway.signatures import FixedToken, StandardWebhooks
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.gateway.running import LIMITS, Running, running, seconds, until, utc_now
from fisio_ayida_tests.gateway.signed import (
    APP_SECRET,
    FIXED,
    NEW,
    OLD,
    TOKEN,
    VERIFY,
    WEBHOOKS,
    bearer,
    hub,
    svix,
)
from fisio_ayida_tests.messaging import said

RESEND, EVOLUTION, META = (f"/webhooks/{provider}" for provider in ("resend", "evolution", "meta"))
Sign = Callable[[bytes], dict[str, str]]
WAYS: list[tuple[str, Sign, bytes]] = [
    (RESEND, svix, said.resend("email.delivered", tag="17")),
    (EVOLUTION, lambda _: FIXED, said.update("READ")),
    (EVOLUTION, lambda _: bearer(), said.update("READ")),
    (f"{EVOLUTION}/messages-update", lambda _: FIXED, said.update("READ")),
    (META, hub, said.meta(statuses=[said.status("read", key="reminder:x")])),
]


@pytest.fixture(scope="module")
def served(events_warehouse: Warehouse) -> Iterator[Running]:
    """A gateway that knows its providers' secrets."""
    with running(events_warehouse, environment=WEBHOOKS) as found:
        yield found


@pytest.fixture
def told(gateway: Running) -> Running:
    """That gateway, with nothing told yet."""
    gateway.rows("delete from messaging.deliveries returning 1")
    gateway.rows("delete from messaging.replies returning 1")
    return gateway


def post(gateway: Running, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return gateway.client.post(path, content=body, headers=headers)


def stored(gateway: Running) -> int:
    return int(gateway.rows("select (select count(*) from messaging.deliveries) + "
                            "(select count(*) from messaging.replies)")[0][0])  # fmt: skip


@pytest.mark.parametrize(("path", "sign", "body"), WAYS)
def test_what_is_theirs_is_stored_once_and_answered(told: Running, path: str, sign: Sign, body: bytes) -> None:
    for _ in range(3):
        answer = post(told, path, body, sign(body))
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert stored(told) == 1
    ((provider, status, applied),) = told.rows("select provider, status, applied_at from messaging.deliveries")
    assert provider == path.split("/")[2] and status in ("delivered", "read") and applied is None


def test_what_somebody_writes_becomes_a_reply(told: Running) -> None:
    written = said.upsert("Sim!", quoted="OUT-1")
    assert post(told, EVOLUTION, written, FIXED).status_code == 200
    body = said.meta(messages=[said.message("text", {"body": "parar"})])
    assert post(told, META, body, hub(body)).status_code == 200
    assert told.rows("select provider, account, intent, quoted_id, body from messaging.replies order by id") == [
        ("evolution", "", "confirm", "OUT-1", None), ("meta", "", "stop", None, None),
    ]  # fmt: skip


def test_the_headers_of_the_standard_are_known_too(told: Running) -> None:
    body = said.resend("email.sent")
    assert post(told, RESEND, body, svix(body, prefix="webhook")).status_code == 200
    assert told.rows("select event_id from messaging.deliveries") == [("msg_1",)]


def test_while_a_secret_is_changed_both_are_good(told: Running) -> None:
    body = said.resend("email.sent")
    for number, secret in enumerate((OLD, NEW)):
        assert post(told, RESEND, body, svix(body, f"msg_{number}", secret=secret)).status_code == 200
    assert stored(told) == 2


FORGED: list[tuple[str, Sign]] = [
    (RESEND, lambda body: svix(body + b" ")),
    (RESEND, lambda body: svix(body, secret=f"whsec_{base64.b64encode(b'another!' * 4).decode()}")),
    (RESEND, lambda body: svix(body) | {"svix-id": "msg_2"}),
    (RESEND, lambda body: svix(body) | {"svix-timestamp": str(int(utc_now().timestamp()) - 7)}),
    (RESEND, lambda body: svix(body) | {"svix-timestamp": "soon"}),
    (RESEND, lambda body: svix(body) | {"svix-signature": "v1,"}),
    (RESEND, lambda body: svix(body) | {"svix-signature": "nonsense"}),
    (RESEND, lambda body: svix(body, ago=seconds(301))),
    (RESEND, lambda body: svix(body, ago=seconds(-301))),
    (RESEND, lambda body: {}),
    (EVOLUTION, lambda body: {}),
    (EVOLUTION, lambda body: {"x-webhook-token": "wrong"}),
    (EVOLUTION, lambda body: {"apikey": TOKEN}),
    (EVOLUTION, lambda body: {"authorization": f"Bearer {TOKEN}"}),
    (EVOLUTION, lambda body: bearer(left=-1)),
    (EVOLUTION, lambda body: bearer(secret=OLD)),
    (EVOLUTION, lambda body: bearer(app="other")),
    (EVOLUTION, lambda body: bearer(exp="never")),
    (EVOLUTION, lambda body: {"authorization": f"Bearer {jwt.encode({'app': 'evolution'}, None, 'none')}"}),
    (META, lambda body: {}),
    (META, lambda body: hub(body + b" ")),
    (META, lambda body: hub(body, secret=TOKEN)),
    (META, lambda body: {"x-hub-signature-256": f"sha256={APP_SECRET}"}),
]


@pytest.mark.parametrize(("path", "sign"), FORGED)
def test_what_is_forged_or_stale_is_401_and_leaves_nothing(told: Running, path: str, sign: Sign) -> None:
    body = said.resend("email.bounced", tag="17")
    answer = post(told, path, body, sign(body))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert stored(told) == 0
    assert not told.rows("select 1 from events.refused")
    for secret in (TOKEN, APP_SECRET, OLD, NEW, *said.CANARIES):
        assert secret not in answer.text and secret not in told.log.getvalue()


def test_nothing_of_a_person_is_stored_or_logged(told: Running) -> None:
    bounced = said.resend("email.bounced", tag="17", bounce={"type": "Permanent", "message": said.WORDS})
    meta_body = said.meta(statuses=[said.status("failed", code=131026)],
                          messages=[said.message("text", {"body": said.WORDS})])  # fmt: skip
    asked = [
        post(told, RESEND, bounced, svix(bounced)),
        post(told, META, meta_body, hub(meta_body)),
        *(post(told, EVOLUTION, body, FIXED) for body in (
            said.update("READ"), said.upsert(), said.upsert(from_me=True), said.WORDS.encode(),
        )),
    ]  # fmt: skip
    assert {answer.status_code for answer in asked} == {200}
    kept = "".join(row[0] for row in told.rows(
        "select d::text from messaging.deliveries d union all select r::text from messaging.replies r"
    ))  # fmt: skip
    assert stored(told) == 7
    for canary in said.CANARIES:
        assert canary not in kept and canary not in told.log.getvalue()


@pytest.mark.parametrize("body", [b"[]", b"5", b"hello", b"\xff", b'{"a":' * 5_000, b""])
def test_what_is_authentic_and_no_object_is_noted(told: Running, body: bytes) -> None:
    expected = 2
    if body != b"\xff":  # signed text must be text
        assert post(told, RESEND, body, svix(body)).status_code == 200
        expected = 3
    assert post(told, EVOLUTION, body, FIXED).status_code == 200
    assert post(told, META, body, hub(body)).status_code == 200
    found = told.rows("select kind, outcome, body from messaging.deliveries")
    assert found == [("unreadable", "informative", {"bytes": len(body)})] * expected


def test_what_is_unknown_is_noted(told: Running) -> None:
    body = said.encoded({"event": "instance.exploded", "instance": "fisioflow", "data": {"who": said.NAME}})
    assert post(told, EVOLUTION, body, FIXED).status_code == 200
    assert told.rows("select kind, outcome, body from messaging.deliveries") == [
        ("instance.exploded", "informative", {"event": "instance.exploded", "instance": "fisioflow"})
    ]


def test_a_huge_body_is_refused_before_it_is_read(told: Running) -> None:
    size = LIMITS.request_bytes
    for path, headers in ((RESEND, {}), (EVOLUTION, FIXED), (META, {})):
        answer = post(told, path, b"x" * (size + 1), headers)
        assert answer.status_code == 413
    # Who cannot prove itself by its headers is refused without reading.
    assert post(told, EVOLUTION, b"x" * (size + 1), {}).status_code == 401
    assert stored(told) == 0


def test_a_large_body_is_taken(told: Running) -> None:
    body = said.meta(statuses=[said.status("read", f"wamid.{number}") for number in range(5_000)])
    assert post(told, META, body, hub(body)).status_code == 200
    assert stored(told) == 5_000


def test_meta_sets_its_webhook_up(told: Running) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    answer = told.client.get(META, params=asked)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")
    for wrong in ({"hub.verify_token": "wrong"}, {"hub.mode": "unsubscribe"}):
        assert told.client.get(META, params=asked | wrong).status_code == 403
    assert told.client.get(META).status_code == 403


def test_without_secrets_everything_is_refused_and_says_what_is_missing(warehouse: Warehouse) -> None:
    body = said.update("READ")
    with running(warehouse) as gateway:
        missing = {
            "RESEND_WEBHOOK_SECRET": post(gateway, RESEND, body, svix(body)),
            "EVOLUTION_WEBHOOK_TOKEN": post(gateway, EVOLUTION, body, FIXED),
            "WHATSAPP_APP_SECRET": post(gateway, META, body, hub(body)),
            "WHATSAPP_VERIFY_TOKEN": gateway.client.get(META, params={"hub.mode": "subscribe"}),
        }
    assert [answer.status_code for answer in missing.values()] == [401, 401, 401, 403]
    for setting, answer in missing.items():
        assert answer.json()["detail"] == f"closed: no {setting} is configured"


def test_a_malformed_secret_opens_nothing_and_is_named(warehouse: Warehouse) -> None:
    body = said.resend("email.sent")
    with running(warehouse, environment=WEBHOOKS | {"RESEND_WEBHOOK_SECRET": f"{NEW},whsec_%%,hello,"}) as gateway:
        assert post(gateway, RESEND, body, svix(body)).status_code == 200
        assert post(gateway, RESEND, body, svix(body, secret=OLD)).status_code == 401
        wrong = "RESEND_WEBHOOK_SECRET has entries that are not whsec_ and base64: number 2, 3, 4"
        assert wrong in gateway.log.getvalue()


def test_secrets_are_in_no_repr(told: Running) -> None:
    settings = told.door.settings
    found = [
        StandardWebhooks.of("RESEND_WEBHOOK_SECRET", settings.resend_webhook_secret),
        FixedToken.of("EVOLUTION_WEBHOOK_TOKEN", "x-webhook-token", settings.evolution_webhook_token),
        told.door,
    ]
    for secret in (TOKEN, OLD, NEW, "old-key!"):
        assert secret not in repr(found)


def test_without_the_database_it_is_503_and_comes_again(warehouse: Warehouse) -> None:
    with running(warehouse, environment=WEBHOOKS, limits=replace(LIMITS, database=seconds(0.3))) as gateway:
        gateway.rows("delete from messaging.deliveries returning 1")
        with warehouse.connect() as other:
            other.execute("lock table messaging.deliveries in exclusive mode")
            for path, sign, body in WAYS[::2]:
                answer = post(gateway, path, body, sign(body))
                assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
            other.rollback()
        path, sign, body = WAYS[0]
        until(lambda: post(gateway, path, body, sign(body)).status_code == 200, "it recovers")


def test_a_connection_that_died_is_nobodys_problem(told: Running) -> None:
    for number in range(3):
        body = said.resend("email.sent")
        assert post(told, RESEND, body, svix(body, f"msg_{number}")).status_code == 200
        told.rows("select pg_terminate_backend(pid) from pg_stat_activity "
                  "where application_name = 'gateway under test' and datname = current_database()")  # fmt: skip
    assert stored(told) == 3


def test_many_at_once_are_each_stored_once(told: Running) -> None:
    bodies = [said.meta(statuses=[said.status("read", f"wamid.{n % 50}"), said.status("sent", f"wamid.{n % 40}")])
              for n in range(200)]  # fmt: skip
    with ThreadPoolExecutor(16) as pool:
        codes = set(pool.map(lambda body: post(told, META, body, hub(body)).status_code, bodies))
    assert codes == {200}
    assert stored(told) == 90


def test_the_event_loop_does_not_wait_for_the_database(told: Running) -> None:
    body = said.resend("email.sent")
    assert post(told, RESEND, body, svix(body, "msg_0")).status_code == 200
    with ThreadPoolExecutor(1) as pool, told.warehouse.connect() as other:
        other.execute("lock table messaging.deliveries in exclusive mode")
        waiting = pool.submit(post, told, RESEND, body, svix(body))
        time.sleep(0.1)
        assert told.client.get("/healthz").status_code == 200
        assert not waiting.done()
        other.rollback()
        assert waiting.result(30).status_code == 200


def test_the_log_says_how_many_it_told(told: Running) -> None:
    body = said.meta(statuses=[said.status("read"), said.status("sent")])
    post(told, META, body, hub(body))
    lines = [json.loads(line) for line in told.log.getvalue().splitlines()]
    (line,) = [line for line in lines if line["msg"] == "request"]
    assert (line["route"], line["events"], line["status"]) == ("/webhooks/meta", 2, 200)
