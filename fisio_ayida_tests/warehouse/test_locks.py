"""Window locks: one load of a window at a time, the second waits or says who is first."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.locks import LockBusy, window_key, window_locks

NO_WAIT = timedelta(0)
KEY_OF_2026_11_01 = -3166371423021748540
DAYS = ["2026-11-01", "2026-11-02", "2026-11-03"]


def test_other_windows_and_datasets_are_free(warehouse: Warehouse) -> None:
    with warehouse.connect() as one, warehouse.connect() as other:
        window_locks(one, "concesiones", DAYS, wait=NO_WAIT)
        window_locks(one, "concesiones", DAYS, wait=NO_WAIT)
        window_locks(other, "concesiones", ["2026-11-04"], wait=NO_WAIT)
        window_locks(other, "minimis", DAYS, wait=NO_WAIT)


def test_the_second_load_learns_who_is_first_and_can_go_on(warehouse: Warehouse) -> None:
    waiting: list[tuple[str, str]] = []
    with warehouse.connect(application_name="run 12") as one, warehouse.connect() as other:
        window_locks(one, "concesiones", DAYS[1:2], wait=NO_WAIT)
        with pytest.raises(LockBusy) as caught:
            window_locks(
                other,
                "concesiones",
                DAYS,
                wait=timedelta(milliseconds=80),
                on_wait=lambda *what: waiting.append(what),
            )
        assert waiting == [("concesiones", "2026-11-02")]
        assert f"concesiones 2026-11-02 is being loaded by process {one.info.backend_pid} (run 12)" in str(
            caught.value
        )
        assert other.execute("SELECT current_setting('lock_timeout')").fetchone() == ("0",)


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_the_second_load_gets_its_turn_when_the_first_ends(warehouse: Warehouse, end: str) -> None:
    first = warehouse.connect()
    window_locks(first, "concesiones", DAYS, wait=NO_WAIT)
    waiting = threading.Event()
    timer = threading.Thread(target=lambda: (waiting.wait(10), getattr(first, end)()))
    timer.start()
    with warehouse.connect() as second:
        window_locks(second, "concesiones", DAYS, wait=timedelta(seconds=20), on_wait=lambda *_: waiting.set())
        assert waiting.is_set()
        assert second.execute("SELECT current_setting('lock_timeout')").fetchone() == ("0",)
    timer.join()
    first.close()


def test_overlapping_ranges_in_any_order_do_not_block_each_other_for_ever(warehouse: Warehouse) -> None:
    done: list[str] = []

    def load(name: str, days: list[str]) -> None:
        for _ in range(20):
            with warehouse.connect() as connection:
                window_locks(connection, "concesiones", days, wait=timedelta(seconds=20))
        done.append(name)

    threads = [
        threading.Thread(target=load, args=("a", DAYS)),
        threading.Thread(target=load, args=("b", DAYS[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == ["a", "b"]


def test_without_a_transaction_it_refuses(warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        with pytest.raises(ValueError, match="needs a transaction"):
            window_locks(connection, "concesiones", DAYS, wait=NO_WAIT)
        with connection.transaction():
            window_locks(connection, "concesiones", DAYS, wait=NO_WAIT)


def test_keys_never_change() -> None:
    assert window_key("concesiones", "2026-11-01") == window_key("concesiones", "2026-11-01")
    assert window_key("concesiones", "2026-11-01") == KEY_OF_2026_11_01
    assert len({window_key("concesiones", f"{n}") for n in range(10_000)}) == 10_000
