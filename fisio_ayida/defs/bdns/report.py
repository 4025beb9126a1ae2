"""`python -m fisio_ayida.defs.bdns.report`: tells the Dagster instance of loads that were made without it.

Reads the lines of ``wire.py`` from standard input, so that the UI shows the partitions that the command line
loaded. The instance is DAGSTER_HOME's; nothing is loaded or changed in the mirror.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import dagster as dg

from fisio_ayida.bdns.datasets import UnknownDataset, dataset
from fisio_ayida.bdns.evidence import Load, Status
from fisio_ayida.bdns.registry import Grain
from fisio_ayida.defs.bdns import metadata
from fisio_ayida.defs.bdns.partitions import is_partitioned
from fisio_ayida.defs.bdns.recorder import add_years
from fisio_ayida.defs.bdns.specs import asset_key
from fisio_ayida.defs.bdns.wire import load_from_json


def report(instance: dg.DagsterInstance, load: Load) -> None:
    """One partition's load as an event without a run: complete ones materialize, others are observed.

    Raises:
        UnknownDataset: the registry has no such dataset.
    """
    declared = dataset(load.dataset)
    partition = load.partition_key if is_partitioned(declared) else None
    key = asset_key(declared)
    if load.status is not Status.OK:
        instance.report_runless_asset_event(metadata.observation(key, load, partition))
        return
    if declared.grain is Grain.YEAR:
        add_years(instance, [load.partition_key])
    instance.report_runless_asset_event(metadata.materialization(key, load, partition))


def report_lines(instance: dg.DagsterInstance, lines: Iterable[str]) -> tuple[int, list[str]]:
    """How many loads were reported, and one line of words for each line that could not be."""
    done, problems = 0, []
    for line in lines:
        if not line.strip():
            continue
        try:
            report(instance, load_from_json(line))
            done += 1
        except (ValueError, UnknownDataset) as error:
            problems.append(" ".join(str(error).split()))
    return done, problems


def main() -> int:
    """0: all reported; 1: some lines could not be; 2: there is no instance to report to."""
    if not os.environ.get("DAGSTER_HOME"):
        print("DAGSTER_HOME is not set, so there is no Dagster instance to report to", file=sys.stderr)
        return 2
    with dg.DagsterInstance.get() as instance:
        done, problems = report_lines(instance, sys.stdin)
    print(f"{done} loads reported to Dagster")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
