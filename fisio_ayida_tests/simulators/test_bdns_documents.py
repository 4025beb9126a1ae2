"""Documents of the simulator: valid files of the announced size, changed by steps, spoilt by faults."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pypdf
import pytest

from fisio_ayida.simulators.bdns.filekinds import docx, odt, pdf, xlsx
from fisio_ayida_tests.simulators.conftest import DAY, Reader, es


def announced(reader: Reader) -> dict[int, dict[str, Any]]:
    """What the calls of two days announce, by id."""
    found = {}
    for row in reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta=es(DAY + timedelta(days=1))):
        detail = reader.get("convocatorias", numConv=row["numeroConvocatoria"]).json()
        found |= {document["id"]: document for document in detail["documentos"]}
    return found


def body(reader: Reader, document: int) -> bytes:
    return reader.get("convocatorias/documentos", idDocumento=document).content


def test_files_are_valid_ones_of_their_kind_and_the_same_at_each_call(reader: Reader) -> None:
    seen = set()
    for document, told in announced(reader).items():
        content, kind = body(reader, document), told["nombreFic"].lower().rpartition(".")[2]
        assert len(content) == told["long"] and content == body(reader, document)
        seen.add(kind)
        if kind == "pdf":
            assert "convocatoria es ficticia" in pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
        elif kind == "txt":
            assert "ningún" in content.decode("cp1252") or "ninguna" in content.decode("cp1252")
        else:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                assert archive.testzip() is None
    assert {"pdf", "zip", "docx", "odt", "sin_extension", "xlsx", "txt"} == seen


@pytest.mark.parametrize("make", [pdf, docx, odt, xlsx])
@pytest.mark.parametrize("size", [2_999, 9_999, 10_000, 10_184, 65_000])
def test_a_file_has_exactly_the_size_that_is_wanted(make: Callable[..., bytes], size: int) -> None:
    assert len(make(["uno", "dos"], size)) == size
    with pytest.raises(ValueError, match=r"the content alone has .* bytes, 500 are wanted"):
        make(["uno", "dos"], 500)


def test_a_step_publishes_documents_anew_and_says_so(fresh: Callable[..., Reader]) -> None:
    reader = fresh()
    before = announced(reader)
    bodies = {document: body(reader, document) for document in before}
    reader.sim.step(changed=0.9, datasets=["convocatorias"])
    after = announced(reader)
    changed = {document for document in before if after[document] != before[document]}
    assert 0 < len(changed) < len(before)
    assert changed == {document for document in before if body(reader, document) != bodies[document]}
    assert all(after[document]["datMod"] > before[document]["datMod"] for document in changed)


def test_faults_of_documents(fresh: Callable[..., Reader]) -> None:
    reader = fresh()
    first, second, *_ = announced(reader)
    reader.sim.fault("gone", f"idDocumento={first}")
    reader.sim.fault("resize", f"idDocumento={second}", bytes=7)
    answer = reader.get("convocatorias/documentos", idDocumento=first)
    assert (answer.status_code, answer.json()["codigo"]) == (400, "ERR_VALIDACION")
    assert len(body(reader, second)) == 7
    reader.sim.clear_faults()
    whole = body(reader, second)
    reader.sim.fault("resize", f"idDocumento={second}", bytes=len(whole) + 2)
    assert body(reader, second) == whole + b"xx"
    reader.sim.fault("body", f"idDocumento={first}", base64=base64.b64encode(b"\x00PK").decode())
    assert body(reader, first) == b"\x00PK"
    reader.sim.fault("set_field", "numConv=", field="documentos", value=[])
    assert announced(reader) == {}
