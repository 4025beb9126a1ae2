"""The tables of documents: described as declared, searchable in any case, their checks able to fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from fisio_ayida.bdns.documents import checks, ledger, texts
from fisio_ayida.bdns.documents.due import look
from fisio_ayida.bdns.documents.ledger import Moment
from fisio_ayida.bdns.documents.model import Kept, Origin, Target
from fisio_ayida.bdns.documents.reading.protocol import Outcome, Reading
from fisio_ayida.bdns.documents.store import DocumentStore, path_of
from fisio_ayida.bdns.documents.tables import DOCUMENTOS, DOCUMENTOS_TEXTO, Table
from fisio_ayida_tests.bdns.conftest import Lab
from fisio_ayida_tests.bdns.papers import Papers

COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, col_description(a.attrelid, a.attnum)
from pg_attribute a where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
SEARCH = """
select t.sha256 from bdns.documentos_texto t, websearch_to_tsquery('bdns.espanol', %s) q
where t.buscable @@ q order by 1
"""


@pytest.fixture
def papers(shared_lab: Lab, tmp_path: Path) -> Papers:
    """An empty store and the calls of one day; simulator and database are the file's."""
    return Papers(shared_lab, tmp_path / "documents").announced()


def text(papers: Papers, letter: str, words: str | None, outcome: Outcome = Outcome.TEXT) -> str:
    """A row of text; its digest is a letter repeated."""
    reading = Reading(outcome, "test", None if words else "because", words)
    texts.record(papers.lab.connection, letter * 64, reading, papers.lab.moment)
    return letter * 64


@pytest.mark.parametrize("table", [DOCUMENTOS, DOCUMENTOS_TEXTO], ids=lambda table: table.name)
def test_tables_are_what_is_declared(papers: Papers, table: Table) -> None:
    declared = [(c.name, c.type, c.required, c.description) for c in table.columns]
    assert papers.lab.rows(COLUMNS, [table.name]) == declared
    assert papers.lab.value("select obj_description(%s::regclass)", [table.name]) == table.description


def test_text_is_found_without_accents_by_its_stem_and_in_any_language(papers: Papers) -> None:
    spanish = text(papers, "a", "Se convocan subvenciones para la modernización de los regadíos en Cáceres.")
    catalan = text(papers, "b", "Ajuts per a la rehabilitació d'habitatges")
    assert papers.lab.rows(SEARCH, ["subvención regadio"]) == [(spanish,)]
    assert papers.lab.rows(SEARCH, ['"subvenciones para la modernizacion" -Madrid']) == [(spanish,)]
    assert papers.lab.rows(SEARCH, ["subvenciones Madrid"]) == []
    neutral = SEARCH.replace("espanol", "neutro").replace("t.buscable", "t.buscable_neutro")
    assert papers.lab.rows(neutral, ["REHABILITACIO habitatges"]) == [(catalan,)]


def test_a_huge_text_is_kept_whole_and_found_by_its_beginning(papers: Papers) -> None:
    words = " ".join(f"x{n:x}y" for n in range(150_000))
    digest = text(papers, "c", f"principio {words}")
    kept, indexed = papers.lab.rows("select length(texto), indexed_chars from bdns.documentos_texto")[0]
    assert kept == len(words) + 10 and 100_000 < indexed < kept
    assert papers.lab.rows(SEARCH, ["principio"]) == [(digest,)]


def test_a_text_is_recorded_once_and_one_without_has_a_reason(papers: Papers) -> None:
    text(papers, "d", None, Outcome.EMPTY)
    text(papers, "d", "too late")
    rows = papers.lab.rows("select outcome, reason, texto, indexed_chars from bdns.documentos_texto")
    assert rows == [("empty", "because", None, None)]


def test_two_runs_that_store_the_same_at_once_leave_one_version(papers: Papers) -> None:
    code, document = papers.listed()[0]
    found = look(papers.lab.connection, Target(Origin.CALL, document, code))
    assert found is not None
    announced, known = found
    assert known is None
    kept = Kept(path_of("e" * 64), 3, "e" * 64, "text/plain", "e.txt")
    first, second = Moment(papers.lab.moment, "one"), Moment(papers.lab.later(), "two")
    ledger.keep(papers.lab.connection, announced, known, kept, first)
    ledger.keep(papers.lab.connection, announced, known, kept, second)
    ledger.fail(papers.lab.connection, announced, known, "too late", second)
    assert papers.row(document, "state", "run_id", "valid_from") == ("stored", "one", first.now)
    assert papers.lab.count("bdns.documentos_history") == 0


def break_retries(papers: Papers) -> None:
    papers.lab.connection.execute(
        "update bdns.documentos set state = 'failed', attempts = 5, last_error = 'no bytes', attempted_at = now()"
    )


def break_lengths(papers: Papers) -> None:
    papers.lab.connection.execute("update bdns.documentos set long = long + 1 where long is not null")


def break_gone(papers: Papers) -> None:
    papers.lab.connection.execute(
        "update bdns.documentos set state = 'gone', gone_reason = 'refused', gone_at = now()"
    )


def break_readable(papers: Papers) -> None:
    papers.lab.connection.execute(
        "update bdns.documentos_texto set outcome = 'limit', texto = null, reason = 'longer than 60 s'"
    )


def break_store(papers: Papers) -> None:
    for path in papers.files():
        (papers.folder / path).write_bytes(b"half")


BREAKS: dict[str, tuple[Callable[[Papers], None], str]] = {
    "retries": (break_retries, "5 tries, no bytes"),
    "lengths": (break_lengths, "announced"),
    "gone": (break_gone, "gone since"),
    "readable": (break_readable, "limit, longer than 60 s"),
    "in_store": (break_store, "bytes expected, 4 found"),
}


def test_every_check_passes_on_good_documents_and_finds_what_it_is_for(papers: Papers) -> None:
    papers.run(limit=3)
    look_at = checks.Look(papers.lab.moment, DocumentStore(str(papers.folder)), 0.0)
    assert set(BREAKS) == {check.name for check in checks.CHECKS}
    for check in checks.CHECKS:
        assert check.find(papers.lab.connection, look_at).passed, check.name
    for check in checks.CHECKS:
        make, words = BREAKS[check.name]
        with papers.lab.connection.transaction(force_rollback=True):
            make(papers)
            finding = check.find(papers.lab.connection, look_at)
        assert finding.count == 3 and all(words in each for each in finding.sample), check.name


def test_a_failed_document_that_nobody_tries_is_found_and_one_that_waits_is_not(papers: Papers) -> None:
    papers.lab.sim.fault("html", f"idDocumento={papers.listed()[0][1]}")
    papers.run()
    store = DocumentStore(str(papers.folder))
    for later, count in ((dt.timedelta(0), 0), (dt.timedelta(days=1), 0), (dt.timedelta(days=3), 1)):
        finding = checks.retries(papers.lab.connection, checks.Look(papers.lab.moment + later, store, 0.5))
        assert (finding.count, finding.numbers["failed_and_tried_again"]) == (count, 1)
