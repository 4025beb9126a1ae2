"""Text out of files of every kind, within limits; and the process that reads them, which may die."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.bdns.documents import extraction, kinds
from fisio_ayida.bdns.documents.errors import ReaderError
from fisio_ayida.bdns.documents.extraction import TextReader
from fisio_ayida.bdns.documents.reading.files import read
from fisio_ayida.bdns.documents.reading.protocol import Limits, Outcome, Reading, Task
from fisio_ayida.simulators.bdns import filekinds

LINES = ["Subvención a la asociación", "<Peñas> & «cía»", "Importe: 1.200,50 €"]
HTML = (
    "<!doctype html><title>x</title><script>no</script><p>Subvención a la asociación<p>&lt;Peñas> &amp; «cía»"
    "<div>Importe: 1.200,50 €</div>"
)
SLOW_OPERATORS = 6_000_000
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"


def text_of(tmp_path: Path, body: bytes, kind: kinds.Kind | None = None, **limits: int | float) -> Reading:
    path = tmp_path / "file"
    path.write_bytes(body)
    found = kind or kinds.kind_of(io.BytesIO(body), None)
    return read(Task(str(path), found.content_type), Limits(**limits))  # type: ignore[arg-type]


def archive(members: dict[str, bytes]) -> bytes:
    return filekinds.zipped_parts(members)


def word(inside: str) -> bytes:
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f'<w:document xmlns:w="{name}" xmlns:mc="mc"><w:body>{inside}</w:body></w:document>'
    return archive({"word/document.xml": body.encode(), "[Content_Types].xml": b"<a/>"})


def slow_pdf() -> bytes:
    """A PDF of one page whose content goes on for ever."""
    packed = zlib.compress(b"BT /F1 9 Tf " + b"0 0 Td " * SLOW_OPERATORS + b"ET", 1)
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 9 9] >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    return filekinds._pdf_file(objects, 0)


@pytest.mark.parametrize(
    ("make", "extractor", "pages"),
    [
        (lambda: filekinds.pdf(LINES, 9000, pages=3), "pypdf", 3),
        (lambda: filekinds.docx(LINES, 9000), "lxml", None),
        (lambda: filekinds.odt(LINES, 9000), "lxml", None), (lambda: filekinds.xlsx(LINES, 9000), "lxml", None),
        (lambda: "\r\n".join(LINES).encode("cp1252"), "text", None),
        (lambda: "\n".join(LINES).encode("utf-8-sig"), "text", None),
        (lambda: "\n".join(LINES).encode("utf-16"), "text", None),
        (lambda: HTML.encode("cp1252"), "lxml", None),
    ],
)  # fmt: skip
def test_every_kind_gives_its_lines(
    tmp_path: Path, make: Callable[[], bytes], extractor: str, pages: int | None
) -> None:
    reading = text_of(tmp_path, make())
    assert (reading.outcome, reading.reason, reading.pages, reading.truncated) == (
        Outcome.TEXT,
        None,
        pages,
        False,
    )
    assert reading.extractor.startswith(extractor)
    assert reading.text is not None
    assert [line for line in reading.text.splitlines() if line in LINES] == LINES * (pages or 1)


def test_what_a_reader_of_paragraphs_would_miss_is_read(tmp_path: Path) -> None:
    run = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>".format
    body = word(
        f"<w:sdt><w:sdtContent>{run('campo')}</w:sdtContent></w:sdt><w:p><w:ins><w:r><w:t>añadido</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>borrado</w:delText></w:r></w:del></w:p>"
        f"<w:tbl><w:tr><w:tc>{run('celda')}</w:tc></w:tr></w:tbl>"
        "<mc:AlternateContent><mc:Choice><w:t>cuadro</w:t></mc:Choice><mc:Fallback><w:t>cuadro</w:t></mc:Fallback>"
        "</mc:AlternateContent><w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>"
    )
    assert text_of(tmp_path, body).text == "campo\nañadido\ncelda\ncuadroa b\nc"


def test_archives_are_read_through_two_levels_and_say_whose_text_it_is(tmp_path: Path) -> None:
    inner = archive({"b.pdf": filekinds.pdf(["dentro"]), "deeper.zip": archive({"c.txt": b"demasiado"})})
    body = archive({"a/uno.docx": filekinds.docx(["fuera", "fin"]), "inner.zip": inner, "foto.jpg": JPEG})
    reading = text_of(tmp_path, body)
    assert reading.text == "a/uno.docx\n\nfuera\nfin\n\nb.pdf\n\ndentro"
    assert (
        reading.reason is not None and "deeper.zip': archives inside archives, more than 2 deep" in reading.reason
    )
    assert "foto.jpg': there is no reader for image/jpeg" in reading.reason
    assert reading.extractor.startswith("lxml ") and ", pypdf " in reading.extractor


def test_a_broken_member_does_not_hide_the_others(tmp_path: Path) -> None:
    body = bytearray(archive({"a.txt": b"primero" * 9, "b.txt": b"segundo" * 9}))
    body[body.index(b"a.txt") + 8] ^= 0xFF
    reading = text_of(tmp_path, bytes(body))
    assert reading.outcome is Outcome.TEXT and reading.text is not None and "segundo" in reading.text
    assert reading.reason is not None and reading.reason.startswith("member 'a.txt': ")


@pytest.mark.parametrize(
    ("limits", "reason", "chars"),
    [
        ({"pages": 2}, "only 2 of 3 pages were read", None), ({"chars": 40}, "more than 40 characters", 40),
        ({"seconds": 0.0}, "longer than 0 s", None), ({"input_bytes": 100}, "more than 100 bytes", None),
    ],
)  # fmt: skip
def test_a_limit_ends_the_reading_with_what_there_is(
    tmp_path: Path, limits: dict[str, float], reason: str, chars: int | None
) -> None:
    reading = text_of(tmp_path, filekinds.pdf(LINES, pages=3), **limits)
    assert reading.truncated and reading.reason == reason
    assert reading.outcome is (Outcome.TEXT if reading.text else Outcome.LIMIT)
    assert chars is None or len(reading.text or "") <= chars


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        for n in range(40):
            made.writestr(f"{n}.txt", b"a" * 1_000_000)
    reading = text_of(tmp_path, bomb.getvalue(), unpacked_bytes=3_000_000, chars=10**8)
    assert reading.truncated and reading.reason is not None
    assert reading.reason == "more than 3000000 bytes when unpacked"
    # The same inside an office file, whose parts are read in pieces.
    body = word("<w:p/>" * 1_000_000)
    reading = text_of(tmp_path, body, unpacked_bytes=3_000_000)
    assert (reading.outcome, reading.reason) == (Outcome.LIMIT, "more than 3000000 bytes when unpacked")


def test_too_many_members_are_not_all_read(tmp_path: Path) -> None:
    body = archive({f"{n}.txt": b"t" for n in range(30)})
    reading = text_of(tmp_path, body, members=10)
    assert (reading.truncated, reading.reason) == (True, "only 10 of 30 members were read")


def test_a_file_with_entities_of_its_own_is_refused(tmp_path: Path) -> None:
    head = '<!DOCTYPE d [<!ENTITY a "xxxxxxxxxx"><!ENTITY s SYSTEM "file:///etc/hostname">]>'
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f'{head}<w:document xmlns:w="{name}"><w:p><w:t>antes &a;&s; después</w:t></w:p></w:document>'
    made = archive({"word/document.xml": body.encode(), "[Content_Types].xml": b"<a/>"})
    reading = text_of(tmp_path, made)
    assert (reading.outcome, reading.text) == (Outcome.FAILED, None)
    assert reading.reason == "it declares entities, which no office file does"


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        (filekinds.pdf([]), Outcome.EMPTY, "no text in 1 pages: most likely pictures of paper"),
        (b"%PDF-1.4 and nothing else", Outcome.FAILED, "broken: "),
        (b"", Outcome.UNSUPPORTED, "there is no reader for"),
        (JPEG, Outcome.UNSUPPORTED, "there is no reader for image/jpeg"),
        (b"PK\x03\x04 broken", Outcome.FAILED, "broken: BadZipFile"),
        (archive({"[Content_Types].xml": b"", "word/other.xml": b""}), Outcome.FAILED, "none of the parts"),
        (archive({"x.jpg": JPEG}), Outcome.EMPTY, "member 'x.jpg': there is no reader"),
    ],
)  # fmt: skip
def test_no_text_has_a_reason(tmp_path: Path, body: bytes, outcome: Outcome, reason: str) -> None:
    reading = text_of(tmp_path, body)
    assert reading.outcome is outcome and reading.reason is not None and reading.reason.startswith(reason)


def test_a_locked_pdf_opens_if_no_password_is_needed(tmp_path: Path) -> None:
    for user, outcome in (("", Outcome.TEXT), ("clave", Outcome.FAILED)):
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(filekinds.pdf(LINES)))
        writer.encrypt(user, "dueño", algorithm="RC4-128")
        body = io.BytesIO()
        writer.write(body)
        reading = text_of(tmp_path, body.getvalue())
        assert reading.outcome is outcome
        assert reading.reason == (None if outcome is Outcome.TEXT else "locked with a password")


@given(st.text(max_size=300))
def test_text_is_fit_for_a_database(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    reading = text_of(folder, text.encode("utf-16", "surrogatepass"), kinds.TEXT)
    found = reading.text or ""
    found.encode()
    assert "\x00" not in found and "\n\n\n" not in found and found == found.strip()


def through_child(work: Callable[[TextReader], object], **limits: float) -> None:
    """A piece of asynchronous work with a reader of its own."""

    async def run() -> None:
        async with TextReader(Limits(**limits)) as reader:  # type: ignore[arg-type]
            await work(reader)  # type: ignore[misc]

    asyncio.run(run())


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file that can be read."""
    path = tmp_path / "good"
    path.write_bytes(filekinds.pdf(LINES))
    return path


def test_one_child_reads_many_files(good: Path) -> None:
    async def work(reader: TextReader) -> None:
        pids = set()
        for _ in range(20):
            reading = await reader.read(good, kinds.PDF.content_type)
            assert reading.text is not None and "Subvención" in reading.text
            assert reader._process is not None
            pids.add(reader._process.pid)
        assert len(pids) == 1

    through_child(work)


def test_a_file_that_holds_the_child_up_is_an_outcome_and_the_next_one_is_read(tmp_path: Path, good: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_bytes(slow_pdf())

    async def work(reader: TextReader) -> None:
        reading = await reader.read(slow, kinds.PDF.content_type)
        assert (reading.outcome, reading.reason) == (Outcome.LIMIT, "longer than 0.5 s, and had to be ended")
        assert (await reader.read(good, kinds.PDF.content_type)).outcome is Outcome.TEXT

    through_child(work, seconds=0.5)


def test_a_file_that_kills_the_child_is_an_outcome_and_the_next_one_is_read(tmp_path: Path, good: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_bytes(slow_pdf())

    async def work(reader: TextReader) -> None:
        killed = set()

        async def kill_every_child() -> None:
            while True:
                await asyncio.sleep(0.02)
                if reader._process is not None and has_opened(reader._process.pid, slow):
                    killed.add(reader._process.pid)
                    os.kill(reader._process.pid, signal.SIGSEGV)

        killer = asyncio.create_task(kill_every_child())
        reading = await reader.read(slow, kinds.PDF.content_type)
        killer.cancel()
        assert (reading.outcome, reading.reason) == (Outcome.FAILED, "the reading process died twice: signal 11")
        assert len(killed) == 2
        assert (await reader.read(good, kinds.PDF.content_type)).outcome is Outcome.TEXT

    through_child(work)


def test_a_child_that_died_of_something_else_is_replaced(good: Path) -> None:
    async def work(reader: TextReader) -> None:
        for _ in range(3):
            assert (await reader.read(good, kinds.PDF.content_type)).outcome is Outcome.TEXT
            assert reader._process is not None
            os.kill(reader._process.pid, signal.SIGKILL)

    through_child(work)


def has_opened(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(each.resolve() == path for each in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def test_a_file_that_takes_all_memory_is_an_outcome_and_the_next_one_is_read(tmp_path: Path, good: Path) -> None:
    large = tmp_path / "large"
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("zeros.txt", bytes(150_000_000))

    async def work(reader: TextReader) -> None:
        reading = await reader.read(large, kinds.ZIP.content_type)
        assert (reading.outcome, reading.reason) == (Outcome.LIMIT, "more than 268435456 bytes of memory")
        assert (await reader.read(good, kinds.PDF.content_type)).outcome is Outcome.TEXT

    through_child(work, memory_bytes=256 * 1024 * 1024)


def test_a_child_that_cannot_start_is_said(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "MODULE", "fisio_ayida.not_there")

    async def work(reader: TextReader) -> None:
        with pytest.raises(
            ReaderError, match=r"does not start: exit code 1, .*No module named fisio_ayida.not_there"
        ):
            await reader.read(good, kinds.PDF.content_type)

    through_child(work)


def test_the_child_knows_neither_dagster_nor_a_database_nor_our_environment(good: Path) -> None:
    code = (
        "import sys, fisio_ayida.bdns.documents.reading.__main__;"
        "print([m for m in ('dagster', 'psycopg', 'httpx', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"

    async def work(reader: TextReader) -> None:
        await reader.read(good, kinds.PDF.content_type)
        assert reader._process is not None
        environment = Path(f"/proc/{reader._process.pid}/environ").read_bytes().split(b"\0")
        assert {each.partition(b"=")[0] for each in environment if each} == {b"PYTHONPATH", b"PYTHONUTF8"}

    through_child(work)
