"""Documents: how fast they are fetched and stored, how fast their text is read, and what nothing new costs.

Measured, against a simulator in a process of its own and without a pace to keep: documents a second with the
text of each read beside (`fetch and read`), with all texts known (`fetch`), and the question what is due when
nothing is, at a million documents. Then megabytes of text a second out of the reading process, by kind of file.
Not measured: the official pace, which allows 9.5 documents a second.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import logging
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.harness import WORK, parser, publish, table
from bench.stage import SIMULATED_TODAY, Stage, stage
from fisio_ayida.bdns.datasets import CONVOCATORIAS
from fisio_ayida.bdns.documents import kinds
from fisio_ayida.bdns.documents.due import Scope
from fisio_ayida.bdns.documents.extraction import TextReader
from fisio_ayida.bdns.documents.reading.protocol import Limits
from fisio_ayida.bdns.documents.service import Report, open_documents, store_due
from fisio_ayida.bdns.service import Caller, Order, open_context, sync
from fisio_ayida.settings import Settings
from fisio_ayida.simulators.bdns import SimulatorProcess
from fisio_ayida.simulators.bdns.filekinds import docx, odt, pdf, plain, zipped_parts
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida.warehouse.urls import DatabaseUrl

LAST = SIMULATED_TODAY - dt.timedelta(days=2)  # a Friday
LINE = "La entidad beneficiaria justificará ante el órgano concedente el cumplimiento de los requisitos {}."


def main(arguments: list[str]) -> int:
    options = parser("documents", __doc__)
    options.add_argument("--calls", type=int, default=1500, help="calls of one day (default %(default)s)")
    options.add_argument("--rows", type=int, default=1_000_000, help="documents for the question what is due")
    chosen = options.parse_args(arguments)
    if chosen.quick:
        chosen.calls, chosen.rows = 100, 20_000
    with stage() as place:
        found = {**_fetched(place, chosen), **_due(place, chosen)}
    found["reading"] = asyncio.run(_read())
    publish("documents", chosen, _conclude(chosen, found), found)
    return 0


def _fetched(place: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    database = place.database("bench_documents", migrated=True)
    store = Path(tempfile.mkdtemp(prefix="documents-", dir=WORK))
    found: dict[str, Any] = {}
    options = ["--today", SIMULATED_TODAY.isoformat(), "--rows-per-day", f"convocatorias={chosen.calls}"]
    with SimulatorProcess(options) as source, Warehouse(database) as warehouse:
        settings = _settings(source.base_url, store)
        asyncio.run(_run(settings, warehouse, announce=True))
        for name, forget in (("fetch and read", ""), ("fetch", "truncate bdns.documentos"), ("nothing new", "")):
            if forget:
                shutil.rmtree(store)
                with warehouse.connect(autocommit=True) as conn:
                    conn.execute(forget)
            begun = time.perf_counter()
            report = asyncio.run(_run(settings, warehouse))
            found[name] = {"seconds": time.perf_counter() - begun, **report.numbers}
    shutil.rmtree(store)
    return found


def _settings(base_url: str, store: Path) -> Settings:
    return Settings.load({"BDNS_BASE_URL": base_url, "BDNS_REQUESTS_PER_SECOND": "0", "DOCUMENTS_URL": str(store)})


async def _run(settings: Settings, warehouse: Warehouse, *, announce: bool = False) -> Report:
    moment = dt.datetime.combine(SIMULATED_TODAY, dt.time(9), dt.UTC)
    async with (
        open_context(
            settings, warehouse, now=lambda: moment, jitter=lambda: 0.5, log=logging.getLogger("bench"),
            caller=Caller(job_name="bench"),
        ) as context,
        open_documents(settings, context) as documents,
    ):  # fmt: skip
        if announce:
            await sync(CONVOCATORIAS, Order(LAST, LAST), context)
            return Report()
        return await store_due(Scope(), documents)


def _due(place: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    """A run that has nothing to do, with as many documents as are announced in reality."""
    database: DatabaseUrl = place.database("bench_documents_due", migrated=True)
    with SimulatorProcess(["--today", SIMULATED_TODAY.isoformat()]) as source, Warehouse(database) as warehouse:
        with warehouse.connect(autocommit=True) as conn:
            conn.execute(
                """
                insert into bdns.convocatorias (codigo_bdns, id, fecha_recepcion, row_hash, valid_from)
                select n, n, date '2016-01-01' + n %% 3900, n, now() from generate_series(1, %(calls)s) n
                """,
                {"calls": chosen.rows // 2},
            )
            conn.execute(
                """
                insert into bdns.convocatorias_documentos
                select 1 + n %% %(calls)s, n, 'Bases', 'bases reguladoras ' || n || '.pdf', n, '2026-01-01',
                       '2026-01-01', n, now() from generate_series(1, %(rows)s) n
                """,
                {"calls": chosen.rows // 2, "rows": chosen.rows},
            )
            conn.execute(
                """
                insert into bdns.documentos (origen, id, codigo_bdns, nombre_fic, long, dat_mod, dat_publicacion,
                  fingerprint, state, path, size_bytes, sha256, fetched_at, valid_from, content_type)
                select 'convocatoria', id, codigo_bdns, nombre_fic, long, dat_mod, dat_publicacion,
                  encode(sha256(convert_to(jsonb_build_array(
                    nombre_fic, long, dat_mod, dat_publicacion)::text, 'UTF8')), 'hex'),
                  'stored', 'x', 1, encode(sha256(id::text::bytea), 'hex'), now(), now(), 'application/pdf'
                from bdns.convocatorias_documentos
                """
            )
            conn.execute(
                """
                insert into bdns.documentos_texto (sha256, outcome, reason, extractor, extracted_at)
                select sha256, 'empty', 'none', 'none', now() from bdns.documentos
                """
            )
            conn.execute("vacuum analyze")
        settings = _settings(source.base_url, Path(tempfile.mkdtemp(prefix="documents-", dir=WORK)))
        begun = time.perf_counter()
        report = asyncio.run(_run(settings, warehouse))
        seconds = time.perf_counter() - begun
        shutil.rmtree(settings.documents_address)
    return {"due": {"seconds": seconds, "rows": chosen.rows, **report.numbers}}


async def _read() -> list[tuple[str, float, float]]:
    """Kind, seconds of one reading after one to warm up, megabytes of the text."""
    lines = [LINE.format(n) for n in range(45)]
    inside = {f"{n}.pdf": pdf(lines, pages=10) for n in range(5)} | {
        f"{n}.docx": docx(lines * 20) for n in range(5)
    }
    files = [
        ("PDF, 200 pages of 45 lines", pdf(lines, pages=200), kinds.PDF),
        ("Word, 9,000 paragraphs", docx([LINE.format(n) for n in range(9000)]), kinds.DOCX),
        ("OpenDocument, 9,000 paragraphs", odt([LINE.format(n) for n in range(9000)]), kinds.ODT),
        ("zip of 5 PDF and 5 Word", zipped_parts(inside), kinds.ZIP),
        ("text, code page 1252", plain(lines, 900_000), kinds.TEXT),
    ]
    found = []
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        async with TextReader(Limits()) as reader:
            for name, body, kind in files:
                path = Path(folder) / "file"
                path.write_bytes(body)
                await reader.read(path, kind.content_type)
                begun = time.perf_counter()
                reading = await reader.read(path, kind.content_type)
                seconds = time.perf_counter() - begun
                found.append((name, seconds, len((reading.text or "").encode()) / 1e6))
    return found


def _conclude(chosen: argparse.Namespace, found: dict[str, Any]) -> list[str]:
    rows = []
    for name in ("fetch and read", "fetch", "nothing new"):
        run = found[name]
        visited = run["stored"] + run["same_bytes"]
        rows.append(
            (name, visited, f"{run['bytes'] / 1e6:.1f}", f"{run['seconds']:.2f}",
             f"{visited / run['seconds']:.0f}", run["requests"])
        )  # fmt: skip
    texts = [
        (name, f"{text:.2f}", f"{seconds:.3f}", f"{text / seconds:.1f}")
        for name, seconds, text in found["reading"]
    ]
    due = found["due"]
    return [
        f"Documents of {chosen.calls:,} calls of one day, one call in flight, a folder as store.", "",
        *table(("run", "documents", "MB", "s", "documents/s", "requests"), rows), "",
        f"With {due['rows']:,} documents stored and nothing new, a whole run takes {due['seconds']:.1f} s"
        f" and asks for {due['requests']}.", "",
        *table(("text of", "MB of text", "s", "MB/s"), texts),
    ]  # fmt: skip
