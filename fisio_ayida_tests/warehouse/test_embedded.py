"""The shared server's life: who starts it, who stops it, and that no kill of a user harms anybody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from fisio_ayida.warehouse.embedded import EmbeddedServerError, attach
from fisio_ayida.warehouse.embedded_files import (
    SOCKET_PATH_MAX_BYTES,
    Layout,
    Postmaster,
    is_reachable,
    server_owner,
)
from fisio_ayida.warehouse.embedded_tuning import Tuning
from fisio_ayida_tests.conftest import TEST_TUNING

# Attaches, says the server's process id, and stays until its input closes.
USER = """
import sys
from pathlib import Path
from fisio_ayida.warehouse.embedded import attach
from fisio_ayida.warehouse.embedded_files import Postmaster
from fisio_ayida_tests.conftest import TEST_TUNING
server = attach(Path(sys.argv[1]), tuning=TEST_TUNING)
print(Postmaster.read(Path(sys.argv[1]) / "postgres" / "data").pid, flush=True)
sys.stdin.read()
"""


class User:
    """Another process that uses the server of a home."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def attached(self) -> int:
        """Wait until it uses the server; the server's process id."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0

    def kill(self, *, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose server is gone after the test, whatever the test left behind."""
    yield tmp_path / "home"
    if (tmp_path / "home").exists():
        attach(tmp_path / "home", tuning=TEST_TUNING).close()
        assert server_pid(tmp_path / "home") is None


def server_pid(home: Path) -> int | None:
    layout = Layout(home.resolve())
    postmaster = Postmaster.read(layout.data)
    return postmaster.pid if postmaster is not None and postmaster.is_alive(layout.data) else None


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer


def scalar(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def test_first_use_starts_it_and_the_last_to_leave_stops_it_and_data_stays(home: Path) -> None:
    with attach(home, tuning=TEST_TUNING) as first:
        with psycopg.connect(first.url.psycopg) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        second = attach(home)
        second.close()
        second.close()
        assert server_pid(home) is not None
    assert server_pid(home) is None
    with attach(home, tuning=TEST_TUNING) as again:
        assert scalar(again.url.psycopg, "SELECT number FROM kept") == 7


def test_folders_are_private_and_nothing_listens_on_the_network(home: Path) -> None:
    with attach(home, tuning=TEST_TUNING) as server:
        owner = server_owner(home / "postgres" / "data")
        for folder in (home / "postgres" / "data", home / "postgres" / "run"):
            assert folder.stat().st_mode & 0o777 == 0o700
            assert folder.stat().st_uid == owner.uid != 0
        assert scalar(server.url.psycopg, "SHOW listen_addresses") == ""
        assert scalar(server.url.psycopg, "SHOW timezone") == "UTC"
        assert server.url.host.startswith("/")
        pid = server_pid(home)
        assert pid is not None
        assert os.getsid(pid) != os.getsid(0)


def test_a_long_home_gets_a_short_private_socket_folder(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 25) / "home"
    with attach(home, tuning=TEST_TUNING) as server:
        folder = Path(server.url.host)
        assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= SOCKET_PATH_MAX_BYTES
        assert folder.stat().st_mode & 0o777 == 0o700
        with attach(home) as second:
            assert second.url == server.url
    folder.rmdir()


@pytest.mark.parametrize("name", ["a b", "com,ma", 'quo"te', "per%cent", "ñandú"])
def test_a_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    with attach(tmp_path / name, tuning=TEST_TUNING) as server:
        assert scalar(server.url.psycopg, "SELECT 1") == 1
        folder = Path(server.url.host)
    if tmp_path not in folder.parents:
        folder.rmdir()


def test_a_foreign_socket_folder_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path / ("long" * 25))
    layout.prepare()
    folder = layout.socket_folder()
    folder.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedServerError, match="is not ours"):
            attach(layout.home, tuning=TEST_TUNING)
    finally:
        folder.unlink()


def test_processes_that_start_together_share_one_server(home: Path) -> None:
    users = [User(home) for _ in range(3)]
    pids = {user.attached() for user in users}
    assert len(pids) == 1
    for user in users[:-1]:
        user.leave()
    assert server_pid(home) in pids
    users[-1].leave()
    assert server_pid(home) is None


def test_killing_users_at_any_time_leaves_the_others_their_server(home: Path) -> None:
    with attach(home, tuning=TEST_TUNING) as server, psycopg.connect(server.url.psycopg) as connection:
        before = server_pid(home)
        users = [User(home) for _ in range(5)]
        for user in users[:3]:
            user.attached()
        for user in users:
            user.kill(group=True)
        assert server_pid(home) == before
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert server_pid(home) is None


def test_after_the_last_user_was_killed_the_next_one_attaches_and_stops_it(home: Path) -> None:
    user = User(home)
    pid = user.attached()
    user.kill(group=True)
    assert server_pid(home) == pid
    with attach(home) as server:
        assert server_pid(home) == pid
        assert scalar(server.url.psycopg, "SELECT 1") == 1
    assert server_pid(home) is None


@pytest.mark.parametrize("after", [0.15, 0.3, 0.5, 0.8])
def test_a_kill_during_the_very_first_start_leaves_a_home_that_works(home: Path, after: float) -> None:
    user = User(home)
    time.sleep(after)
    user.kill()
    with attach(home, tuning=TEST_TUNING) as server:
        assert scalar(server.url.psycopg, "SELECT 1") == 1
    assert list((home / "postgres").glob("new-*")) == []


def test_leaving_while_others_arrive_never_takes_the_server_from_them(home: Path) -> None:
    loop = (
        "import sys, psycopg\nfrom pathlib import Path\n"
        "from fisio_ayida.warehouse.embedded import attach\n"
        "from fisio_ayida_tests.conftest import TEST_TUNING\n"
        "for _ in range(8):\n"
        "    with attach(Path(sys.argv[1]), tuning=TEST_TUNING) as server:\n"
        "        psycopg.connect(server.url.psycopg).execute('SELECT 1')\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", loop, str(home)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert server_pid(home) is None


def test_a_killed_server_starts_again_with_everything_committed(home: Path) -> None:
    durable = Tuning(shared_buffers_mb=32)
    with attach(home, tuning=durable) as server:
        with psycopg.connect(server.url.psycopg) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        pid = server_pid(home)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: server_pid(home) is None)
        with attach(home, tuning=durable) as again:
            assert scalar(again.url.psycopg, "SELECT number FROM kept") == 7


def test_a_pid_file_that_names_a_stranger_is_left_by_a_crash(home: Path) -> None:
    attach(home, tuning=TEST_TUNING).close()
    layout = Layout(home.resolve())
    # After the machine restarted, the number may belong to anybody: here to a process of the same user.
    owner = server_owner(layout.data)
    drop = {} if owner.is_us else {"user": owner.uid, "group": owner.gid, "extra_groups": []}
    stranger = subprocess.Popen(["sleep", "60"], **drop)  # type: ignore[call-overload]
    lines = [str(stranger.pid), str(layout.data), "1", "5432", str(layout.root / "run"), "", "0 0", "ready"]
    pid_file = layout.data / "postmaster.pid"
    pid_file.write_text("\n".join(lines) + "\n")
    os.chown(pid_file, owner.uid, owner.gid)
    try:
        with attach(home, tuning=TEST_TUNING) as server:
            assert scalar(server.url.psycopg, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_forked_child_keeps_the_server_by_itself(home: Path) -> None:
    server = attach(home, tuning=TEST_TUNING)
    child = os.fork()
    if child == 0:
        time.sleep(1.0)
        os._exit(0)
    time.sleep(0.1)
    server.close()
    try:
        assert server_pid(home) is not None
    finally:
        os.waitpid(child, 0)


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    layout = Layout(home.resolve())
    attach(home, tuning=TEST_TUNING).close()
    version = layout.data / "PG_VERSION"
    version.write_text("11\n")
    with pytest.raises(EmbeddedServerError, match="initialized by PostgreSQL version 11"):
        attach(home, tuning=TEST_TUNING)
    version.write_text("18\n")


def test_foreign_files_in_the_data_folder_are_not_touched(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "thesis.txt").write_text("years of work")
    with pytest.raises(EmbeddedServerError, match="not empty"):
        attach(home, tuning=TEST_TUNING)
    assert (data / "thesis.txt").read_text() == "years of work"
    (data / "thesis.txt").unlink()


def test_a_closed_folder_above_is_seen_as_unreachable_for_another_user(tmp_path: Path) -> None:
    owner = server_owner(tmp_path / "data")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if owner.is_us:
        assert is_reachable(closed / "data", owner) or not os.access(closed, os.X_OK)
    else:
        assert not is_reachable(closed / "data", owner)


def test_attaching_to_a_running_server_is_fast(home: Path) -> None:
    with attach(home, tuning=TEST_TUNING):
        started = time.perf_counter()
        attach(home).close()
        assert time.perf_counter() - started < 0.05
