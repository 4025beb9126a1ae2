"""Steps of time and the referee: what the truth and changes calls say equals what a client downloads.

Quirks Q23-Q25 and Q27 are here because they show only when time passes.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from fisio_ayida.simulators.bdns import BdnsSimulator, SimulatorError
from fisio_ayida_tests.simulators.conftest import DAY, FIRST, TODAY, Reader, es, small

ONE = timedelta(days=1)
KEYS: dict[str, tuple[str, ...]] = {
    "convocatorias": ("numeroConvocatoria",),
    "concesiones": ("id",),
    "ayudas_estado": ("idConcesion",),
    "minimis": ("idConcesion",),
    "partidos_politicos": ("id",),
    "grandes_beneficiarios": ("idPersona", "ejercicio"),
    "planes_estrategicos": ("id",),
    "sanciones": ("numeroConvocatoria", "sancionado", "fechaSancion"),
}
AMOUNTS = {
    "concesiones": "importe",
    "ayudas_estado": "importe",
    "minimis": "ayudaEquivalente",
    "partidos_politicos": "importe",
    "grandes_beneficiarios": "ayudaETotal",
    "sanciones": "importeMulta",
}
NOISY = ("beneficiario", "sancionado", "sectores", "sectorActividad")


def keys_of(dataset: str, rows: list[dict[str, Any]]) -> list[Any]:
    names = KEYS[dataset]
    return [row[names[0]] if len(names) == 1 else "|".join(str(row[name]) for name in names) for row in rows]


def digest(keys: list[Any]) -> str:
    return sha256("\n".join(str(key) for key in sorted(set(keys))).encode()).hexdigest()


def same_name(text: str) -> str:
    """A name without the noise of spelling."""
    for form, short in (("SOCIEDAD LIMITADA", "SL"), ("SOCIEDAD ANÓNIMA", "SA")):
        text = text.upper().replace(form, short)
    kept = text.replace("Ñ", "\x00")
    bare = "".join(c for c in unicodedata.normalize("NFD", kept) if not unicodedata.combining(c))
    return re.sub(r"[\s.\-]+", "", bare)


def real(row: dict[str, Any]) -> dict[str, Any]:
    """A row without its noise."""
    kept = {name: value for name, value in row.items() if name not in ("sectores", "sectorActividad")}
    return {name: same_name(value) if name in NOISY else value for name, value in kept.items()}


def download(reader: Reader, dataset: str) -> dict[Any, dict[str, Any]]:
    rows = reader.rows(dataset)
    return dict(zip(keys_of(dataset, rows), rows, strict=True))


@pytest.mark.parametrize("dataset", list(KEYS))
def test_truth_equals_a_full_download_by_pages(reader: Reader, dataset: str) -> None:
    rows = reader.rows(dataset, size=997)
    truth = reader.sim.truth(dataset)
    keys = keys_of(dataset, rows)
    assert (truth["count"], truth["distinct_keys"]) == (len(rows), len(set(keys)))
    assert truth["digest"] == digest(keys)
    if dataset in AMOUNTS:
        total = sum(Decimal(str(row[AMOUNTS[dataset]])) for row in rows)
        assert Decimal(truth["importe"]) == total
        assert re.fullmatch(r"\d+\.\d\d", truth["importe"])


def test_truth_of_calls_sums_the_budgets_of_their_details(reader: Reader) -> None:
    rows = reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta=es(DAY))
    details = [reader.get("convocatorias", numConv=row["numeroConvocatoria"]).json() for row in rows]
    truth = reader.sim.truth("convocatorias", DAY, DAY + ONE)
    budgets = sum(Decimal(str(detail["presupuestoTotal"] or 0)) for detail in details)
    assert (truth["count"], Decimal(truth["importe"])) == (12, budgets)


def test_truth_goes_by_registration_date_even_with_midnight_rows(fresh: Callable[..., Reader]) -> None:
    reader = fresh(rows_per_day={"concesiones": 4_000})
    window = reader.rows("concesiones", fechaRegInicio=es(DAY), fechaRegFin=es(DAY + ONE))
    own = [row["id"] for row in window if row["fechaAlta"] == DAY.isoformat()]
    truth = reader.sim.truth("concesiones", DAY, DAY + ONE)
    assert len(own) < len(window)
    assert (truth["count"], truth["digest"]) == (len(own), digest(own))


@pytest.mark.parametrize(
    ("dataset", "path", "parts"),
    [
        ("regiones", "regiones", [""]),
        ("sectores", "sectores", [""]),
        ("reglamentos", "reglamentos", list("CAMSPG")),
        ("organos", "organos", list("CALO")),
        ("organos_agrupacion", "organos/agrupacion", list("CALO")),
    ],
)
def test_truth_of_catalogues_equals_what_they_list(
    reader: Reader, dataset: str, path: str, parts: list[str]
) -> None:
    found: list[Any] = []

    def walk(nodes: list[dict[str, Any]], part: str, depth: int) -> None:
        for node in nodes:
            place = {"organos": f"{part}|{depth}|", "regiones": "", "sectores": ""}.get(dataset, f"{part}|")
            found.append(f"{place}{node['id']}" if place else node["id"])
            walk(node.get("children", []), part, depth + 1)

    for part in parts:
        asked = {} if not part else {"ambito" if dataset == "reglamentos" else "idAdmon": part}
        answer = reader.get(path, **asked)
        walk([] if answer.status_code == 204 else answer.json(), part, 1)
    truth = reader.sim.truth(dataset)
    assert (truth["count"], truth["digest"]) == (len(found), digest(found))


@pytest.mark.parametrize("dataset", [name for name in KEYS if name != "sanciones"])
def test_step_counts_equal_the_differences_of_two_downloads(fresh: Callable[..., Reader], dataset: str) -> None:
    reader = fresh(quirks={"Q20": False})
    reader.sim.step(removed=0.05)
    before = download(reader, dataset)
    reader.sim.step(added=0.05, changed=0.1, removed=0.02, restored=0.5, respelled=0.5, shuffled=True)
    after = download(reader, dataset)
    said = reader.sim.changes(dataset)
    fresh_keys = set(after) - set(before)
    assert said["added"] + said["restored"] == len(fresh_keys)
    assert set(said["keys"]["added"]) | set(said["keys"]["restored"]) == fresh_keys
    assert set(said["keys"]["removed"]) == set(before) - set(after)
    both = set(before) & set(after)
    differing = {key for key in both if real(before[key]) != real(after[key])}
    if dataset == "convocatorias":
        assert said["changed_in_listing"] == len(differing) > 0
    else:
        assert set(said["keys"]["changed"]) == differing
        noise = {key for key in both - differing if before[key] != after[key]}
        assert said["noise_only"] == len(noise)
        assert set(said["keys"]["noise_only"]) <= noise
    if dataset in ("concesiones", "ayudas_estado", "minimis"):
        assert min(said["added"], said["restored"], said["removed"], said["changed"], said["noise_only"]) > 0


def test_penalties_have_repeats_and_two_payloads_on_one_key(reader: Reader) -> None:
    rows = [tuple(row.items()) for row in reader.rows("sanciones")]
    payloads = Counter(rows)
    keys = keys_of("sanciones", [dict(row) for row in payloads])
    assert max(payloads.values()) == 2
    assert len(set(keys)) < len(payloads) < len(rows)
    truth = reader.sim.truth("sanciones")
    assert (truth["distinct_payloads"], truth["distinct_keys"]) == (len(payloads), len(set(keys)))


def test_changes_of_details_show_in_the_detail(fresh: Callable[..., Reader]) -> None:
    reader = fresh()
    codes = [
        row["numeroConvocatoria"] for row in reader.rows("convocatorias", fechaDesde=es(DAY), fechaHasta=es(DAY))
    ]
    before = {code: reader.get("convocatorias", numConv=code).json() for code in codes}
    reader.sim.step(changed=0.6, datasets=["convocatorias"])
    after = {code: reader.get("convocatorias", numConv=code).json() for code in codes}
    said = reader.sim.changes("convocatorias", DAY, DAY + ONE)
    differing = {code for code in codes if before[code] != after[code]}
    assert differing
    assert differing == set(said["keys"]["changed"])
    assert reader.sim.changes("concesiones")["changed"] == 0


def test_q23_names_are_respelled_by_a_step_and_stay_the_same_person(fresh: Callable[..., Reader]) -> None:
    reader = fresh()
    before = download(reader, "concesiones")
    assert download(reader, "concesiones") == before
    reader.sim.step(respelled=0.3)
    after = download(reader, "concesiones")
    differing = [key for key in before if before[key]["beneficiario"] != after[key]["beneficiario"]]
    assert 0.15 < len(differing) / len(before) < 0.3
    for key in differing:
        old, new = before[key], after[key]
        assert same_name(old["beneficiario"]) == same_name(new["beneficiario"])
        assert old["idPersona"] == new["idPersona"]
    reader.sim.quirks(Q23=False)
    reader.sim.step(respelled=1.0)
    assert download(reader, "concesiones") == after


def test_q24_flapping_fields_are_null_on_one_call_and_filled_on_the_next(fresh: Callable[..., Reader]) -> None:
    reader = fresh(quirks={"Q20": False})
    before = download(reader, "minimis")
    reader.sim.step(blanked=0.2)
    first, second, third = (download(reader, "minimis") for _ in range(3))
    blank = {key for key in before if first[key]["sectorActividad"] != before[key]["sectorActividad"]}
    assert 0.1 < len(blank) / len(before) < 0.3
    assert all(first[key]["sectorActividad"] is None for key in blank)
    assert second == third == before
    code = next(
        row["numeroConvocatoria"]
        for row in reader.rows("convocatorias")
        if reader.get("convocatorias", numConv=row["numeroConvocatoria"]).json()["fechaInicioSolicitud"]
    )
    reader.sim.quirks(Q24={"rate": 1.0})
    details = [reader.get("convocatorias", numConv=code).json() for _ in range(4)]
    assert [detail["fechaInicioSolicitud"] is None for detail in details] == [True, False, True, False]
    assert [detail["fechaFinSolicitud"] is None for detail in details] == [True, False, True, False]


def test_q25_rows_drift_between_pages_while_today_grows(fresh: Callable[..., Reader]) -> None:
    reader = fresh(quirks={"Q25": {"rows": 3}})
    pages = [reader.page("concesiones", page=number, pageSize=20, fechaRegInicio=es(TODAY)) for number in range(2)]
    assert pages[1]["totalElements"] == pages[0]["totalElements"] + 3
    one, two = ([row["id"] for row in page["content"]] for page in pages)
    assert len(set(one) & set(two)) == 3
    closed = {"fechaRegInicio": es(DAY), "fechaRegFin": es(DAY + ONE)}
    assert reader.rows("concesiones", **closed) == reader.rows("concesiones", **closed)


def test_q27_rows_are_withdrawn_and_the_new_year_purges_persons(fresh: Callable[..., Reader]) -> None:
    starts = dict.fromkeys(("concesiones", "convocatorias"), date(2024, 11, 1))
    reader = fresh(
        today=date(2025, 12, 30), first_day=starts, rows_per_day={"concesiones": 20}, quirks={"Q27": True}
    )
    before = reader.sim.truth("concesiones", date(2024, 11, 1), date(2025, 1, 1))
    assert before["count"] > 300
    reader.sim.advance_days(5)
    after = reader.sim.truth("concesiones", date(2024, 11, 1), date(2025, 1, 1))
    assert after["count"] < before["count"] * 0.2
    left = reader.rows("concesiones", fechaRegInicio="01/11/2024", fechaRegFin="01/01/2025")
    own = [row for row in left if row["fechaAlta"] < "2025-01-01"]
    assert len(own) == after["count"]
    assert all(row["beneficiario"][0] != "*" for row in own if row["fechaConcesion"] < "2025-01-01")
    assert reader.sim.changes("concesiones", date(2024, 11, 1), date(2025, 1, 1))["removed"] == (
        before["count"] - after["count"]
    )
    day = {"fechaRegInicio": "03/06/2025", "fechaRegFin": "04/06/2025"}
    full = reader.page("concesiones", **day)["totalElements"]
    reader.sim.step(removed=0.5)
    assert reader.page("concesiones", **day)["totalElements"] < full


def test_a_new_day_adds_the_rest_of_today_and_some_of_the_next(fresh: Callable[..., Reader]) -> None:
    reader = fresh()
    assert reader.sim.truth("concesiones", TODAY)["count"] == 54
    reader.sim.advance_days(1)
    assert reader.sim.truth("concesiones", TODAY, TODAY + ONE)["count"] == 90
    assert reader.sim.changes("concesiones")["added"] == 36 + 54
    assert reader.sim.state()["today"] == "2026-10-06"


def test_the_same_seed_gives_the_same_service_and_another_seed_another() -> None:
    digests = []
    for seed in (7, 7, 8):
        with BdnsSimulator(small(seed=seed)) as sim:
            sim.step(added=0.1, removed=0.1)
            numbers = [sim.truth(name, FIRST, TODAY) for name in ("concesiones", "convocatorias", "minimis")]
            digests.append([(found["digest"], found["importe"]) for found in numbers])
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_awards_refer_to_calls_that_exist(reader: Reader) -> None:
    known = {row["numeroConvocatoria"]: row for row in reader.rows("convocatorias")}
    for dataset in ("concesiones", "ayudas_estado", "minimis", "partidos_politicos"):
        rows = [
            row
            for row in reader.rows(dataset)
            if row.get("fechaAlta", row.get("fechaRegistro", "x")) > "2026-08-04"
        ]
        missing = [row for row in rows if row["numeroConvocatoria"] not in known]
        assert len(missing) <= len(rows) * 0.01 + 1
        for row in rows:
            if row["numeroConvocatoria"] in known:
                assert row["idConvocatoria"] == known[row["numeroConvocatoria"]]["id"]


def test_impossible_steps_are_refused_in_words(reader: Reader) -> None:
    for body, words in (({"added": 2}, "0 to 1"), ({"add": 0.1}, "added"), ({"datasets": ["x"]}, "concesiones")):
        with pytest.raises(SimulatorError, match=words):
            reader.sim.step(**body)
    with pytest.raises(SimulatorError, match="Q14"):
        reader.sim.quirks(Q99=True)
    with pytest.raises(SimulatorError, match="ISO date"):
        reader.sim._call("GET", "truth", params={"dataset": "concesiones", "from": "yesterday"})


def test_codes_have_six_digits_today_and_sixteen_when_old_or_late(fresh: Callable[..., Reader]) -> None:
    reader = fresh(first_day={"convocatorias": date(2014, 12, 1)})
    reader.sim.step(added=0.1, datasets=["convocatorias"])
    for day, lengths in ((date(2014, 12, 16), {16}), (DAY, {6, 16})):
        rows = reader.rows("convocatorias", fechaDesde=es(day), fechaHasta=es(day))
        assert {len(row["numeroConvocatoria"]) for row in rows} == lengths
        for row in rows:
            detail = reader.get("convocatorias", numConv=row["numeroConvocatoria"]).json()
            assert (detail["id"], detail["fechaRecepcion"]) == (row["id"], day.isoformat())
    assert reader.get("convocatorias", numConv="0100100").status_code == 204


def test_weekends_are_quiet_unless_told_otherwise(fresh: Callable[..., Reader]) -> None:
    saturday = DAY + 4 * ONE
    for factor, expected in ((0.1, 9), (1.0, 90), (0.0, 0)):
        assert fresh(weekend_factor=factor).sim.truth("concesiones", saturday, saturday + ONE)["count"] == expected


def test_truth_can_be_asked_by_year_and_by_part(reader: Reader) -> None:
    rows = reader.rows("grandes_beneficiarios", anios=2025)
    truth = reader.sim.truth("grandes_beneficiarios", part="2025")
    assert (truth["count"], truth["digest"]) == (300, digest(keys_of("grandes_beneficiarios", rows)))
    assert reader.sim.truth("organos", part="O")["count"] == 212
    assert reader.sim.truth("reglamentos", part="P")["count"] == 0


def test_removed_catalogue_entries_leave_and_come_back(fresh: Callable[..., Reader]) -> None:
    reader = fresh()
    before = reader.get("finalidades").json()
    reader.sim.step(removed=0.4, datasets=["finalidades"])
    said = reader.sim.changes("finalidades")
    less = reader.get("finalidades").json()
    assert len(before) - len(less) == said["removed"] > 0
    reader.sim.step(restored=1.0, datasets=["finalidades"])
    assert reader.get("finalidades").json() == before
    assert reader.sim.changes("finalidades")["restored"] == said["removed"]
    assert reader.sim.changes("finalidades", since=0)["removed"] == 0
