"""Every number that a fact or a rule rests on, with its unit; docs/insights.md says each of them.

Here: numbers alone. Not here: what is done with them (the modules beside), and how it is said (``registry.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import Final

#: Part of what is stored: with another formula or number, another version.
VERSION: Final = "f2"
#: How sure an interval is.
CONFIDENCE: Final = 0.95
#: Beyond it, a number of a session is taken for a slip of the pen and not used.
USABLE: Final = 1_000_000.0
WORST_PAIN: Final = 10

#: Sessions without which no trend is looked for.
LEAST_SESSIONS: Final = 2

ATTENDANCE: Final = dt.timedelta(days=90)
#: Visits that the patient kept or missed. CONTRACT §9.5
LEAST_VISITS: Final = 4

INTERVALS: Final = dt.timedelta(days=180)
#: Days on which the patient was there: two intervals.
LEAST_INTERVAL_DAYS: Final = 3

#: For how long a slope is told; a series that spans less is told for its span.
PER: Final = dt.timedelta(days=30)
#: Days with a value. Four can fall one after the other by chance in 1 of 24 cases, and rise in another: no
#: interval of 95 % can be given for them.
LEAST_TREND_DAYS: Final = 5
LEAST_TREND_SPAN: Final = dt.timedelta(days=14)
#: A trend whose newest value is older has ended, as far as anybody knows: it is told of the past.
CURRENT: Final = dt.timedelta(days=30)

PAIN: Final = dt.timedelta(days=180)
#: In points a :data:`PER`: pain that surely changes less is called steady.
STEADY_PAIN: Final = 0.5

MEASUREMENTS: Final = dt.timedelta(days=180)
#: Series of measurements that are told, those with the most days.
MOST_MEASUREMENTS: Final = 6

EXERCISES: Final = dt.timedelta(days=60)

#: Finalized sessions that are a milestone.
SESSION_MILESTONES: Final = (10, 25, 50)
#: Days in a row, of those with a record, on which pain is 0.
PAIN_FREE_DAYS: Final = 2
#: What it must have been before.
PAIN_BEFORE: Final = 4
#: A milestone is told for this long.
FRESH: Final = dt.timedelta(days=30)

#: Days with an outcome, the newest ones.
MISSED_IN_A_ROW: Final = 2
#: A gap is long beyond this, or beyond so many times the usual interval between visits, whichever is more.
LEAST_GAP: Final = dt.timedelta(days=14)
GAP_INTERVALS: Final = 2
#: Who was not there for longer has ended the treatment, as far as the rules can tell.
GAP_ENDS: Final = dt.timedelta(days=180)
EARLY_DAYS: Final = (2, 5)
EARLY_GAP: Final = (dt.timedelta(days=7), dt.timedelta(days=21))
LOW_ADHERENCE: Final = 0.6
#: Few visits by chance: either there are so many, or the interval's upper end is below this.
ENOUGH_VISITS: Final = 8
SURELY_LOW: Final = 0.8
NO_PAIN: Final = dt.timedelta(days=30)
NO_PAIN_SESSIONS: Final = 3
