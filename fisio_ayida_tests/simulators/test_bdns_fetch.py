"""A client that others wrote for the real service works against the simulator without being changed.

`bdns-fetch` is installed into an environment of its own and driven through its command line; the only
thing that this test does to it is to send its requests to another address.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from fisio_ayida.simulators.bdns import BdnsSimulator
from fisio_ayida_tests.simulators.conftest import DAY, TODAY, Reader, es, small

VERSION = "1.3.0"
# Runs in the other environment: each line of the plan is one command line; output goes to a file each.
DRIVER = """
import json, os, sys
from importlib.metadata import entry_points
from requests.sessions import Session

real = Session.request

def elsewhere(self, method, url, *args, **kwargs):
    url = url.replace("https://www.infosubvenciones.es", os.environ["ROOT_URL"])
    return real(self, method, url, *args, **kwargs)

Session.request = elsewhere
app = next(iter(entry_points(group="console_scripts", name="bdns-fetch"))).load()
codes = {}
for name, words in json.load(open(sys.argv[1])).items():
    sys.argv[1:] = ["--output-file", name, "--max-retries", "1", *words]
    try:
        app()
        codes[name] = 0
    except SystemExit as end:
        codes[name] = end.code
json.dump(codes, open("codes.json", "w"))
"""


def other_environment() -> Path:
    """The Python of an environment with bdns-fetch, kept between runs."""
    home = (
        Path(tempfile.gettempdir())
        / f"fisio-ayida-bdns-fetch-{VERSION}-{sys.version_info[0]}.{sys.version_info[1]}"
    )
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        fresh = home.with_name(f"{home.name}-{uuid.uuid4().hex[:8]}")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(fresh)], check=True, timeout=60)
        pip = [sys.executable, "-m", "pip", "--python", str(fresh / "bin" / "python"), "install", "-q"]
        pip += ["--disable-pip-version-check", "--no-compile"]  # compiling what is never imported takes long
        done = subprocess.run([*pip, f"bdns-fetch=={VERSION}"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"pip could not install bdns-fetch: {done.stderr}"
        (fresh / "complete").touch()
        if home.exists():
            return fresh / "bin" / "python"
        fresh.rename(home)
    return python


def run(folder: Path, root_url: str, plan: dict[str, list[str]]) -> dict[str, int]:
    """Run command lines of bdns-fetch; the exit code of each."""
    (folder / "driver.py").write_text(DRIVER)
    (folder / "plan.json").write_text(json.dumps(plan))
    environment = {**os.environ, "ROOT_URL": root_url, "NO_PROXY": "*", "PYTHONPATH": ""}
    command = [str(other_environment()), "driver.py", "plan.json"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    codes: dict[str, int] = json.loads((folder / "codes.json").read_text())
    assert set(codes.values()) == {0}, f"{codes}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return codes


def lines(path: Path) -> list[Any]:
    """The rows of one output file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def digest(keys: list[Any]) -> str:
    """As the truth call makes it."""
    return sha256("\n".join(str(key) for key in sorted(set(keys))).encode()).hexdigest()


def test_bdns_fetch_commands_work_unchanged(tmp_path: Path) -> None:
    first, last = DAY.isoformat(), (DAY + timedelta(days=3)).isoformat()
    window = ["--fechaRegInicio", first, "--fechaRegFin", last]
    pages = ["--num-pages", "0", "--pageSize", "60"]
    with BdnsSimulator(small(quirks={"Q2": False})) as sim:
        reader = Reader(sim)
        call = reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta=es(DAY))[0]
        document = next(
            item["id"]
            for row in reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta=es(DAY))
            for item in reader.get("convocatorias", numConv=row["numeroConvocatoria"]).json()["documentos"]
        )
        plan_document = reader.get("planesestrategicos", idPES=90_002).json()["documentos"][0]["id"]
        plan = {
            "convocatorias_busqueda": [
                *("convocatorias-busqueda", "--fechaDesde", first, "--fechaHasta", first, "--num-pages", "0"),
                *("--pageSize", "5"),
            ],
            "ultimas": ["convocatorias-ultimas"],
            "detalle": ["convocatorias", "--numConv", call["numeroConvocatoria"]],
            "documento": ["convocatorias-documentos", "--idDocumento", str(document)],
            "ficha": ["convocatorias-pdf", "--id", str(call["id"]), "--vpd", "GE"],
            "concesiones": ["concesiones-busqueda", *window, *pages],
            "ayudas_estado": ["ayudasestado-busqueda", *window, *pages],
            "minimis": ["minimis-busqueda", *window, *pages],
            "partidos_politicos": ["partidospoliticos-busqueda", "--num-pages", "0", "--pageSize", "25"],
            "grandes_beneficiarios": ["grandesbeneficiarios-busqueda", "--num-pages", "0", "--pageSize", "400"],
            "anios": ["grandesbeneficiarios-anios"],
            "planes_estrategicos": ["planesestrategicos-busqueda", "--num-pages", "0", "--pageSize", "15"],
            "plan": ["planesestrategicos", "--idPES", "90002"],
            "plan_documento": ["planesestrategicos-documentos", "--idDocumento", str(plan_document)],
            "vigencia": ["planesestrategicos-vigencia", "--idPES", "90002"],
            "sanciones": ["sanciones-busqueda", "--num-pages", "0"],
            "terceros": ["terceros", "--busqueda", "garcia", "--ambito", "C"],
            "organos_L": ["organos", "--idAdmon", "L"],
            "agrupacion": ["organos-agrupacion", "--idAdmon", "A"],
            "codigo": ["organos-codigo", "--codigo", "L02002185"],
            "codigo_admin": ["organos-codigoadmin", "--codigoAdmin", "A05"],
            "reglamentos": ["reglamentos", "--ambito", "A"],
            **{
                name: [name]
                for name in ("regiones", "finalidades", "beneficiarios", "instrumentos", "sectores", "actividades")
            },
            "objetivos": ["objetivos"],
        }
        sim.reset_requests()
        run(tmp_path, sim.root_url, plan)
        assert sim.requests()["by_status"] == {"200": sim.requests()["count"]}

        rows = lines(tmp_path / "convocatorias_busqueda")
        truth = sim.truth("convocatorias", DAY, DAY + timedelta(days=1))
        assert (len(rows), digest([row["numeroConvocatoria"] for row in rows])) == (
            truth["count"],
            truth["digest"],
        )
        for dataset, key in (("concesiones", "id"), ("ayudas_estado", "idConcesion"), ("minimis", "idConcesion")):
            rows = lines(tmp_path / dataset)
            truth = sim.truth(dataset, DAY, DAY + timedelta(days=3))
            assert (len(rows), digest([row[key] for row in rows])) == (truth["count"], truth["digest"]), dataset
        for dataset, names in (
            ("partidos_politicos", ["id"]),
            ("grandes_beneficiarios", ["idPersona", "ejercicio"]),
            ("planes_estrategicos", ["id"]),
            ("sanciones", ["numeroConvocatoria", "sancionado", "fechaSancion"]),
        ):
            rows = lines(tmp_path / dataset)
            keys = [
                row[names[0]] if len(names) == 1 else "|".join(str(row[name]) for name in names) for row in rows
            ]
            truth = sim.truth(dataset)
            assert (len(rows), digest(keys)) == (truth["count"], truth["digest"]), dataset
        assert sim.truth("finalidades")["count"] == len(lines(tmp_path / "finalidades"))
        assert next(row["id"] for row in lines(tmp_path / "reglamentos")) == 0
        assert lines(tmp_path / "detalle")[0]["codigoBDNS"] == call["numeroConvocatoria"]
        assert {row["id"] for row in lines(tmp_path / "anios")} == set(range(TODAY.year - 5, TODAY.year))
        # bdns-fetch writes the bytes of a document as one number a line.
        sheet = bytes(int(line) for line in (tmp_path / "ficha").read_text().split())
        assert sheet == reader.get("convocatorias/pdf", id=call["id"], vpd="GE").content
