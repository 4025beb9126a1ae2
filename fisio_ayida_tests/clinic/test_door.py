"""The way to the clinic's relations: on which connection, as which organisation, and how it is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fisio_ayida.warehouse.clinic import NOBODY, ClinicDoor, ClinicError
from fisio_ayida.warehouse.engine import Warehouse

Conn = psycopg.Connection[Any]
TENANT = "app.org_id"


@pytest.fixture
def ours(clinic_warehouse: Warehouse) -> Iterator[Conn]:
    """A database with the organisations a and b; what a test writes is taken back."""
    with clinic_warehouse.connect(autocommit=True) as conn, conn.transaction(force_rollback=True):
        conn.execute("insert into clinic.organizations (id) values ('a'), ('b')")
        yield conn


def named(conn: Conn) -> str | None:
    """The organisation that row security would know."""
    row = conn.execute("select current_setting(%s, true)", [TENANT]).fetchone()
    assert row is not None
    return row[0] or None


def told(conn: Conn, organizations: list[str]) -> tuple[str | None, list[str]]:
    return named(conn), organizations


def test_without_row_security_all_organisations_are_worked_for_at_once(ours: Conn) -> None:
    assert ClinicDoor().each(ours, ["a", "b"], told) == [(None, ["a", "b"])]


def test_under_row_security_each_is_worked_for_by_itself(ours: Conn) -> None:
    assert ClinicDoor(tenant=TENANT).each(ours, ["a", "b"], told) == [("a", ["a"]), ("b", ["b"])]


@pytest.mark.parametrize("tenant", [None, TENANT])
def test_for_no_organisation_nothing_is_done(ours: Conn, tenant: str | None) -> None:
    assert ClinicDoor(tenant=tenant).each(ours, [], told) == []


def test_a_longer_transaction_does_not_go_on_as_the_last_organisation(ours: Conn) -> None:
    ClinicDoor(tenant=TENANT).within(ours, "a", lambda conn: None)
    assert named(ours) == NOBODY


def test_work_within_work_goes_on_as_the_organisation_that_it_was(ours: Conn) -> None:
    door = ClinicDoor(tenant=TENANT)

    def both(conn: Conn) -> tuple[str | None, str | None]:
        return door.within(conn, "b", named), named(conn)

    assert door.within(ours, "a", both) == ("b", "a")


def test_where_there_is_no_organisation_a_policy_may_cast_the_setting_all_the_same(ours: Conn) -> None:
    query = "select current_setting(%s, true)::uuid is not null"
    door = ClinicDoor(tenant=TENANT)

    asked = door.each(ours, [""], lambda conn, _: conn.execute(query, [TENANT]).fetchone(), must_see=False)
    after = ours.execute(query, [TENANT]).fetchone()

    assert (asked, after) == ([(True,)], (True,))


def test_work_that_fails_does_not_leave_its_organisation_behind(ours: Conn) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        ClinicDoor(tenant=TENANT).within(ours, "a", lambda conn: conn.execute("select 1 / 0"))
    assert named(ours) is None


def test_an_organisation_that_is_not_visible_is_an_error_that_names_it(ours: Conn) -> None:
    with pytest.raises(ClinicError, match=r"organization='c' is not visible with app\.org_id set to it"):
        ClinicDoor(tenant=TENANT).each(ours, ["c"], told)


def test_an_organisation_that_may_be_gone_finds_nothing(ours: Conn) -> None:
    assert ClinicDoor(tenant=TENANT).each(ours, ["c"], told, must_see=False) == [("c", ["c"])]


def test_another_database_is_read_on_one_connection_of_its_own(ours: Conn, clinic_warehouse: Warehouse) -> None:
    door = ClinicDoor(lambda: clinic_warehouse.connect(autocommit=True))
    there = door.on(ours)
    assert there is not ours and door.on(ours) is there and not door.is_beside
    door.close()


def test_a_connection_that_was_lost_is_opened_again(ours: Conn, clinic_warehouse: Warehouse) -> None:
    door = ClinicDoor(lambda: clinic_warehouse.connect(autocommit=True))
    door.on(ours).close()
    assert not door.on(ours).closed
    door.close()


def test_a_door_may_be_closed_twice(ours: Conn, clinic_warehouse: Warehouse) -> None:
    door = ClinicDoor(lambda: clinic_warehouse.connect(autocommit=True))
    there = door.on(ours)
    door.close()
    door.close()
    assert there.closed
