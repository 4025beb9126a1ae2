"""What a run does with some patients that it has in hand: facts stored and published, rows of the queue settled.

Here: everything but words, and what becomes of a patient once there are words. Not here: who is taken, and in
which order (``running.py``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from fisio_ayida.clinic import planning
from fisio_ayida.clinic.model import Clinic, Desk, Order, Outcome, Proposal, Withheld
from fisio_ayida.insights import claiming
from fisio_ayida.insights.claiming import Claimed, Later, failed, put_off
from fisio_ayida.insights.making import OF_A_PATIENT, WITHDRAWING, Group, Made, Unsaid, examine
from fisio_ayida.insights.narrating import Answered
from fisio_ayida.insights.publishing import publish
from fisio_ayida.insights.reading import Pair
from fisio_ayida.insights.storing import begin_again, store_facts, withdraw
from fisio_ayida.warehouse.errors import said


@dataclass(slots=True)
class Work:
    """A run's work on patients, and what came of it.

    Args:
        model: the writer's; empty: none is configured.
        now: a run may take hours.
        until: nobody is taken any more from then on; None: there is no such moment.
        failures: organisations for which it could not be done, with the first error of each.
    """

    desk: Desk
    order: Order
    clinics: dict[str, Clinic]
    model: str
    outcome: Outcome
    now: Callable[[], dt.datetime]
    until: dt.datetime | None = None
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether the run has had its time: what is left is due for the next one."""
        return self.until is not None and self.now() >= self.until

    def count(self, name: str, many: int = 1) -> None:
        """So many more of these."""
        self.outcome.facts[name] = self.outcome.facts.get(name, 0) + many

    def fail(self, failures: dict[str, str]) -> None:
        """It could not be done for these organisations."""
        for organization, why in failures.items():
            self.failures.setdefault(organization, why)

    def withhold(self, withheld: Sequence[Withheld]) -> None:
        """Keep why there is nothing for these."""
        planning.keep(self.desk, self.order, Proposal(withheld=list(withheld), is_news=True), self.outcome)

    def examine(self, taken: Sequence[Claimed], now: dt.datetime) -> Group:
        """What is to be made of these; who is withheld is, and who needs nothing is counted."""
        group = examine(
            self.desk, self.clinics, [who for who in taken if who.organization_id in self.clinics], now, self.model
        )
        self.withhold([each for _, each in group.withheld])
        self.outcome.known += len(group.known)
        self.fail(group.clinics)
        return group

    def treat(self, claim: uuid.UUID, taken: Sequence[Claimed], now: dt.datetime) -> list[Unsaid]:
        """Facts of these, stored and published; gives those who may have words now, who stay in hand."""
        group = self.examine(taken, now)
        # Reading two hundred records, or computing, may have taken a while.
        claiming.extend(self.desk.conn, claim)
        stored = self._store(claim, group, now)
        self._withdraw(claim, group, now)
        self._begin_again(claim, group)
        claiming.extend(self.desk.conn, claim)
        ways: dict[Pair, Later | None] = {who.pair: None for who, _ in group.withheld}
        ways |= {who.pair: None for who in group.known}
        ways |= {
            each.who.pair: Later(each.who, now, "narrative", each.who.tries) if each.model else None
            for each in stored
        }
        ways |= {each.who.pair: later for each in group.unsaid if (later := each.later(now)).due_at > now}
        ways |= {who.pair: self._trouble(who, why, now) for who, why in group.troubles}
        told = [*group.known, *(each.who for each in stored), *(each.who for each in group.unsaid)]
        told += [who for who, _ in group.withheld]
        unpublished = self._publish(told, now)
        ways |= {later.who.pair: later for later in unpublished}
        unsaid = {each.who.pair: each for each in group.unsaid if each.who.pair not in ways}
        for who in taken:
            # Whoever is left in hand would be taken again at once.
            if who.pair not in ways and who.pair not in unsaid:
                why = self.failures.get(who.organization_id)
                ways[who.pair] = put_off(who, why, now) if why else failed(who, "neither read nor refused", now)
        self._settle(claim, taken, ways, now)
        return list(unsaid.values())

    def ended(self, claim: uuid.UUID, answered: Answered) -> None:
        """A patient has words, or will have none, or later."""
        now, who = self.now(), answered.who
        if answered.fate != "left":
            self.count(answered.fate)
        self.count("scrubbed", answered.scrubbed)
        if answered.fate == "lost":
            return
        later = [answered.later] if answered.later is not None else []
        later = self._publish([who], now) or later
        claiming.settle(self.desk.conn, claim, now=now, done=[] if later else [who], later=later)

    def _store(self, claim: uuid.UUID, group: Group, now: dt.datetime) -> list[Made]:
        conn, stored = self.desk.conn, []
        for made in group.made:
            try:
                with conn.transaction():
                    if not claiming.is_held(conn, claim, made.who):
                        continue
                    is_new = store_facts(conn, made, now=now, run_id=self.order.run_id)
            except OF_A_PATIENT as error:
                if conn.closed:
                    raise psycopg.OperationalError("the connection was lost") from error
                group.troubles.append((made.who, said(error)))
            else:
                stored.append(made)
                self.count("generated", is_new)
                self.count("facts_only", is_new and not made.model)
        return stored

    def _withdraw(self, claim: uuid.UUID, group: Group, now: dt.datetime) -> None:
        """Nothing is said any more of whom nothing may be said."""
        conn = self.desk.conn
        for who, why in group.withheld:
            with conn.transaction():
                if why.reason in WITHDRAWING and claiming.is_held(conn, claim, who):
                    withdraw(conn, *who.pair, why.reason, now=now)

    def _begin_again(self, claim: uuid.UUID, group: Group) -> None:
        conn = self.desk.conn
        for each in group.unsaid:
            if each.is_anew:
                with conn.transaction():
                    if claiming.is_held(conn, claim, each.who):
                        begin_again(conn, each.generation.key)

    def _publish(self, patients: Sequence[Claimed], now: dt.datetime) -> list[Later]:
        """Those for whom it failed, with when it is tried again."""
        if self.order.is_shadow:
            return []
        found = publish(self.desk, patients, now=now)
        self.count("published", found.items)
        self.count("withdrawn", found.withdrawn)
        self.fail(found.clinics)
        self.fail({who.organization_id: why for who, why in found.troubles})
        return [
            *(self._trouble(who, why, now) for who, why in found.troubles),
            *(
                put_off(who, found.clinics[who.organization_id], now)
                for who in patients if who.organization_id in found.clinics
            ),
        ]  # fmt: skip

    def _trouble(self, who: Claimed, why: str, now: dt.datetime) -> Later:
        self.desk.log.warning("no insights for patient %s: %s", who.patient_id, why)
        self.count("failed")
        return failed(who, why, now)

    def _settle(
        self, claim: uuid.UUID, taken: Sequence[Claimed], ways: dict[Pair, Later | None], now: dt.datetime
    ) -> None:
        """None: there is nothing more to do for who it is."""
        done = [who for who in taken if ways.get(who.pair, who) is None]
        later = [way for way in ways.values() if way is not None]
        claiming.settle(self.desk.conn, claim, now=now, done=done, later=later)
