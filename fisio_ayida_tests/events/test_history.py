"""Thousands of posts while everything is killed at random: what was taken has one effect, or says why not.

The method is Jepsen's: clients record what they were answered, a checker compares it with what is there.
"""

from __future__ import annotations

import datetime as dt
import random
import secrets
import time
from pathlib import Path

import pytest

from fisio_ayida.events.desk import Which
from fisio_ayida.events.replay import replay
from fisio_ayida_tests.events.checker import Tables, violations
from fisio_ayida_tests.events.nemesis import KEY, House, Nemesis
from fisio_ayida_tests.events.posting import Sent, plan, send_all

POSTS = 5_000
CLIENTS = 4
RAGE_ON_SECONDS = 4.0
SETTLED_SECONDS = 90.0
OPEN = "select count(*) from events.inbox where admitted is null or state in ('received', 'retry', 'claimed')"


def settle(house: House) -> None:
    """Until every event has ended."""
    limit = time.monotonic() + SETTLED_SECONDS
    while waiting := house.number(OPEN):
        assert time.monotonic() < limit, f"{waiting} events have not ended\n{house.logs()}"
        time.sleep(0.2)


@pytest.mark.xdist_group("processes")
def test_whatever_is_killed_every_event_that_was_taken_has_one_effect_or_says_why_not(tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    draw = random.Random(seed)
    with House(tmp_path) as house:
        house.start_gateway()
        house.start_daemon()
        house.wait_for_gateway()
        nemesis = Nemesis(house, draw, crash_after=5)
        nemesis.start()
        try:
            history = send_all(plan(draw, POSTS), CLIENTS, house.port, KEY)
            # The kills go on while runs work off what is left.
            time.sleep(RAGE_ON_SECONDS)
        finally:
            nemesis.stop()
        settle(house)
        with house.connect() as conn:
            tables = Tables.read(conn)
            broken = violations(history, tables)
            assert not broken, (f"seed {seed}", nemesis.deeds, broken[:20], house.logs())
            assert_it_was_a_bad_day(nemesis, history, tables)

            # What failed is cured; replaying it twice, and once more when all is done, gives each effect once.
            house.kill("daemon")
            house.start_daemon("cured")
            for _ in range(2):
                replay(conn, Which(states=("dead",)), now=dt.datetime.now(dt.UTC))
            settle(house)
            assert replay(conn, Which(states=("done", "dead")), now=dt.datetime.now(dt.UTC)).taken == {}
            after = Tables.read(conn)
        broken = violations(history, after)
        assert not broken, (f"seed {seed}", broken[:20], house.logs())
        dead = {id_ for id_, stored in tables.inbox.items() if stored.state == "dead" and stored.admitted}
        assert dead and all(after.echoes[id_] == 1 for id_ in dead), f"seed {seed}"


def assert_it_was_a_bad_day(nemesis: Nemesis, history: list[Sent], tables: Tables) -> None:
    """Without troubles the test would prove nothing."""
    kinds = ("gateway", "daemon", "run", "connections", "server")
    assert all(nemesis.deeds[kind] for kind in kinds), nemesis.deeds
    assert any(len(sent.answers) > 1 for sent in history)
    assert {stored.state for stored in tables.inbox.values()} == {"done", "dead", "skipped", "unmatched"}
    assert tables.conflicts and tables.refused
