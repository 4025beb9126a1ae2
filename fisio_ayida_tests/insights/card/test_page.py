"""A patient's page: what stands on it, that its links lead somewhere, and that nothing can break it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from html.parser import HTMLParser

import pytest

from fisio_ayida.insights import facts, wording
from fisio_ayida.insights.card import Standing, render
from fisio_ayida.insights.card.words import WHY_NOT
from fisio_ayida.insights.facts.registry import FACTS
from fisio_ayida.insights.facts.rules import FLAGS
from fisio_ayida.insights.model import REASONS, Identity, Item, Record
from fisio_ayida_tests.insights.card.examples import PATIENT, narrative, record, session

BAD = '"><script>alert(1)</script>&{{ 7 * 7 }}'


class Parsed(HTMLParser):
    """Ids, links and words of a page; that every tag is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.words += data


def page(
    of: Record, *items: Item, standing: Standing = Standing(), shows_id: bool = True  # noqa: B008  frozen
) -> str:  # fmt: skip
    """The page of a record, with these items beside the facts' own."""
    computed = facts.compute(of)
    return render(of, computed, [*wording.items(of, computed), *items], standing, shows_id=shows_id)


RECORDS = {
    "long": record(),
    "without sessions": record(sessions=()),
    "without anything": record(visits=(), sessions=(), age=None),
    "one session": record(visits=(), sessions=(session("only", dt.date(2026, 3, 1), 4),)),
    "pain was never recorded": record(
        sessions=tuple(dataclasses.replace(each, pain=None) for each in record().sessions)
    ),
    "two sessions of a day": record(
        visits=(), sessions=tuple(session(f"s{place}", dt.date(2026, 3, 12), place) for place in (2, 9))
    ),
    "long ago": record(visits=(), sessions=(session("old", dt.date(2025, 2, 1), 4),)),
}


@pytest.mark.parametrize("name", RECORDS)
def test_every_link_leads_to_one_place_of_the_page_itself(name: str) -> None:
    seen = Parsed(page(RECORDS[name], narrative(*(f"session:{each.id}" for each in RECORDS[name].sessions))))

    assert len(set(seen.ids)) == len(seen.ids)
    assert {link.removeprefix("#") for link in seen.links} <= set(seen.ids)
    assert all(link.startswith("#") for link in seen.links)


def test_the_page_needs_no_network_and_no_script() -> None:
    text = page(record())

    assert "http" not in text
    assert {"script", "link", "img", "iframe"}.isdisjoint(Parsed(text).tags)


def test_a_session_that_is_cited_is_a_link_to_its_dot() -> None:
    of = record()
    text = page(of, narrative("session:session-2"))

    place = [each.id for each in of.sessions].index("session-2") + 1
    assert f'<g class="spot" id="sessao-{place}">' in text
    assert f'<a href="#sessao-{place}">sessão de 30/12/2025</a>' in text


def test_a_session_without_pain_is_a_link_to_its_line_of_the_list() -> None:
    of = record()
    [silent] = [each for each in of.sessions if each.pain is None]
    place = of.sessions.index(silent) + 1

    assert f'<tr id="sessao-{place}">' in page(of, narrative(f"session:{silent.id}"))


def test_a_citation_of_what_is_not_there_is_no_link() -> None:
    text = page(record(), narrative("fact:pain_trend", "fact:nothing", "session:nobody", "nonsense"))

    assert '<a href="#fato-pain_trend">' in text
    assert "nothing" not in text and "nobody" not in text and "nonsense" not in text


def test_each_visit_is_a_mark_with_its_day_and_what_became_of_it() -> None:
    words = page(record())

    assert words.count('<use href="#done"') - 1 == 14
    assert words.count('<use href="#absent"') - 1 == 2
    assert words.count('<use href="#cancelled"') - 1 == 1
    assert "<title>04/01/2026: faltou</title>" in words
    # A visit to come is no mark.
    assert "15/03/2026" not in words


def test_the_line_is_drawn_only_where_there_is_a_verdict() -> None:
    long, short = page(record()), page(RECORDS["one session"])

    assert "<polyline" in long and "<polygon" in long
    assert "<polyline" not in short and "<polygon" not in short


def test_who_does_not_see_the_chart_is_told_what_it_shows() -> None:
    text = page(record())

    assert 'role="img" aria-labelledby="titulo descricao"' in text
    assert "Dor 8 em 20/12/2025 e 3 em 10/03/2026" in text
    assert "compareceu: 14, faltou: 2, cancelou ou remarcou: 1" in text


def test_pain_outside_of_the_scale_is_listed_as_not_recorded() -> None:
    of = record(visits=(), sessions=(session("odd", dt.date(2026, 3, 1), 15),))

    assert "<td>sessão</td><td>–</td>" in page(of)


def test_every_formula_and_rule_stands_on_the_page_in_portuguese() -> None:
    words = Parsed(page(RECORDS["without anything"])).words

    assert "Como é calculado" in words and "docs/" not in words
    assert all(kind.formula_pt in words for kind in FACTS)
    assert all(flag.rule_pt in words for flag in FLAGS)


def test_a_narrative_says_that_a_model_wrote_it() -> None:
    text = page(record(), narrative("fact:pain_trend"), standing=Standing(model="llama3.1:8b"))

    assert "Escrito por um modelo de linguagem (llama3.1:8b)" in text
    assert "escrito por um modelo</span>" in text


def test_what_each_part_of_a_narrative_says_of_itself_is_said_once() -> None:
    parts = [
        Item(
            source="narrative", type=type, text="• Um.\n• Dois.\nRascunho de hoje.", citations=("fact:pain_trend",)
        )
        for type in ("progress_summary", "recommendation")
    ]

    text = render(record(), facts.compute(record()), parts, Standing(model="m"))

    assert text.count("Rascunho de hoje.") == 1
    assert text.count("• Um.\n• Dois.</span>") == 2


def test_without_a_narrative_no_model_is_said_to_have_written() -> None:
    text = page(record(), standing=Standing(model="llama3.1:8b", reason="bad_number"))

    assert WHY_NOT["bad_number"] in text
    assert "Escrito por um modelo" not in text


def test_a_narrative_that_is_still_wanted_says_so() -> None:
    assert "Será tentado de novo" in page(record(), standing=Standing(reason="unreachable", is_waiting=True))


def test_every_reason_has_its_words() -> None:
    assert set(WHY_NOT) == set(REASONS)


def test_flags_stand_with_the_evidence_of_the_rules_whatever_a_model_says() -> None:
    missed = [dataclasses.replace(each, status="absent") for each in record().visits[-3:-1]]
    of = record(visits=(*record().visits[:-3], *missed), sessions=record().sessions[:-2])
    model = Item(source="narrative", type="risk_detected", text="Tudo bem.", citations=("fact:pain_trend",))
    computed = facts.compute(of)

    text = render(of, computed, [model], Standing(model="m"))

    assert "As duas últimas visitas foram faltas" in text
    assert "(05/03 e 10/03)" in text


def test_the_id_can_be_left_out_and_no_name_is_there_at_all() -> None:
    of = record(identity=Identity(names=("Ana Beatriz Souza",)))

    assert PATIENT in page(of)
    assert PATIENT not in page(of, shows_id=False)
    assert "Souza" not in page(of)


def test_text_of_others_is_shown_as_text() -> None:
    text = page(record(patient_id=BAD), narrative("fact:pain_trend", text=BAD), standing=Standing(model=BAD))

    assert "<script>" not in text
    assert "{{ 7 * 7 }}" in text
    assert Parsed(text).words.count(BAD) >= 3
