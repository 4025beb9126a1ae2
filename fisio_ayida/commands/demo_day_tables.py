"""What the demo shows of its scripted Monday: the hours, what was sent to whom, what was not and why, the proof.

Here: words and tables. Not here: the walk (``demo_day.py``), and comparing (``demo_day_proof.py``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import psycopg
from rich.console import Console
from rich.table import Table

from fisio_ayida.commands.demo_day_proof import SENT, WAITS, Proof, messages_of, proven, withheld_of
from fisio_ayida.simulators.fisioflow.world import Event, Organization, Patient, Staff, World

if TYPE_CHECKING:
    from fisio_ayida.clinic.model import Outcome
    from fisio_ayida.commands.demo_day import Day, Walk
    from fisio_ayida.messaging.dispatcher import Tally

Connection = psycopg.Connection[Any]

_SAO_PAULO: Final = ZoneInfo("America/Sao_Paulo")
#: The job that the demo compares with FisioFlow's old cron.
COMPARED: Final = "birthday_messages"


def prove(console: Console, conn: Connection, day: Day) -> bool:
    """Show the day, and whether everything came of it that must; False if anything did not."""
    names = _Names(day.world)
    _timeline(console, day.first, names)
    messages = messages_of(conn, names.clinics)
    decisions = withheld_of(conn, names.clinics)
    console.print(_sent(messages, names))
    console.print(_stopped(messages, decisions, names))
    _beside_the_old_cron(console, conn, day.world, names)
    is_proven = show_proofs(
        console, "What came of the day, and what plain Python says of the made-up rows", proven(conn, day)
    )
    console.print(
        f"  24 hours, twice, in {day.seconds:.0f} s: {day.first.runs + day.again.runs} runs of all jobs. "
        "What became of one: fisio-ayida clinic explain PATIENT"
    )
    return is_proven


def show_proofs(console: Console, title: str, proofs: Sequence[Proof]) -> bool:
    """What must be so beside what came, and every difference; True if there is none."""
    table = Table(title=title)
    for name in ("what", "must", "came"):
        table.add_column(name, justify="left" if name == "what" else "right", overflow="fold")
    for proof in proofs:
        table.add_row(proof.what, proof.due, proof.came, style="bold red" if proof.differences else None)
    console.print(table)
    for proof in proofs:
        for difference in proof.differences:
            console.print(f"  {proof.what}: {difference}", style="bold red")
    return not any(proof.differences for proof in proofs)


class _Names:
    """First names and clinics' names, by id: nobody's, they are made up."""

    def __init__(self, world: World) -> None:
        self.clinics = list(world.manners)
        self._clinics = {row.id: row.name for row in world.of(Organization)}
        self._people = {row.id: row.social_name or row.full_name for row in world.of(Patient)}
        self._people |= {row.user_id: row.full_name for row in world.of(Staff)}

    def first(self, id: str | None) -> str:
        """A first name; none for nobody."""
        return self._people.get(id or "", "").split(" ")[0]

    def clinic(self, id: str) -> str:
        """A clinic's name."""
        return self._clinics[id]


def _timeline(console: Console, walk: Walk, names: _Names) -> None:
    from fisio_ayida.clinic.model import Outcome

    silent, decided = 0, set[tuple[str, str]]()
    for entry in walk.entries:
        at = f"  {entry.at.astimezone(_SAO_PAULO):%H:%M}  "
        match entry.what:
            case Event() as event:
                who = names.first(event.patient_id)
                console.print(f"{at}{names.clinic(event.organization_id)}: {who} {event.told}", style="cyan")
            case Outcome() as outcome:
                words = _of_run(outcome, decided)
                silent += not words
                if words:
                    console.print(f"{at}{outcome.job:<26} {words}")
            case tally:
                if words := _of_dispatch(tally):
                    console.print(f"{at}{'dispatch':<26} {words}", style="green")
    console.print(f"  and {silent} runs that had nothing to do (times are São Paulo's)")


def _of_run(outcome: Outcome, decided: set[tuple[str, str]]) -> str:
    """What a run planned, and withheld for the first time of the day."""
    words = []
    if planned := +outcome.planned:
        words.append("planned " + _listed(planned))
    new = {(key, reason) for key, reason, _ in outcome.withheld_keys} - decided
    decided |= new
    if new:
        words.append("withheld " + _listed(Counter(reason for _, reason in new)))
    if outcome.failures:
        words.append(f"FAILED for {len(outcome.failures)}")
    return "; ".join(words)


def _of_dispatch(tally: Tally) -> str:
    sent = Counter({channel: 0 for channel, _ in tally.sent})
    for (channel, ended), number in tally.sent.items():
        sent[channel if ended == "accepted" else f"{channel} {ended}"] += number
    words = []
    if +sent:
        words.append("sent " + _listed(+sent))
    stopped: Counter[str] = Counter()
    for (state, reason), number in tally.stopped.items():
        stopped["put off until the morning" if state == "deferred" else reason] += number
    if stopped:
        words.append("stopped " + _listed(stopped))
    if tally.replies:
        words.append(f"{tally.replies} answer read")
    return "; ".join(words)


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))


def _sent(messages: list[Any], names: _Names) -> Table:
    table = Table(title="From messaging.messages, what was sent to whom (nobody real)")
    for name in ("at", "message", "clinic", "to"):
        table.add_column(name, overflow="fold")
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in messages:
        if row.state in SENT:
            at = f"{row.accepted_at.astimezone(_SAO_PAULO):%H:%M}"
            who = f"{names.first(row.person)} ({row.address_masked})"
            groups[at, row.template, names.clinic(row.organization_id)].append(who)
    for (at, template, clinic), people in groups.items():
        table.add_row(at, template, clinic, ", ".join(people))
    return table


def _stopped(messages: list[Any], decisions: list[Any], names: _Names) -> Table:
    table = Table(title="What was not sent, and why")
    for name in ("message", "why", "clinic", "who"):
        table.add_column(name, overflow="fold")
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in messages:
        if row.state not in SENT:
            why = "waits for the morning" if row.state in WAITS else row.reason
            groups[row.template, why, names.clinic(row.organization_id)].append(names.first(row.person))
    for row in decisions:
        groups[row.template, row.reason, names.clinic(row.organization_id)].append(names.first(row.person))
    for (template, why, clinic), people in sorted(groups.items()):
        table.add_row(template, why, clinic, ", ".join(filter(None, people)) or f"{len(people)} of the staff")
    return table


def _beside_the_old_cron(console: Console, conn: Connection, world: World, names: _Names) -> None:
    """What the switch-over of one job would look like."""
    from fisio_ayida.clinic.compared import compare
    from fisio_ayida.warehouse.clinic import BESIDE

    found = compare(conn, BESIDE, COMPARED, world.day, world.day)
    lines = [line for line in found.lines if line.organization_id in names.clinics]
    by_side: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        why = f" ({line.reason})" if line.reason else ""
        by_side[line.side].append(f"{names.first(line.patient_id)}{why}")
    console.print(f"  {COMPARED} beside FisioFlow's old cron (fisio-ayida clinic compare):")
    for side in ("both", "only ours", "only theirs"):
        console.print(f"    {side + ':':<13}{len(by_side[side])}  {', '.join(by_side[side])}")
