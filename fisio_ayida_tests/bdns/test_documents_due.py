"""What is asked for and what is not: new, changed, gone, returned, shared; and what becomes of past versions."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from fisio_ayida.bdns.documents import service
from fisio_ayida.bdns.documents.due import Scope
from fisio_ayida.bdns.documents.model import Verdict
from fisio_ayida.bdns.documents.service import store_due
from fisio_ayida.bdns.errors import BadRequest
from fisio_ayida.simulators.bdns.details import FORM
from fisio_ayida_tests.bdns.conftest import MONDAY, Lab
from fisio_ayida_tests.bdns.papers import DOCUMENTS, Papers

TUESDAY = MONDAY + dt.timedelta(days=1)


@pytest.fixture
def papers(shared_lab: Lab, tmp_path: Path) -> Papers:
    """An empty store and the calls of one day; simulator and database are the file's."""
    return Papers(shared_lab, tmp_path / "documents").announced()


def past(papers: Papers, columns: str = "id, end_kind, valid_from, valid_to") -> list[tuple[object, ...]]:
    return papers.lab.rows(f"select {columns} from bdns.documentos_history order by id, valid_to")


def test_all_that_is_announced_is_stored_whole_and_its_text_is_there(papers: Papers) -> None:
    papers.lab.sync("planes_estrategicos")
    report = papers.run(run_id="run-7")
    count = papers.lab.count("bdns.convocatorias_documentos") + papers.lab.count(
        "bdns.planes_estrategicos_documentos"
    )
    assert papers.states() == {"stored": count}
    assert report.numbers["stored"] + report.numbers["same_bytes"] == report.numbers["requests"] == count
    assert report.numbers["left"] == 0
    papers.assert_sound()
    wrong = (
        "size_bytes <> long or run_id <> 'run-7' or valid_from is null or attempts <> 0 or last_error is not null"
    )
    assert papers.lab.count("bdns.documentos", wrong) == 0
    unread = "sha256 not in (select sha256 from bdns.documentos_texto where outcome = 'text')"
    assert papers.lab.count("bdns.documentos", unread) == 0
    assert papers.lab.count("bdns.documentos", "origen = 'plan' and id_plan is not null") > 0
    assert report.texts.total() == len(papers.files())
    # Storing one while the next is on its way changes nothing for the source.
    seen = papers.lab.sim.requests()
    assert seen["max_in_flight"] == 1
    assert {each["accept"] for each in seen["recent"]} == {"application/octet-stream, application/json, */*;q=0.5"}


def test_the_same_bytes_are_stored_once(papers: Papers) -> None:
    papers.lab.sync("convocatorias", TUESDAY)
    report = papers.run()
    forms = papers.lab.rows(
        "select distinct sha256, path, file_name from bdns.documentos where file_name = %s", [FORM]
    )
    assert len(forms) == 1
    copies = papers.lab.count("bdns.documentos", f"file_name = '{FORM}'") - 1
    assert report.visits[Verdict.SAME_BYTES] == copies > 0
    assert len(papers.files()) == sum(papers.states().values()) - copies


def test_what_is_announced_as_before_is_not_asked_for(papers: Papers) -> None:
    papers.run()
    papers.lab.sync("convocatorias", MONDAY)
    papers.lab.sim.reset_requests()
    before = papers.lab.rows("select xmin::text, * from bdns.documentos")
    report = papers.run()
    assert papers.asked() == report.numbers["requests"] == report.visits.total() == 0
    assert papers.lab.rows("select xmin::text, * from bdns.documentos") == before


def test_what_is_announced_anew_is_asked_for_and_its_past_version_is_kept(papers: Papers) -> None:
    papers.run()
    before, moment = papers.files(), papers.lab.moment
    first = papers.lab.rows("select id, sha256 from bdns.documentos order by id")
    papers.lab.sim.step(changed=0.9, datasets=["convocatorias"])
    papers.lab.sync("convocatorias", MONDAY)
    changed = {id_ for (id_,) in papers.lab.rows("select id from bdns.convocatorias_documentos_history")}
    papers.lab.sim.reset_requests()

    report = papers.run()

    assert 0 < len(changed) < len(first)
    assert papers.asked() == report.visits[Verdict.STORED] == len(changed)
    assert {id_ for id_, *_ in past(papers)} == changed
    assert {(end, to) for _, end, _, to in past(papers)} == {("superseded", papers.lab.moment)}
    assert papers.lab.count("bdns.documentos", f"valid_from = '{papers.lab.moment}'") == len(changed)
    # The past can be read: its bytes stay, and the function of time gives them.
    assert papers.files().items() >= before.items()
    as_of = "select id, sha256 from bdns.documentos_as_of(%s) order by id"
    assert papers.lab.rows(as_of, [moment]) == first
    assert papers.lab.rows(as_of, [papers.lab.moment]) != first
    papers.assert_sound()


def test_what_is_not_announced_any_more_is_marked_and_comes_back_without_being_asked_for(papers: Papers) -> None:
    papers.run()
    before = papers.files()
    code, document = papers.listed()[0]
    papers.lab.sim.fault("set_field", f"numConv={code}", field="documentos", value=[])
    papers.lab.sync("convocatorias", MONDAY)
    papers.lab.sim.reset_requests()

    report = papers.run()

    gone_at = papers.lab.moment
    count = report.unlisted
    assert count > 0 and papers.states()["gone"] == count
    assert papers.row(document, "state", "gone_reason", "gone_at") == ("gone", "unlisted", gone_at)
    assert papers.row(document, "sha256")[0] is not None and papers.files() == before
    assert papers.run().unlisted == 0

    papers.lab.sim.clear_faults()
    papers.lab.sync("convocatorias", MONDAY)
    report = papers.run()
    assert report.visits[Verdict.RESTORED] == count and papers.asked() == 0
    assert papers.row(document, "state", "gone_at", "valid_from") == ("stored", None, papers.lab.moment)
    assert {(end, to) for _, end, _, to in past(papers)} == {("withdrawn", gone_at)} and len(past(papers)) == count


def test_one_that_the_source_does_not_have_is_marked_and_asked_for_again_only_when_announced_anew(
    papers: Papers,
) -> None:
    code, document = papers.listed()[0]
    papers.lab.sim.fault("gone", f"idDocumento={document}")
    report = papers.run()
    assert report.visits[Verdict.GONE] == 1
    state, reason, words, sha256 = papers.row(document, "state", "gone_reason", "last_error", "sha256")
    assert (state, reason, sha256) == ("gone", "refused", None)
    assert words.startswith("HTTP 400") and "ERR_VALIDACION: Mensaje ficticio: el documento no existe" in words
    assert papers.states()["stored"] == len(papers.listed()) - 1

    papers.lab.sim.reset_requests()
    papers.lab.later(days=30)
    papers.run()
    assert papers.asked() == 0
    papers.announce(document, dat_mod=dt.date(2026, 9, 30))
    papers.run()
    assert papers.asked() == 1 and papers.row(document, "state") == ("gone",)
    papers.lab.sim.clear_faults()
    assert papers.one(code, document).verdict is Verdict.STORED


def test_a_stored_document_announced_anew_and_not_served_is_past(papers: Papers) -> None:
    papers.run()
    document = papers.listed()[0][1]
    papers.announce(document, nombre_fic="otro.pdf")
    papers.lab.sim.fault("gone", f"idDocumento={document}")
    papers.run()
    assert papers.row(document, "state", "sha256") == ("gone", None)
    assert past(papers, "id, end_kind") == [(document, "superseded")]
    papers.assert_sound()


def test_a_document_of_two_calls_belongs_to_one_and_moves_without_being_asked_for(papers: Papers) -> None:
    (first, document), (other, _) = papers.listed()[0], papers.listed()[-1]
    assert first != other
    papers.lab.connection.execute(
        """
        insert into bdns.convocatorias_documentos
        select %s, id, descripcion, nombre_fic, long, dat_mod + 1, dat_publicacion, row_hash, valid_from
        from bdns.convocatorias_documentos where id = %s
        """,
        [other, document],
    )
    papers.run()
    (parent,) = papers.row(document, "codigo_bdns")
    papers.lab.sim.reset_requests()
    report = papers.run()
    assert (report.visits.total(), papers.asked(), past(papers)) == (0, 0, [])
    # The other one announces it as the first did, and the first no longer does.
    heir = other if parent == first else first
    (changed,) = papers.row(document, "dat_mod")
    papers.announce(document, dat_mod=changed)
    papers.lab.connection.execute(
        "delete from bdns.convocatorias_documentos where id = %s and codigo_bdns = %s", [document, parent]
    )
    report = papers.run()
    assert papers.row(document, "codigo_bdns", "state") == (heir, "stored")
    assert (report.unlisted, papers.asked(), past(papers)) == (0, 0, [])


def test_days_and_a_limit_bound_a_run_and_the_newest_come_first(papers: Papers) -> None:
    papers.lab.sync("convocatorias", TUESDAY)
    papers.lab.sync("planes_estrategicos")
    newest = [id_ for _, id_ in papers.listed()]
    tuesday = papers.lab.count(
        "bdns.convocatorias_documentos join bdns.convocatorias using (codigo_bdns)",
        f"fecha_recepcion = '{TUESDAY}'",
    )
    first = papers.run(Scope(TUESDAY, TUESDAY), limit=2)
    assert stored(papers) == sorted(newest[:2])
    assert (first.visits.total(), first.left) == (2, tuesday - 2)
    papers.run(Scope(TUESDAY, TUESDAY))
    assert stored(papers) == sorted(newest[:tuesday])
    assert papers.run(Scope(TUESDAY, TUESDAY), limit=9).visits.total() == 0
    papers.run(Scope(MONDAY, MONDAY))
    assert stored(papers) == sorted(newest)
    assert papers.lab.count("bdns.documentos", "origen = 'plan'") == 0


def stored(papers: Papers) -> list[int]:
    return [id_ for (id_,) in papers.lab.rows("select id from bdns.documentos order by id")]


def test_batches_are_one_run(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 3)
    document = papers.listed()[1][1]
    papers.lab.sim.fault("html", f"idDocumento={document}")
    report = papers.run()
    count = len(papers.listed())
    assert report.visits.total() == papers.asked() == count > 6
    assert papers.states() == {"stored": count - 1, "failed": 1}
    papers.assert_sound()


def test_a_day_is_told_when_its_last_document_is_done(papers: Papers) -> None:
    papers.lab.sync("convocatorias", TUESDAY)
    told: list[tuple[dt.date, int, int]] = []

    def on_day(day: dt.date, visits: list[object]) -> None:
        told.append((day, len(visits), sum(papers.states().values())))

    async def run() -> None:
        async with papers.open(BDNS_MAX_IN_FLIGHT=3) as documents:
            await store_due(Scope(), documents, on_day=on_day)  # type: ignore[arg-type]

    asyncio.run(run())
    assert [(day, n) for day, n, _ in sorted(told)] == [
        (day, papers.lab.count("bdns.convocatorias_documentos join bdns.convocatorias using (codigo_bdns)",
                               f"fecha_recepcion = '{day}'"))
        for day in (MONDAY, TUESDAY)
    ]  # fmt: skip
    assert told[0][2] < told[1][2] == len(papers.listed())
    assert papers.lab.sim.requests()["max_in_flight"] <= 3


def test_a_text_whose_row_is_gone_is_read_again_from_the_store(papers: Papers) -> None:
    papers.run()
    missing = papers.lab.value("select path from bdns.documentos where id = %s", [papers.listed()[0][1]])
    (papers.folder / missing).unlink()
    papers.lab.connection.execute("delete from bdns.documentos_texto")
    papers.lab.sim.reset_requests()
    report = papers.run()
    assert papers.asked() == 0
    # What somebody took out of the store is told by the check, and does not end the run.
    assert report.texts.total() == papers.lab.count("bdns.documentos_texto") == len(papers.files())


def test_any_fsspec_address_will_do(papers: Papers) -> None:
    address = f"memory://{papers.folder.parent.name}"
    report = papers.run(DOCUMENTS_URL=address)
    assert papers.states() == {"stored": len(papers.listed())} and report.texts.total() > 0


def test_documents_of_a_stand_in_never_mix_with_real_ones(labs: Callable[..., Lab], papers: Papers) -> None:
    papers.lab.connection.execute("update ops.loads set source = 'https://www.infosubvenciones.es/bdnstrans/api'")
    papers.lab.sim.reset_requests()
    with pytest.raises(BadRequest, match="real and made-up rows would mix"):
        papers.run()
    assert papers.asked() == 0
    assert DOCUMENTS not in papers.lab.sim.requests()["by_path"]
