"""The made-up clinics: the same every time, in three zones, of nobody real."""

from __future__ import annotations

import dataclasses
import re

import pytest

from fisio_ayida.messaging.addresses import AddressError, canonical
from fisio_ayida.simulators.fisioflow import truth
from fisio_ayida.simulators.fisioflow.clinics import world
from fisio_ayida.simulators.fisioflow.people import MAIL_DOMAIN
from fisio_ayida.simulators.fisioflow.world import Patient, Profile, Row, SessionContent, Staff, Visit, World

#: Vitória's and Rio Branco's numbers of a block that no operator has given out.
NOBODYS = re.compile(r"55(27|68)99900[0-9]{4}")


@pytest.fixture(scope="module")
def made() -> World:
    """A world."""
    return world("mark")


def test_the_same_seed_makes_the_same_world(made: World) -> None:
    assert world("mark") == made


def test_another_seed_makes_other_people(made: World) -> None:
    names = {patient.full_name for patient in made.patients}

    assert len(names & {patient.full_name for patient in world("mark", seed=1).patients}) < len(names) / 10


def test_the_clinics_are_in_three_zones(made: World) -> None:
    zones = {manners.zone for manners in made.manners.values()}

    assert zones == {"America/Sao_Paulo", "America/Rio_Branco", "America/Noronha"}


def test_all_mail_goes_to_the_domain_of_examples(made: World) -> None:
    people: list[Patient | Staff] = [*made.of(Patient), *made.of(Staff)]
    mails = [row.email for row in people if row.email is not None]

    assert mails
    assert {mail.rpartition("@")[2] for mail in mails} == {MAIL_DOMAIN}


def test_all_numbers_are_nobodys(made: World) -> None:
    numbers = [patient.phone for patient in made.patients if patient.phone is not None]
    unusable = []
    for number in numbers:
        try:
            assert NOBODYS.fullmatch(canonical("whatsapp", number)), number
        except AddressError:
            unusable.append(number)

    assert unusable == ["3265-43"]


def test_every_id_ends_in_the_mark(made: World) -> None:
    ids = [(row.table, _id(row)) for row in made.rows]

    assert len(set(ids)) == len(ids)
    assert all(id.endswith("-mark") for _, id in ids)


def _id(row: Row) -> str:
    match row:
        case Staff():
            return row.user_id
        case SessionContent():
            return row.session_id
        case Profile():
            return row.patient_id
    return row.id


def test_the_script_is_in_the_order_of_time(made: World) -> None:
    assert list(made.script) == sorted(made.script, key=lambda event: event.at)
    assert {event.at.astimezone(made.script[0].at.tzinfo).date() for event in made.script} == {made.day}


def test_the_truth_follows_the_rows(made: World) -> None:
    """Who is not there is not expected to get anything."""
    without = dataclasses.replace(
        made, rows=[row for row in made.rows if not (isinstance(row, Visit) and row.id.startswith("hoje-cedo"))],
        script=[event for event in made.script if "hoje-cedo" not in repr(event.act)],
    )  # fmt: skip

    lost = truth.expected(made) - truth.expected(without)

    assert [(each.template, each.became) for each in lost] == [("feedback_request", "sent")]
