"""The registry of the checks on the insights, and what a check says.

Light: Dagster's definitions read it. Not here: how they look (``looking.py``, ``agreeing.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: Of each check a page lists so many of what it found; the count is exact.
SAMPLE: Final = 20
#: So many narratives are compared with the records again.
NARRATIVES: Final = 50

#: What must hold, by the check's name.
CHECKS: Final[Mapping[str, str]] = {
    "failures": "No patient's insights fail or were given up, and no organisation failed in the last day "
    "(`insights.queue`, `jobs.failures`).",
    "stale_sessions": "Each session of the last 7 days that was finalized more than 2 hours ago has its insight, "
    "or the reason why not, or waits in the queue.",
    "budget": "No organisation has used more than 80 % of its day's budget; what days used is the sum of their "
    "calls; no call is open for more than an hour.",
    "narratives_agree": f"{NARRATIVES} narratives of the last 7 days still say what the records say: they are "
    "read again and all facts computed anew. Sessions that were edited since are told apart.",
    "unpublished": "No insight has waited for more than an hour to be written to the clinic's table, or to expire "
    "there.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check says.

    Args:
        problems: exact; 0 says nothing where there is an error.
        lines: the first of them, in ids and numbers.
        is_grave: somebody must act; else somebody should know.
        facts: further numbers.
        error: why it could not look; never taken for no problems.
    """

    check: str
    problems: int = 0
    lines: tuple[str, ...] = ()
    is_grave: bool = False
    facts: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None

    @property
    def passed(self) -> bool:
        """It could look, and found nothing."""
        return self.problems == 0 and self.error is None
