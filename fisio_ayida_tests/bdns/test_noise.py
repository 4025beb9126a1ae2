"""The source's noise gives no version: re-spelled names, shuffled lists, other orders of keys and children."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fisio_ayida.bdns.datasets import dataset
from fisio_ayida_tests.bdns.conftest import (
    DAILY,
    REFEREED,
    Lab,
    assert_week_true,
    changes,
    contents,
    everything,
    tables_of,
)

SPELLED = ("concesiones", "ayudas_estado", "minimis", "partidos_politicos", "grandes_beneficiarios", "sanciones")
ROUNDS = 4


@pytest.mark.parametrize("name", [*DAILY, *SPELLED[3:], "planes_estrategicos"])
def test_rounds_of_noise_touch_nothing_but_the_evidence(lab: Lab, name: str) -> None:
    lab.week(name)
    before = everything(lab, dataset(name))
    noisy = 0
    for _ in range(ROUNDS):
        lab.sim.step(respelled=0.58, shuffled=True)
        noisy += changes(lab, name)["noise_only"]
        report = lab.week(name)
        assert (report.total("rows_new"), report.total("rows_changed"), report.total("rows_removed")) == (0, 0, 0)
    assert everything(lab, dataset(name)) == before
    assert noisy > 0 or name not in SPELLED, "there was noise to be ignored"


@pytest.mark.parametrize("name", ["regiones", "organos", "organos_agrupacion", "instrumentos"])
def test_catalogues_in_another_order_are_the_same(lab: Lab, name: str) -> None:
    lab.sync(name)
    before = everything(lab, dataset(name))
    for _ in range(3):
        assert lab.sync(name).total("rows_changed") == 0
    assert everything(lab, dataset(name)) == before


@pytest.mark.parametrize("name", ["convocatorias", "minimis"])
def test_values_that_vanish_at_the_contracts_rates_give_no_version(labs: Callable[..., Lab], name: str) -> None:
    lab = labs(quirks={"Q24": {"rate": 0.12}}, rows_per_day={"minimis": 60, "convocatorias": 8})
    lab.sim.quirks(Q24=False)
    lab.week(name)
    of = dataset(name)
    before = everything(lab, of)
    lab.sim.quirks(Q24={"rate": 0.12})
    damped = 0
    for _ in range(ROUNDS):
        report = lab.week(name)
        damped += report.total("nulls_damped")
        assert (report.total("rows_new"), report.total("rows_changed"), report.total("rows_removed")) == (0, 0, 0)
    assert damped > 0
    assert everything(lab, of) == before


def test_noise_and_real_changes_together_give_only_the_real_versions(lab: Lab) -> None:
    for name in SPELLED[:3]:
        lab.week(name)
        lab.sim.step(respelled=0.58, shuffled=True, changed=0.02, datasets=[name])
        report = lab.week(name)
        told = changes(lab, name)
        assert told["noise_only"] > told["changed"] > 0
        assert report.total("rows_changed") == told["changed"]
        assert_week_true(lab, name)


def test_a_raw_spelling_is_kept_as_it_was_when_its_version_began(lab: Lab) -> None:
    lab.week("concesiones")
    before = contents(lab, "bdns.concesiones", "id, beneficiario, valid_from")
    lab.sim.step(respelled=1.0)
    lab.week("concesiones")
    assert contents(lab, "bdns.concesiones", "id, beneficiario, valid_from") == before


def test_every_table_has_its_history() -> None:
    assert all(len(tables_of(dataset(name))) % 2 == 0 for name in REFEREED)
