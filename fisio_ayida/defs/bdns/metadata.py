"""What a load says about itself in the UI: numbers, a preview of rows, a plot of rows per day.

Pure functions from evidence and rows to metadata, shared by the assets and by ``report.py``; reading the
database is ``glance.py``'s, and what never changes is in ``specs.py``.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from fisio_ayida.bdns.registry import WHOLE
from fisio_ayida.defs.bdns.specs import ATTRIBUTION, CODE_VERSION

if TYPE_CHECKING:
    from fisio_ayida.bdns.evidence import Load
    from fisio_ayida.bdns.mirror import Report

LONGEST_CELL = 60
PLOT_INCHES = (6.4, 2.0)
PLOT_DPI = 80
# Name in the UI to the column of ops.loads.
COUNTS = {
    "rows_fetched": "rows_received",
    "new": "rows_new",
    "changed": "rows_changed",
    "removed": "rows_removed",
    "restored": "rows_restored",
    "unchanged": "rows_unchanged",
    "rejected": "rows_rejected",
    "damped": "nulls_damped",
    "requests": "requests",
    "retries": "retries",
    "bytes": "bytes",
}


def numbers(load: Load) -> dict[str, Any]:
    """The counts of one partition's load, its cost, its window and the moment its versions carry."""
    rows = "dagster/row_count" if load.partition_key == WHOLE else "dagster/partition_row_count"
    return {
        rows: load.rows_received,
        **{name: getattr(load, column) for name, column in COUNTS.items()},
        "seconds": round(load.seconds, 3),
        "rows_per_second": round(load.rows_per_second, 1),
        "window": load.window_label,
        "valid_from": dg.MetadataValue.timestamp(load.valid_from),
        "source": load.source,
        "attribution": f"{ATTRIBUTION}; data of {load.finished_at:%Y-%m-%d}",
    }


def materialization(
    key: dg.AssetKey, load: Load, partition: str | None, extra: Mapping[str, Any] | None = None
) -> dg.AssetMaterialization:
    """The event of one partition that is complete."""
    return dg.AssetMaterialization(
        key,
        partition=partition,
        metadata={**numbers(load), **(extra or {})},
        tags={"dagster/code_version": CODE_VERSION},
    )


def observation(key: dg.AssetKey, load: Load, partition: str | None) -> dg.AssetObservation:
    """The event of one that is not: held, failed, or too much of it unusable."""
    found = {**numbers(load), "status": load.status.value, "would_remove": load.would_remove}
    if load.error:
        found["error"] = load.error
    return dg.AssetObservation(key, partition=partition, metadata=found)


def failure(report: Report) -> dict[str, Any]:
    """What a failed run did all the same, and which windows it could not load."""
    return {
        "partitions_loaded": len(report.loads),
        "windows_failed": len(report.failures),
        **{name: report.total(column) for name, column in COUNTS.items()},
        "failures": dg.MetadataValue.md("\n".join(f"- {words}" for words in report.failures)),
    }


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A markdown table; long cells are cut, pipes and line breaks cannot break it."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def plot(series: Sequence[tuple[str, int]], title: str) -> str:
    """Bars of rows by partition as a PNG inside a markdown image; empty text when there is nothing to draw."""
    if not series:
        return ""
    # The figure without pyplot: no backend, no global state, half the import.
    from matplotlib.figure import Figure

    figure = Figure(figsize=PLOT_INCHES, dpi=PLOT_DPI, layout="constrained")
    axes = figure.subplots()
    axes.bar(range(len(series)), [rows for _, rows in series], color="#4c72b0", width=0.85)
    axes.set_title(title, fontsize=8)
    step = max(1, len(series) // 6)
    ticks = range(0, len(series), step)
    axes.set_xticks(list(ticks), [series[i][0] for i in ticks], fontsize=6)
    axes.tick_params(axis="y", labelsize=6)
    axes.spines[["top", "right"]].set_visible(False)
    return picture(figure, title)


def picture(figure: Any, title: str) -> str:
    """A figure of matplotlib's as a PNG inside a markdown image."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    image = io.BytesIO()
    figure.savefig(image, format="png")
    return f"![{title}](data:image/png;base64,{base64.b64encode(image.getvalue()).decode()})"


def _cell(value: Any) -> str:
    text = "" if value is None else " ".join(str(value).split())
    text = text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
    return text.replace("|", "\\|")
