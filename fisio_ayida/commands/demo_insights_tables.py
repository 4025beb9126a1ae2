"""What the demo shows of its insights: a patient without and with a model, bad answers, the budget, the proof.

Here: words and tables. Not here: the runs (``demo_insights.py``), and comparing (``demo_insights_proof.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from rich.markup import escape
from rich.table import Table

from fisio_ayida.commands.demo_day_tables import show_proofs
from fisio_ayida.commands.demo_insights_patients import narrated_of
from fisio_ayida.commands.demo_insights_proof import proven

if TYPE_CHECKING:
    from rich.console import Console

    from fisio_ayida.commands.demo_insights import Story
    from fisio_ayida.insights.model import Item

Connection = psycopg.Connection[Any]

#: With it begins what every narrative says of itself (``narrative/writing.py``).
_DRAFT: Final = "Rascunho escrito por um modelo"
_SPENT: Final = """
select s.calls, s.tokens, s.refused, coalesce(sum(c.completion_tokens), 0)
from insights.spending s join insights.calls c using (organization_id, day)
where s.organization_id = %s group by s.calls, s.tokens, s.refused
"""


def prove(console: Console, conn: Connection, story: Story) -> bool:
    """Show it, and whether everything came of it that must; False if anything did not."""
    console.print(_side_by_side(story))
    console.print(_answers(story))
    _budget(console, conn, story)
    is_proven = show_proofs(console, "What must be so, by plain Python, and what came", proven(conn, story))
    for page in story.pages:
        console.print(f"  {page}", soft_wrap=True)
    console.print(
        f"  all of it in {story.seconds:.0f} s. One patient: fisio-ayida insights show PATIENT --organization ID"
    )
    return is_proven


def _side_by_side(story: Story) -> Table:
    """What a therapist finds, computed, and after one more session with the stand-in's words."""
    table = Table(title=f"What a therapist finds about {story.patient}", show_lines=True)
    for name, share in (("", 1), ("without a model", 4), ("a session later, with the stand-in of one", 4)):
        table.add_column(name, overflow="fold", ratio=share)
    before, after = ({item.type: item for item in items} for items in (story.without, story.with_words))
    for type in dict.fromkeys([*before, *after]):
        table.add_row(type, _told(before.get(type)), _told(after.get(type)))
    return table


def _told(item: Item | None) -> str:
    if item is None:
        return ""
    source = "the stand-in's words" if item.source == "narrative" else "computed"
    text = item.text.partition(_DRAFT)[0].rstrip()
    return escape(f"{text}\n({source}; rests on {len(item.citations)} facts and sessions)")


def _answers(story: Story) -> Table:
    table = Table(title="One patient, answered in every way, and what became of it")
    for name in ("the model", "narrative", "reason", "calls", "facts that stand", "words that stand"):
        table.add_column(name, justify="right" if name.endswith(("calls", "stand")) else "left")
    for each in story.answers:
        table.add_row(each.answer, each.narrative, each.reason, str(each.calls), str(each.facts), str(each.words))
    return table


def _budget(console: Console, conn: Connection, story: Story) -> None:
    row = conn.execute(_SPENT, [narrated_of(story.world).id]).fetchone()
    if row is not None:
        calls, tokens, refused, answered = row
        console.print(
            f"  the day's budget of the clinic: {calls} calls, {tokens:,} tokens, {answered:,} of them answers; "
            f"{refused} not asked for, because the budget was spent"
        )
