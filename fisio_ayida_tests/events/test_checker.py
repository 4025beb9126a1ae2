"""The checker of histories finds each kind of fault in a history that was doctored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fisio_ayida.events import canary
from fisio_ayida_tests.events.checker import Stored, Tables, violations
from fisio_ayida_tests.events.posting import Answer, Planned, Post, Sent

GOOD = Planned("good", canary.NAME, {"note": "plain"})
OTHER = Planned("good", canary.NAME, {"note": "other"})
DEAD = Planned("dead", canary.NAME, {"note": "never"})
BAD = Planned("bad", canary.NAME, {"note": 5}, good=False)


def sent(began: float, *events: Planned, status: int = 200) -> Sent:
    post = Post(events)
    ids = tuple(post.ids()) if status == 200 else ()
    return Sent(post, [Answer(0, (), began, began + 1), Answer(status, ids, began + 1, began + 2)])


class Case:
    """A history without fault, to be spoiled."""

    def __init__(self) -> None:
        self.history = [sent(0, GOOD, DEAD), sent(10, OTHER), sent(20, BAD, status=400)]
        self.tables = Tables()
        self.tables.inbox = {
            "good": Stored("done", None, True, (GOOD.name, GOOD.data)),
            "dead": Stored("dead", "this can never be done", True, (DEAD.name, DEAD.data)),
            "bad": Stored("dead", "data.note: not text", False, (BAD.name, BAD.data)),
        }
        self.tables.echoes["good"] = 1
        self.tables.conflicts["good"].append((OTHER.name, OTHER.data))
        self.tables.refused.add(self.history[2].post.body)

    def store(self, id_: str, **changes: object) -> None:
        self.tables.inbox[id_] = replace(self.tables.inbox[id_], **changes)  # type: ignore[arg-type]

    def answer(self, place: int, **changes: object) -> None:
        answers = self.history[place].answers
        answers[-1] = replace(answers[-1], **changes)  # type: ignore[arg-type]


def test_a_history_without_fault_breaks_no_rule() -> None:
    case = Case()
    assert violations(case.history, case.tables) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c: c.tables.inbox.pop("good"), "good was taken and is lost"),
        (lambda c: c.tables.echoes.update(good=1), "good is done and has 2 effects"),
        (lambda c: c.tables.echoes.clear(), "good is done and has 0 effects"),
        (lambda c: c.tables.echoes.update(dead=1), "dead is dead and has 1 effects"),
        (lambda c: c.tables.echoes.update(bad=1), "bad has 1 effects and nobody was told"),
        (lambda c: c.tables.echoes.update(ghost=1), "ghost has 1 effects and nobody was told"),
        (lambda c: c.store("dead", reason=None), "dead is dead and nothing says why"),
        (lambda c: c.store("dead", state="retry"), "dead was taken and is still retry"),
        (lambda c: c.store("bad", state="received", admitted=True), "bad was refused and is received"),
        (lambda c: c.store("good", body=(OTHER.name, OTHER.data)), "good has a later body than the first one"),
        (lambda c: c.store("good", body=(GOOD.name, {})), "good has a body that nobody was told was taken"),
        (lambda c: c.tables.conflicts.clear(), "good has a conflict that is not on record"),
        (lambda c: c.tables.refused.clear(), "['bad'] was refused and is not kept"),
        (lambda c: c.answer(0, status=500), "['good', 'dead'] was answered [500], not 200"),
        (lambda c: c.answer(0, status=400), "['good', 'dead'] was answered [400], not 200"),
        (lambda c: c.answer(2, status=200), "['bad'] was answered [200], not 400"),
        (lambda c: c.answer(0, ids=("dead", "good")), "was answered with the ids ['dead', 'good']"),
    ],
)
def test_each_fault_is_found(spoil: Callable[[Case], None], words: str) -> None:
    case = Case()
    spoil(case)
    assert any(words in violation for violation in violations(case.history, case.tables))
