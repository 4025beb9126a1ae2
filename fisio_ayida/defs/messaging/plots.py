"""The picture of the last two days: what was accepted, delivered and failed in each hour, by channel.

Not here: the numbers (``messaging/rates.py``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fisio_ayida.defs.bdns.metadata import picture
from fisio_ayida.messaging.model import CHANNELS

if TYPE_CHECKING:
    from fisio_ayida.messaging.rates import Hour

WIDTH_INCHES, ROW_INCHES, DPI = 7.2, 1.5, 80
COLOURS = {"accepted": "#4c72b0", "delivered": "#55a868", "failed": "#c44e52"}
_HOUR = dt.timedelta(hours=1)


def hourly(found: Sequence[Hour], first: dt.datetime, last: dt.datetime) -> str:
    """A PNG inside a markdown image; empty text when nothing happened.

    Args:
        first, last: the beginnings of the first and of the last hour that are shown, in UTC.
    """
    if not found:
        return ""
    from matplotlib.figure import Figure

    hours = [first + _HOUR * place for place in range(int((last - first) / _HOUR) + 1)]
    many = {(each.channel, each.what, each.at): each.messages for each in found}
    channels = [channel for channel in CHANNELS if any(each.channel == channel for each in found)]
    figure = Figure(figsize=(WIDTH_INCHES, 0.4 + ROW_INCHES * len(channels)), dpi=DPI, layout="constrained")
    rows = figure.subplots(len(channels), 1, sharex=True, squeeze=False)[:, 0]
    places = range(len(hours))
    for axes, channel in zip(rows, channels, strict=True):
        for place, (what, colour) in enumerate(COLOURS.items()):
            heights = [many.get((channel, what, hour), 0) for hour in hours]
            axes.bar([each + (place - 1) * 0.28 for each in places], heights, width=0.28, color=colour, label=what)
        axes.set_ylabel(channel, fontsize=7)
        axes.tick_params(axis="y", labelsize=6)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
    ticks = [place for place in places if hours[place].hour % 6 == 0]
    rows[-1].set_xticks(ticks, [f"{hours[place]:%d %b %H}h" for place in ticks], fontsize=6)
    rows[0].legend(fontsize=6, frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, 1.3))
    title = "Messages per hour (UTC)"
    figure.suptitle(title, fontsize=8, x=0.99, ha="right")
    return picture(figure, title)
