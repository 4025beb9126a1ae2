"""Histories of a clinic and its messages, drawn by Hypothesis: everything that may happen, in any order.

Here: the steps of a history and how it ends. Not here: what is allowed (``judge.py``) and what must be true
(``laws.py``). ``python -m bench messaging-histories`` runs ten thousand.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Final, Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fisio_ayida.messaging import due, outbox
from fisio_ayida.messaging.model import Channel, Status
from fisio_ayida_tests.messaging import laws
from fisio_ayida_tests.messaging.judge import BEHIND, LIVE, PHONES, QUIET_FROM, QUIET_TO, Kind, Visit
from fisio_ayida_tests.messaging.one_thread import Lasting
from fisio_ayida_tests.messaging.process import Process, run_dispatcher
from fisio_ayida_tests.messaging.provider import FAULTS, Fault
from fisio_ayida_tests.messaging.world import World

MOST_VISITS: Final = 3
#: Who sleeps longer with messages in hand is dead.
LONGEST_SLEEP: Final = dt.timedelta(hours=1)
JUMPS: Final = tuple(
    dt.timedelta(minutes=minutes)
    for minutes in (0.1, 0.5, 1, 2, 2, 5, 5, 31, 31, 90, 5 * 60, 11 * 60, 23 * 60, 25 * 60, 74 * 60)
)

#: Once all is well: a way that was closed is open again after a quarter of an hour at the latest.
ANNOUNCED_WITHIN: Final = dt.timedelta(minutes=40)
_ALL_ENDED: Final = """
select not exists (select from messaging.messages where state in ('planned', 'deferred', 'retry', 'claimed'))
"""
LONG: Final[tuple[Fault, ...]] = ("answer_lost", "call_lost", "unreachable", "account_closed")

_number = st.integers(0, 5)
_channel: st.SearchStrategy[Channel] = st.sampled_from(("whatsapp", "whatsapp", "email"))
_kind: st.SearchStrategy[Kind] = st.sampled_from(
    ("reminder", "reminder", "confirmation", "birthday", "reactivation", "reactivation", "direct")
)
_wanted = st.lists(st.tuples(_kind, _channel, _number), min_size=1, max_size=6)
_process = st.sampled_from((0, 1))
_most = st.sampled_from((1, 2, 8))
_hours = st.sampled_from((0.25, 1.5, 4, 12, 24, 30, 54))
_status: st.SearchStrategy[Status] = st.sampled_from(("accepted", "delivered", "read", "failed"))


class Histories(RuleBasedStateMachine):
    """One history. ``world`` is given to a subclass, see ``telling.told``.

    A rule stands for several things that may happen where all of them together are rarer than others.
    """

    world: World
    #: What happened in all histories together: without troubles they would prove nothing.
    seen: Counter[str]

    @initialize(
        sealed=st.booleans(), consent=st.booleans(), hours=st.tuples(_hours, _hours), wanted=_wanted,
        faults=st.lists(st.sampled_from((None, None, *FAULTS)), max_size=3),
    )  # fmt: skip
    def begin(
        self, sealed: bool, consent: bool, hours: tuple[float, float], wanted: list[tuple[Kind, Channel, int]],
        faults: list[Fault | None],
    ) -> None:  # fmt: skip
        self.world.begin(sealed=sealed, consent=consent)
        self.processes = [Process(self.world, "first"), Process(self.world, "second")]
        self.world.book(0, self._civil(hours[0]))
        self.world.book(1, self._civil(hours[1]))
        self.world.plan(wanted, 1, dt.timedelta())
        self.world.evolution.faults += faults
        self.world.resend.faults += faults

    # --- the clinic and its patients

    @precondition(lambda self: len(self.world.visits) < MOST_VISITS)
    @rule(patient=_number, hours=_hours)
    def book(self, patient: int, hours: float) -> None:
        self.world.book(patient, self._civil(hours))

    @rule(nth=_number, hours=st.one_of(st.none(), _hours))
    def move(self, nth: int, hours: float | None) -> None:
        """To another hour, or back to where it was."""
        visit = self._visit(nth)
        self.world.move(visit, visit.before if hours is None else self._civil(hours))
        self.seen["moved"] += 1

    @rule(
        nth=_number,
        status=st.sampled_from(("cancelado", "cancelado", "atendido", "presenca_confirmada", "agendado")),
    )
    def cancel_or_end(self, nth: int, status: str) -> None:
        self.world.set_status(self._visit(nth), status)

    @rule(nth=_number, what=st.sampled_from(("phone", "phone", "name", "patient", "clinic", "clinic")))
    def change_facts(self, nth: int, what: str) -> None:
        person = self.world.patients[nth % 2]
        match what:
            case "phone":
                self.world.set_patient(person, phone=PHONES[nth % 3])
            case "name":
                self.world.set_patient(person, name=("Ana Souza", "Bia", "Zé")[nth % 3])
            case "patient":
                self.world.set_patient(person, is_active=nth < 3)
            case _:
                self.world.set_clinic(nth < 3)

    @rule(
        nth=_number, channel=_channel, what=st.sampled_from(("all", "transactional", "marketing", "suppressed")),
        is_yes=st.booleans(), by_address=st.booleans(),
    )  # fmt: skip
    def give_word(self, nth: int, channel: Channel, what: str, is_yes: bool, by_address: bool) -> None:
        person = self.world.patients[nth % 2]
        if what == "suppressed":
            self.world.suppress(channel, person.address(channel), 30 if is_yes else 1)
        else:
            subject = person.address(channel) if by_address else person.id
            self.world.say(subject, channel, what, is_yes)

    @rule(phone=st.sampled_from(PHONES), text=st.sampled_from(("PARAR", "PARAR", "VOLTAR", "1", "2", "cancelar")))
    def write(self, phone: str, text: str) -> None:
        self.world.write(phone, text)

    # --- planning and time

    @rule(wanted=_wanted, copies=st.sampled_from((1, 1, 2)), minutes=st.sampled_from((0, 0, 0, 10, 600)))
    def plan(self, wanted: list[tuple[Kind, Channel, int]], copies: int, minutes: int) -> None:
        self.world.plan(wanted, copies, dt.timedelta(minutes=minutes))

    @rule(channel=_channel)
    def plan_all_reminders(self, channel: Channel) -> None:
        self._plan_all(channel)

    @rule(channel=_channel, which=_process, most=_most)
    def plan_all_reminders_and_claim(self, channel: Channel, which: int, most: int) -> None:
        self._plan_all(channel)
        self.processes[which].claim(channel, most)

    @rule(length=st.sampled_from(JUMPS))
    def jump(self, length: dt.timedelta) -> None:
        self._go_to(self.world.moment + length)

    @rule(to=st.sampled_from(("quiet", "morning", "start")), nth=_number, seconds=st.sampled_from((-1, 0)))
    def jump_to_an_edge(self, to: str, nth: int, seconds: int) -> None:
        moment = (
            self._visit(nth).starts_at if to == "start" else self._next(QUIET_FROM if to == "quiet" else QUIET_TO)
        )
        self._go_to(max(self.world.moment, moment + dt.timedelta(seconds=seconds)))

    # --- dispatchers

    @rule(which=_process, channel=_channel, most=_most)
    def claim(self, which: int, channel: Channel, most: int) -> None:
        self.processes[which].claim(channel, most)

    @precondition(lambda self: any(process.claimed for process in self.processes))
    @rule(most=st.sampled_from((1, 8)))
    def call(self, most: int) -> None:
        next(process for process in self.processes if process.claimed).call(most)

    @precondition(lambda self: any(process.answered for process in self.processes))
    @rule(which=_process)
    def record(self, which: int) -> None:
        self.processes[which].record()

    @precondition(lambda self: any(process.claimed or process.answered for process in self.processes))
    @rule()
    def die(self) -> None:
        self._kill(next(process for process in self.processes if process.claimed or process.answered))

    @rule(which=_process)
    def tidy(self, which: int) -> None:
        self.processes[which].tidy()

    @rule(which=_process, channel=_channel)
    def send_what_is_due(self, which: int, channel: Channel) -> None:
        process = self.processes[which]
        process.claim(channel, 8)
        process.call(8)
        process.record()

    @rule(nth=st.integers(0, 9))
    def run_or_stop_by_hand(self, nth: int) -> None:
        """A whole run of the real dispatcher beside those that go step by step; or an operator cancels one."""
        if nth < 3:
            run_dispatcher(self.world, "whole")
            return
        found = self.world.conn.execute(
            "select id from messaging.messages order by id desc limit 1 offset %s", [nth - 3]
        )
        outbox.cancel(self.world.conn, [id for (id,) in found], who="operator", now=self.world.moment)

    # --- providers

    @rule(channel=_channel, faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3))
    def go_wrong(self, channel: Channel, faults: list[Fault]) -> None:
        self.world.provider(channel).faults += faults

    @rule(channel=_channel, what=st.sampled_from((*LONG, "well", "well", "ill")))
    def go_wrong_for_long_or_recover(self, channel: Channel, what: Fault | Literal["well", "ill"]) -> None:
        provider = self.world.provider(channel)
        provider.is_well = what != "ill"
        provider.faults = [] if what == "well" or what == "ill" else [what] * 20

    @precondition(lambda self: self.world.reached)
    @rule(nth=_number, status=_status, times=st.sampled_from((1, 2)))
    def report(self, nth: int, status: Status, times: int) -> None:
        self.world.report(self.world.reached[-1 - nth % len(self.world.reached)], status, times)

    # --- the end

    def teardown(self) -> None:
        """Everything works again: whatever is still useful arrives, and every message ends."""
        if not hasattr(self, "processes"):
            return
        for process in self.processes:
            self._kill(process)
        for provider in (self.world.evolution, self.world.resend):
            provider.faults, provider.is_well = [], True
        self._go_to(self._next(10))
        last = self._announce()
        self._dispatch_until(self.world.moment + ANNOUNCED_WITHIN)
        missing = set(last) - {one.key for one in self.world.reached}
        assert not missing, f"useful, allowed and never announced: {missing}"
        self._go_to(self.world.moment + dt.timedelta(hours=80))
        self._dispatch_until(self.world.moment + dt.timedelta(hours=24), unless=_ALL_ENDED)
        found = laws.rows(self.world.conn, self.world.moment)
        broken = laws.violations(found, self.world.reached, self.world.failed_by_report)
        assert not broken, "\n".join(broken)
        self._count(found)

    def _announce(self) -> list[str]:
        """Plan what is due on every visit to come; gives those that must arrive."""
        drafts = [
            self.world.about("reminder", "whatsapp", visit, dt.timedelta(), rule)
            for visit in self.world.visits
            for rule in ("d1", "last")
            if visit.status in LIVE
        ]
        # Whatever was written by now has been heard.
        self.processes[0].tidy()
        with self.world.conn.transaction():
            self.world.outbox.plan(self.world.conn, drafts, now=self.world.moment)
        ready = {
            row.key
            for row in laws.rows(self.world.conn, self.world.moment)
            if (row.state in ("planned", "deferred") and row.is_due) or row.was_stale
        }
        return [draft.key for draft in drafts if draft.key in ready and self.world.wants(draft, ANNOUNCED_WITHIN)]

    def _dispatch_until(self, moment: dt.datetime, unless: str = "select false") -> None:
        """Dispatchers whenever there is something to do, as the sensor starts them."""
        conn: Lasting = self.world.conn
        providers: dict[Channel, str] = {"whatsapp": "evolution", "email": "resend"}
        while not next(conn.execute(unless))[0]:
            at = due.next_at(conn, providers, now=self.world.moment, horizon=moment)
            if at is None:
                return
            self._go_to(max(at, self.world.moment))
            run_dispatcher(self.world, "calm")

    def _count(self, found: list[laws.Row]) -> None:
        self.seen["histories"] += 1
        self.seen["messages"] += len(found)
        self.seen["reached"] += len(self.world.reached)
        self.seen["calls"] += self.world.evolution.calls + self.world.resend.calls
        for row in found:
            self.seen[f"ended {row.state}"] += 1
            self.seen.update(f"once {state}" for state in set(row.path) & {"retry", "deferred", "unknown"})
            self.seen["found again"] += "unknown" in row.path and row.state in laws.ARRIVED
            self.seen["on another channel"] += row.fallback_of is not None

    # --- helpers

    def _civil(self, hours: float) -> dt.datetime:
        moment = self.world.moment - BEHIND + dt.timedelta(hours=hours)
        return moment.replace(tzinfo=None, second=0, microsecond=0)

    def _plan_all(self, channel: Channel) -> None:
        self.world.plan([("reminder", channel, n) for n in range(len(self.world.visits))], 1, dt.timedelta())

    def _visit(self, nth: int) -> Visit:
        return self.world.visits[nth % len(self.world.visits)]

    def _kill(self, process: Process) -> None:
        self.seen["killed before the call"] += len(process.claimed)
        self.seen["killed before the record"] += len(process.answered)
        process.die()

    def _go_to(self, moment: dt.datetime) -> None:
        if moment - self.world.moment > LONGEST_SLEEP:
            for process in self.processes:
                self._kill(process)
        self.world.moment = moment

    def _next(self, hour: int) -> dt.datetime:
        civil = self.world.moment - BEHIND
        then = civil.replace(hour=hour, minute=0, second=0, microsecond=0)
        return (then if then > civil else then + dt.timedelta(days=1)) + BEHIND
