"""Pictures of the clinic's jobs for the pages of runs and partitions.

Here: what became of the visits in the reports' numbers. Not here: the numbers (``clinic/reports``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fisio_ayida.defs.bdns.metadata import picture as as_markdown

if TYPE_CHECKING:
    import pandas as pd

    from fisio_ayida.clinic.reports.periods import Kind

INCHES, DPI = (7.2, 3.0), 80
#: So many clinics, those with the most visits, are shown by their ids.
BUSIEST: Final = 10
_LONGEST_ID: Final = 14
# As in the mails.
_COLOURS: Final = {
    "done": "#0f766e", "absent": "#c2410c", "cancelled": "#94a3a8", "to_rebook": "#d9a514", "open": "#b7a6d9",
}  # fmt: skip


def picture(kind: Kind, frame: pd.DataFrame) -> str:
    """What became of the visits, as a PNG inside a markdown image; empty text when there were none.

    Left all clinics by day or week, right the busiest clinics by id.

    Args:
        frame: of ``clinic.reports``, of one day or week or of several.
    """
    from matplotlib.figure import Figure

    from fisio_ayida.clinic.reports import frames

    totals, busiest = frames.totals(frame), frames.busiest(frame, BUSIEST)
    if not totals["scheduled"].sum():
        return ""
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 4))
    _stack(left, totals, horizontal=False)
    step = max(1, len(totals) // 6)
    ticks = list(range(0, len(totals), step))
    left.set_xticks(ticks, [f"{totals['first_day'][place]:%d %b}" for place in ticks], fontsize=6)
    left.set_title("all clinics, by day" if kind == "daily" else "all clinics, by week", fontsize=7)
    _stack(right, busiest, horizontal=True)
    right.set_yticks(range(len(busiest)), [_short(id) for id in busiest["organization_id"]], fontsize=6)
    right.invert_yaxis()
    right.set_title(f"the {BUSIEST} busiest clinics", fontsize=7)
    right.legend(fontsize=6, frameon=False, loc="lower right")
    return as_markdown(figure, "Visits")


def _stack(axes: Any, counts: pd.DataFrame, *, horizontal: bool) -> None:
    told = counts[[name for name in _COLOURS if name != "open"]]
    parts = told.assign(open=counts["scheduled"] - told.sum(axis=1))
    below = [0] * len(parts)
    for name, colour in _COLOURS.items():
        lengths = parts[name].tolist()
        if horizontal:
            axes.barh(range(len(parts)), lengths, left=below, color=colour, label=name.replace("_", " "))
        else:
            axes.bar(range(len(parts)), lengths, bottom=below, color=colour)
        below = [low + length for low, length in zip(below, lengths, strict=True)]
    axes.tick_params(labelsize=6)
    (axes.xaxis if horizontal else axes.yaxis).get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)


def _short(id: str) -> str:
    return id if len(id) <= _LONGEST_ID else id[: _LONGEST_ID - 1] + "…"
