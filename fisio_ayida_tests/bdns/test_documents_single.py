"""One document asked for by its call and id, as an event or a person asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from fisio_ayida.bdns.datasets import CONVOCATORIAS
from fisio_ayida.bdns.documents.errors import UnknownDocument
from fisio_ayida.bdns.documents.model import Verdict
from fisio_ayida.bdns.errors import BadRequest
from fisio_ayida.bdns.single import UnknownCode
from fisio_ayida_tests.bdns.conftest import Lab, tables_of
from fisio_ayida_tests.bdns.papers import Papers


@pytest.fixture
def papers(shared_lab: Lab, tmp_path: Path) -> Papers:
    """An empty store and the calls of one day; simulator and database are the file's."""
    return Papers(shared_lab, tmp_path / "documents").announced()


def test_one_document_is_stored_with_its_text_and_no_other(papers: Papers) -> None:
    code, document = papers.listed()[0]
    visit = papers.one(code, document)
    assert (visit.verdict, visit.target.parent, visit.size) == (
        Verdict.STORED,
        code,
        papers.row(document, "long")[0],
    )
    assert papers.states() == {"stored": 1} and papers.asked() == 1
    assert papers.lab.count("bdns.documentos_texto", "outcome = 'text'") == 1
    papers.assert_sound()


def test_the_same_order_again_asks_for_nothing(papers: Papers) -> None:
    code, document = papers.listed()[0]
    papers.one(code, document)
    before = papers.lab.rows("select xmin::text, * from bdns.documentos")
    visit = papers.one(code, document)
    assert visit.verdict is Verdict.UNCHANGED and papers.asked() == 1
    assert papers.lab.rows("select xmin::text, * from bdns.documentos") == before


def test_a_call_that_the_mirror_does_not_know_is_read_first(papers: Papers) -> None:
    code, document = papers.listed()[0]
    papers.lab.connection.execute(f"truncate {', '.join(tables_of(CONVOCATORIAS))}")
    assert papers.one(code, document).verdict is Verdict.STORED
    assert papers.lab.rows("select codigo_bdns from bdns.convocatorias") == [(code,)]
    assert papers.states() == {"stored": 1}


def test_a_document_that_was_added_to_a_known_call_is_found(papers: Papers) -> None:
    code, document = papers.listed()[0]
    papers.lab.sim.fault("set_field", f"numConv={code}", field="documentos", value=[])
    papers.announced()
    assert (code, document) not in papers.listed()
    papers.lab.sim.clear_faults()
    assert papers.one(code, document).verdict is Verdict.STORED


@pytest.mark.parametrize("known", [True, False])
def test_what_the_source_does_not_have_is_said_in_its_words(papers: Papers, known: bool) -> None:
    code, document = papers.listed()[0]
    if known:
        papers.lab.sim.fault("gone", f"idDocumento={document}")
        words = (
            f"bdns={code}, document_id={document}: HTTP 400 .*ERR_VALIDACION: Mensaje ficticio: el documento no"
        )
        with pytest.raises(UnknownDocument, match=words):
            papers.one(code, document)
        assert papers.row(document, "state", "gone_reason") == ("gone", "refused")
        return
    with pytest.raises(UnknownDocument, match=f"bdns={code}, document_id=5: the BDNS lists no such document"):
        papers.one(code, 5)
    with pytest.raises(UnknownCode, match="bdns=999999999: the BDNS has no such call"):
        papers.one("999999999", 5)
    assert papers.asked() == 0 and papers.states() == {}


def test_a_malformed_code_is_refused_without_a_request(papers: Papers) -> None:
    with pytest.raises(BadRequest, match="bdns='12x' is not a BDNS code: 1 to 16 digits"):
        papers.one("12x", 5)
    assert papers.lab.sim.requests()["count"] == 0
