"""What facts say in Portuguese: the items that professionals read when no model writes, and rows of numbers.

Plain sentences out of computed numbers; never a diagnosis, never a score. Not here: computing (``facts/``), and
what a model writes (``narrative/``).
"""

from __future__ import annotations

from fisio_ayida.insights.model import Facts, Item, Record
from fisio_ayida.insights.wording.comparison import comparison
from fisio_ayida.insights.wording.milestones import milestones
from fisio_ayida.insights.wording.risks import risks
from fisio_ayida.insights.wording.summary import summary
from fisio_ayida.insights.wording.trends import trends
from fisio_ayida.insights.wording.view import View


def items(record: Record, facts: Facts) -> tuple[Item, ...]:
    """What the facts of a record say: a summary in any case, and at most one item of each other type."""
    view = View(record, facts)
    found = (summary(view), trends(view), comparison(view), risks(view), milestones(view))
    return tuple(item for item in found if item is not None)
