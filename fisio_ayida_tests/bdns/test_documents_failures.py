"""Bad days of single documents and of the source: what is recorded, what is tried again, who is not disturbed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from fisio_ayida.bdns.documents import extraction
from fisio_ayida.bdns.documents.errors import ReaderError, StoreError
from fisio_ayida.bdns.documents.ledger import PAUSES
from fisio_ayida.bdns.documents.model import Verdict
from fisio_ayida.bdns.errors import ApiOverloaded, PathUnknown, RequestFailed
from fisio_ayida_tests.bdns.conftest import Lab
from fisio_ayida_tests.bdns.papers import DOCUMENTS, Papers

FAILURES = [
    ("cut", {}, "The connection was cut"),
    ("html", {}, "an HTML page instead of a document. It is asked for again later."),
    ("resize", {"bytes": 10}, "10 bytes came, "),
    ("body", {"base64": ""}, "no bytes"),
    ("maintenance", {}, "ERR_MANTENIMIENTO_BBDD"),
    ("status", {"status": 503}, "HTTP 503"),
    ("status", {"status": 429}, "HTTP 429"),
    ("status", {"status": 403}, "HTTP 403"),
    ("status", {"status": 400}, "HTTP 400"),
]


@pytest.fixture
def papers(shared_lab: Lab, tmp_path: Path) -> Papers:
    """An empty store and the calls of one day; simulator and database are the file's."""
    return Papers(shared_lab, tmp_path / "documents").announced()


def test_every_failure_is_recorded_in_words_tried_again_and_disturbs_nobody(papers: Papers) -> None:
    ids = [id_ for _, id_ in papers.listed()]
    failing = dict(zip(ids[1::2], FAILURES, strict=False))
    for document, (kind, settings, _) in failing.items():
        papers.lab.sim.fault(kind, f"idDocumento={document}", **settings)
    report = papers.run()
    assert papers.states() == {"stored": len(ids) - len(failing), "failed": len(failing)}
    assert report.visits[Verdict.FAILED] == len(failing) >= 4
    for document, (_, _, words) in failing.items():
        attempts, again, error, path = papers.row(document, "attempts", "next_attempt_at", "last_error", "path")
        assert words in error and f"idDocumento={document}" in error and "\n" not in error
        assert (attempts, again, path) == (1, papers.lab.moment + PAUSES[0], None)
    papers.assert_sound()

    papers.lab.sim.clear_faults()
    papers.lab.sim.reset_requests()
    papers.run()
    assert papers.asked() == 0, "its time has not come"
    papers.lab.later(hours=1)
    papers.run()
    assert papers.asked() == len(failing) and papers.states() == {"stored": len(ids)}
    assert papers.lab.count("bdns.documentos", "attempts > 0 or last_error is not null") == 0
    assert papers.lab.count("bdns.documentos_history") == 0


@pytest.mark.parametrize(("kind", "settings", "words"), FAILURES, ids=range(len(FAILURES)))
def test_one_asked_for_by_name_fails_with_its_own_error(
    papers: Papers, kind: str, settings: dict[str, Any], words: str
) -> None:
    code, document = papers.listed()[0]
    papers.lab.sim.fault(kind, DOCUMENTS, **settings)
    with pytest.raises(RequestFailed) as caught:
        papers.one(code, document)
    assert words in str(caught.value)
    assert papers.row(document, "state", "last_error") == ("failed", str(caught.value))
    assert papers.files() == {} and papers.left_over() == []


@pytest.mark.parametrize(
    ("kind", "settings"), [("status", {"status": 429}), ("status", {"status": 503}), ("cut", {})]
)
def test_what_passes_is_tried_again_at_once(papers: Papers, kind: str, settings: dict[str, Any]) -> None:
    code, document = papers.listed()[0]
    papers.lab.sim.fault(kind, DOCUMENTS, times=2, **settings)
    assert papers.one(code, document).verdict is Verdict.STORED
    assert papers.asked() == 3
    papers.assert_sound()


def test_pages_and_wrong_sizes_are_not_asked_for_at_once(papers: Papers) -> None:
    papers.lab.sim.fault("html", DOCUMENTS)
    papers.run()
    assert papers.asked() == len(papers.listed()) == papers.states()["failed"]


def test_a_size_that_is_not_the_announced_one_is_believed_the_second_time(papers: Papers) -> None:
    document = papers.listed()[0][1]
    papers.lab.sim.fault("resize", f"idDocumento={document}", bytes=4000)
    papers.run()
    papers.lab.later(hours=1)
    papers.lab.sim.clear_faults()
    papers.lab.sim.fault("resize", f"idDocumento={document}", bytes=5000)
    papers.run()
    assert papers.row(document, "state", "attempts") == ("failed", 2), "another wrong size proves nothing"
    papers.lab.later(days=1)
    papers.run()
    assert papers.row(document, "state", "size_bytes", "attempts") == ("stored", 5000, 0)
    papers.assert_sound()


def test_tries_come_to_an_end_until_it_is_announced_anew(papers: Papers) -> None:
    document = papers.listed()[0][1]
    papers.lab.sim.fault("html", f"idDocumento={document}")
    for _ in range(len(PAUSES) + 2):
        papers.run()
        papers.lab.later(days=4)
    assert papers.row(document, "attempts", "next_attempt_at") == (len(PAUSES) + 1, None)
    papers.announce(document, dat_mod=dt.date(2026, 9, 30))
    papers.run()
    assert papers.row(document, "attempts", "next_attempt_at") == (1, papers.lab.moment + PAUSES[0])


def test_one_that_is_too_large_is_not_asked_for_until_the_limit_is_raised(papers: Papers) -> None:
    papers.lab.sync("planes_estrategicos")
    sizes = sorted(size for (size,) in papers.lab.rows("select long from bdns.convocatorias_documentos"))
    limit = sizes[len(sizes) // 2]
    small = sum(size <= limit for size in sizes)
    papers.run(DOCUMENTS_MAX_BYTES=limit)
    # Plans announce no size: theirs are asked for and left where the limit is passed.
    plans = papers.lab.count("bdns.planes_estrategicos_documentos")
    assert papers.asked() == small + plans
    refused = papers.lab.rows(
        "select id, long, last_error, refused_over from bdns.documentos where state = 'refused'"
    )
    assert len([row for row in refused if row[1] is not None]) == len(sizes) - small > 0
    assert {row[3] for row in refused} == {limit}
    assert f"DOCUMENTS_MAX_BYTES is {limit}" in next(row[2] for row in refused if row[1] is not None)

    papers.lab.sim.reset_requests()
    papers.run(DOCUMENTS_MAX_BYTES=limit)
    assert papers.asked() == 0
    papers.run(DOCUMENTS_MAX_BYTES=max(sizes))
    assert papers.asked() == len(refused) and set(papers.states()) == {"stored"}


def test_one_that_grows_beyond_the_limit_on_its_way_is_left(papers: Papers) -> None:
    code, document = papers.listed()[0]
    papers.announce(document, long=None)
    with pytest.raises(RequestFailed, match=r"more than 1000 bytes\. Raise DOCUMENTS_MAX_BYTES to have it"):
        papers.one(code, document, DOCUMENTS_MAX_BYTES=1000)
    assert papers.row(document, "state", "refused_over") == ("refused", 1000)
    assert papers.files() == {} and papers.left_over() == []


@pytest.mark.parametrize(
    ("kind", "settings", "error"),
    [
        ("status", {"status": 503}, ApiOverloaded), ("status", {"status": 404}, PathUnknown),
    ],
)  # fmt: skip
def test_a_source_that_is_away_ends_the_run_after_a_few_and_the_next_run_goes_on(
    papers: Papers, kind: str, settings: dict[str, Any], error: type[RequestFailed]
) -> None:
    ids = [id_ for _, id_ in papers.listed()]
    papers.run(limit=1)
    papers.lab.sim.fault(kind, DOCUMENTS, **settings)
    with pytest.raises(error):
        papers.run()
    # Beside the third another may have been on its way.
    assert papers.states() in ({"stored": 1, "failed": 3}, {"stored": 1, "failed": 4})
    papers.lab.sim.clear_faults()
    papers.lab.later(hours=1)
    papers.run()
    assert papers.states() == {"stored": len(ids)}


def test_a_full_disk_ends_the_run_and_leaves_nothing_half_done(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the system says is real (test_documents_store.py); here it is said at the second document.
    from fisio_ayida.bdns.documents import store

    real, calls = store._move, []

    def full(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(*arguments)

    monkeypatch.setattr(store, "_move", full)
    with pytest.raises(StoreError, match=r"DOCUMENTS_URL=.* cannot be used: OSError: \[Errno 28\] No space left"):
        papers.run()
    # The first, and one that was on its way beside the second.
    assert 1 <= papers.states()["stored"] <= 2
    papers.assert_sound()
    papers.run()
    assert papers.states() == {"stored": len(papers.listed())}


def test_a_reader_that_does_not_start_ends_the_run_and_the_next_one_reads_what_is_stored(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "MODULE", "fisio_ayida.not_there")
        with pytest.raises(ReaderError, match="the process that reads texts does not start"):
            papers.run()
    stored = papers.states()["stored"]
    assert stored >= 1 and papers.lab.count("bdns.documentos_texto") == 0
    papers.run()
    assert papers.states() == {"stored": len(papers.listed())}
    assert papers.lab.count("bdns.documentos_texto") == len(papers.files())
