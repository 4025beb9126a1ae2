"""The picture of a day's answers: how long the model took.

Not here: the numbers (``insights/numbers.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fisio_ayida.defs.bdns.metadata import picture

if TYPE_CHECKING:
    from fisio_ayida.insights.numbers import Numbers

INCHES, DPI = (6.4, 2.4), 80
_COLOUR: Final = "#4c72b0"


def latencies(numbers: Numbers) -> str:
    """The share of answers that came within a time, as a PNG in a markdown image; empty text without answers."""
    if not numbers.latencies or numbers.p95 is None:
        return ""
    from matplotlib.figure import Figure

    from fisio_ayida.insights.numbers import STEPS

    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    seconds = [each / 1000 for each in numbers.latencies]
    axes.plot(seconds, [100 * step for step in STEPS], color=_COLOUR)
    for share, value in ((50, numbers.latencies[len(STEPS) // 2]), (95, numbers.p95)):
        axes.plot([value / 1000], [share], "o", color=_COLOUR, markersize=4)
        axes.annotate(
            f"{share} %: {value / 1000:.1f} s", (value / 1000, share), xytext=(5, -9), fontsize=7,
            textcoords="offset points",
        )  # fmt: skip
    axes.set_xlim(left=0)
    axes.set_ylim(0, 104)
    axes.set_xlabel("seconds", fontsize=7)
    axes.set_ylabel("% of answers", fontsize=7)
    axes.tick_params(labelsize=6)
    axes.spines[["top", "right"]].set_visible(False)
    title = "Seconds until the model's answer"
    axes.set_title(title, fontsize=8)
    return picture(figure, title)
