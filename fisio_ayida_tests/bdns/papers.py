"""What tests of documents do: a store of their own, runs of the real service, questions to store and tables.

Here: helpers. Not here: expectations.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from fisio_ayida.bdns.datasets import CONVOCATORIAS, PLANES_ESTRATEGICOS
from fisio_ayida.bdns.documents.due import Scope
from fisio_ayida.bdns.documents.model import Visit
from fisio_ayida.bdns.documents.service import Report, open_documents, store_document, store_due
from fisio_ayida.bdns.documents.store import PARTIAL
from fisio_ayida.bdns.documents.visit import Documents
from fisio_ayida_tests.bdns.conftest import MONDAY, Lab, tables_of

TABLES = (
    "bdns.documentos", "bdns.documentos_history", "bdns.documentos_texto", "ops.loads",
    *tables_of(CONVOCATORIAS), *tables_of(PLANES_ESTRATEGICOS),
)  # fmt: skip
DOCUMENTS = "convocatorias/documentos"


class Papers:
    """A lab with a folder for its documents."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.options: dict[str, Any] = {"DOCUMENTS_URL": folder, "DOCUMENTS_TEXT_SECONDS": 20}

    def announced(self, *days: dt.date) -> Papers:
        """A mirror that holds the calls of these days alone (of one Monday unless told otherwise)."""
        self.lab.connection.execute(f"truncate {', '.join(TABLES)}")
        for day in days or (MONDAY,):
            self.lab.sync("convocatorias", day)
        self.lab.sim.reset_requests()
        return self

    @asynccontextmanager
    async def open(self, **options: Any) -> AsyncIterator[Documents]:
        """The context of the service, a minute after the last one."""
        self.lab.later()
        settings = {**self.options, **options}
        async with (
            self.lab.context(**settings) as mirror,
            open_documents(self.lab.settings(**settings), mirror) as documents,
        ):
            yield documents

    def run(self, scope: Scope | None = None, *, limit: int | None = None, **options: Any) -> Report:
        """The real store_due, run to its end."""

        async def due() -> Report:
            async with self.open(**options) as documents:
                return await store_due(scope or Scope(), documents, limit=limit)

        return asyncio.run(due())

    def one(self, code: str, document_id: int, **options: Any) -> Visit:
        """The real store_document, run to its end."""

        async def single() -> Visit:
            async with self.open(**options) as documents:
                return await store_document(code, document_id, documents)

        return asyncio.run(single())

    def asked(self) -> int:
        """Documents that the source was asked for since the statistics were reset."""
        by_path = self.lab.sim.requests()["by_path"]
        return sum(count for path, count in by_path.items() if path.endswith("/documentos"))

    def files(self) -> dict[str, bytes]:
        """What is visible in the folder: bytes by their path."""
        found = {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}
        return {path: body for path, body in found.items() if not path.startswith(PARTIAL)}

    def left_over(self) -> list[str]:
        """Files under temporary names."""
        return [p.name for p in (self.folder / PARTIAL).iterdir()]

    def states(self) -> dict[str, int]:
        """How many documents are in each state."""
        rows = self.lab.rows("select state, count(*) from bdns.documentos group by 1")
        return {str(state): int(count) for state, count in rows}

    def row(self, document_id: int, *columns: str) -> tuple[Any, ...]:
        """Columns of one document."""
        query = f"select {', '.join(columns)} from bdns.documentos where id = %s"
        return self.lab.rows(query, [document_id])[0]

    def listed(self) -> list[tuple[str, int]]:
        """Code and document id of what the mirror's calls announce, newest first."""
        return self.lab.rows(
            """
            select codigo_bdns, d.id from bdns.convocatorias_documentos d
            join bdns.convocatorias using (codigo_bdns)
            order by fecha_recepcion desc, d.id desc
            """
        )  # type: ignore[return-value]

    def serve(self, document_id: int, body: bytes, **options: Any) -> None:
        """Let the source answer with these bytes for a document."""
        encoded = base64.b64encode(body).decode()
        self.lab.sim.fault("body", f"idDocumento={document_id}", base64=encoded, **options)

    def announce(self, document_id: int, **columns: Any) -> None:
        """Change what the mirror knows of a document, as a sync of its changed call would."""
        named = ", ".join(f"{name} = %s" for name in columns)
        query = f"update bdns.convocatorias_documentos set {named} where id = %s"
        self.lab.connection.execute(query, [*columns.values(), document_id])

    def assert_sound(self) -> None:
        """Every visible file has the digest of its name; every row's bytes are there; no partial file is left."""
        files = self.files()
        assert all(path.rpartition("/")[2] == sha256(body).hexdigest() for path, body in files.items())
        rows = self.lab.rows("select path, size_bytes from bdns.documentos where sha256 is not null")
        assert all(len(files[path]) == size for path, size in rows)
        assert self.left_over() == []
