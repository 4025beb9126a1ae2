"""The demo's patients in treatment: facts without a model, a stand-in's words, the proof of what came of it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from fisio_ayida.commands.demo_insights import Story, play
from fisio_ayida.commands.demo_insights_patients import Canary, Searched, narrated_of
from fisio_ayida.commands.demo_insights_proof import proven
from fisio_ayida.commands.demo_insights_tables import prove
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.fisioflow.world import SessionContent
from fisio_ayida.warehouse.embedded import EmbeddedServer
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.conftest import cloned

# What the demo plays is set up once.
pytestmark = pytest.mark.xdist_group("demo_insights")

Played = tuple[Story, Warehouse]


@pytest.fixture(scope="module")
def played(warehouse_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Played once."""
    settings = Settings.load({"FISIO_AYIDA_HOME": str(tmp_path_factory.mktemp("demo"))})
    with cloned(warehouse_server) as warehouse:
        yield play(settings, warehouse), warehouse


def differences(played: Played, story: Story | None = None) -> list[str]:
    """What the proof finds."""
    with played[1].connect(autocommit=True) as conn:
        return [each for proof in proven(conn, story or played[0]) for each in proof.differences]


def test_everything_comes_as_plain_python_says(played: Played) -> None:
    story, warehouse = played
    shown = io.StringIO()

    with warehouse.connect(autocommit=True) as conn:
        good = prove(Console(file=shown, width=200), conn, story)

    assert good, shown.getvalue()


def test_two_pages_of_the_same_patient_stay(played: Played) -> None:
    [facts, narrative] = [page.read_text(encoding="utf-8") for page in played[0].pages]

    assert "Escrito por um modelo" not in facts
    assert "Escrito por um modelo de linguagem (stand-in)" in narrative


def test_what_is_hidden_stands_in_the_clinics_own_tables(played: Played) -> None:
    """Else nothing would be proven by its not being seen elsewhere."""
    story, warehouse = played
    with warehouse.connect(autocommit=True) as conn:
        rows = conn.execute(
            "select note, procedures, exercises, measurements, home_exercises from clinic.session_contents "
            "where patient_id = %s",
            [story.patient],
        ).fetchall()

    text = " ".join(str(part) for row in rows for part in row)
    assert [each.kind for each in story.canaries if not Searched.of(text).has(each)] == []


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Zélia", 'nota\\": \\"ZELIA veio'),
        ("27 99900-5001", "fone: (27) 9 9900 5001"),
        ("123.456.789-09", "12345678909"),
        ("z.a@example.com", "z.a@example.com"),
    ],
)
def test_what_is_hidden_is_seen_however_it_is_spelled(written: str, text: str) -> None:
    assert Searched.of(text).has(Canary("any", (written,)))
    assert not Searched.of("Zeliana, 27 9990, 123.456, z.b@example.com").has(Canary("any", (written,)))


def test_something_hidden_that_was_seen_fails_the_proof(played: Played) -> None:
    [name, *_] = played[0].canaries
    story = dataclasses.replace(played[0], received=f"... {name.texts[0].upper()} ...")

    assert differences(played, story) == [f"{name.kind} was seen"]


def test_a_narrative_that_was_not_written_fails_the_proof(played: Played) -> None:
    """One more note than the runs have seen."""
    story = played[0]
    [nova] = [each.id for each in narrated_of(story.world).patients if each.id.startswith("nova-")]
    more = SessionContent(session_id="more", organization_id="", patient_id=nova, note="Melhora.")
    world = dataclasses.replace(story.world, rows=[*story.world.rows, more])

    found = differences(played, dataclasses.replace(story, world=world))

    assert found == [f"{nova}: written is due, insufficient_data came"]


def test_an_answer_that_became_something_else_fails_the_proof(played: Played) -> None:
    story = played[0]
    answers = [dataclasses.replace(each, reason="no_model") for each in story.answers[-1:]]

    found = differences(played, dataclasses.replace(story, answers=[*story.answers[:-1], *answers]))

    assert found == ["over the budget: waiting over_budget is due; waiting no_model came"]
