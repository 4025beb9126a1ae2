"""Senders whose clock is off, and senders who mean it."""

from __future__ import annotations

import base64
import datetime as dt

import pytest

from fisio_ayida_tests.gateway.running import Running, utc_now

HOUR, DAY = 3_600_000, 86_400_000
#: 2099-01-01 and 1970-01-01, in milliseconds.
FAR, EPOCH = 4_070_908_800_000, 1
WAIT = "select extract(epoch from due_at - received_at) from events.inbox"


def millis() -> int:
    return int(utc_now().timestamp() * 1000)


def seeded(at: int) -> dict[str, str]:
    """The header of a sender whose clock says so."""
    return {"x-inngest-event-id-seed": f"{at}," + base64.b64encode(bytes(10)).decode()}


def wait(gateway: Running) -> float:
    ((found,),) = gateway.rows(WAIT)
    return float(found)


@pytest.mark.parametrize("off", [-20 * 365 * DAY, -DAY, -HOUR, 0, HOUR, 3 * DAY, 70 * 365 * DAY])
def test_a_sender_whose_clock_is_off_does_not_delay_its_events(gateway: Running, off: int) -> None:
    """The SDKs stamp each event with the time of sending, a moment before or after the seed."""
    clock = millis() + off
    answer = gateway.send({"name": "fisio_ayida/canary", "ts": clock - 40}, headers=seeded(clock))
    assert answer.status_code == 200
    assert wait(gateway) == pytest.approx(0, abs=1)


@pytest.mark.parametrize("off", [-3 * DAY, 0, 3 * DAY])
def test_a_scheduled_event_waits_so_long_as_its_sender_wished(gateway: Running, off: int) -> None:
    clock = millis() + off
    gateway.send({"name": "fisio_ayida/canary", "ts": clock + 2 * HOUR}, headers=seeded(clock))
    assert wait(gateway) == pytest.approx(7200, abs=1)


def test_without_a_seed_a_ts_ahead_is_a_wish(gateway: Running) -> None:
    gateway.send({"name": "fisio_ayida/canary", "ts": millis() + HOUR})
    assert wait(gateway) == pytest.approx(3600, abs=5)


@pytest.mark.parametrize("ts", [0, EPOCH, -62_135_596_800_000])
def test_a_ts_of_the_past_is_now(gateway: Running, ts: int) -> None:
    assert gateway.send({"name": "fisio_ayida/canary", "ts": ts}).status_code == 200
    assert wait(gateway) == 0


@pytest.mark.parametrize(
    ("ts", "seed"), [(FAR, None), (FAR, "now"), (253_402_300_799_999, 0), (253_402_300_799_999, None)]
)
def test_a_ts_more_than_a_year_ahead_is_refused(gateway: Running, ts: int, seed: str | int | None) -> None:
    headers = {} if seed is None else seeded(millis() if seed == "now" else int(seed))
    answer = gateway.send({"name": "fisio_ayida/canary", "ts": ts}, headers=headers)
    assert answer.status_code == 400
    assert f"ts={ts} is more than 366 days ahead" in answer.json()["error"]


@pytest.mark.parametrize("seed", [0, 2**48 - 1])
def test_a_seed_of_any_year_is_a_seed(gateway: Running, seed: int) -> None:
    answer = gateway.send({"name": "fisio_ayida/canary", "ts": EPOCH}, headers=seeded(seed))
    assert answer.status_code == 200
    assert wait(gateway) == 0


def test_the_time_of_receipt_is_the_gateways(gateway: Running) -> None:
    before = utc_now()
    gateway.send({"name": "fisio_ayida/canary", "ts": FAR}, headers=seeded(FAR))
    ((received,),) = gateway.rows("select received_at from events.inbox")
    assert before - dt.timedelta(seconds=1) <= received <= utc_now() + dt.timedelta(seconds=1)
