"""Who is told of the checks' results: an organisation's administrators, and the project's operators.

A mail is due when a result is worse or other than before, and once a civil day while it is bad; what is good
again is mentioned in the next one. Rows of nobody and checks that could not run are the operators'. Not here:
running the checks (``looking.py``), and comparing them (``states.py``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from fisio_ayida.clinic import notices
from fisio_ayida.clinic.administrators import administrators
from fisio_ayida.clinic.integrity import states as kept
from fisio_ayida.clinic.integrity.checks import CHECKS
from fisio_ayida.clinic.integrity.looking import NOBODY, Look
from fisio_ayida.clinic.integrity.states import State
from fisio_ayida.clinic.model import Clinic, Desk, Order, Outcome, Proposal, Withheld
from fisio_ayida.clinic.registry import ZONE
from fisio_ayida.messaging import keys
from fisio_ayida.messaging.letters import OPERATORS
from fisio_ayida.messaging.model import Cause, Draft

JOB: Final = "data_integrity"
TEMPLATE: Final = "integrity_alert"
#: A day later there is another one.
USEFUL_FOR: Final = dt.timedelta(days=1)
_ALL_CLINICS: Final = "Todas as clínicas"
_NOBODY_THERE: Final = "no active administrator with an e-mail address"
_NO_OPERATORS: Final = "MESSAGING_ALERTS_TO is not set"
# A mail that is withheld, or only decided in shadow mode, tells nobody.
_PLANNED: Final = "select key from messaging.messages where key = any(%s)"

#: What each mail tells of, by its key.
Mails = dict[str, list[State]]


def keep(desk: Desk, clinics: Sequence[Clinic], looked: Look, order: Order, outcome: Outcome) -> None:
    """Keep the results and plan the mails, in one transaction."""
    with desk.conn.transaction():
        states = kept.read(desk.conn, looked, order)
        proposal = Proposal()
        mails = _to_clinics(desk, clinics, states, order, proposal)
        mails |= _to_operators(desk, states, order, proposal)
        notices.keep_with_notices(desk, order, proposal, outcome)
        if not order.is_dry:
            planned = [key for (key,) in desk.conn.execute(_PLANNED, [list(mails)])]
            _remember(states, [state for key in planned for state in mails[key]], order)
            kept.write(desk.conn, states, order)


def _to_clinics(
    desk: Desk, clinics: Sequence[Clinic], states: Mapping[str, list[State]], order: Order, proposal: Proposal
) -> Mails:
    """Plan what administrators are told."""
    wrong = {clinic.id: [state for state in states.get(clinic.id, ()) if state.problems] for clinic in clinics}
    due = [clinic for clinic in clinics if _is_due(wrong[clinic.id], clinic.day(order.nominal), clinic.zone)]
    readers: dict[str, list[str]] = {}
    for part in desk.clinic.each(desk.conn, [clinic.id for clinic in due], administrators):
        readers |= part
    mails: Mails = {}
    for clinic in due:
        resolved = [state for state in states[clinic.id] if not state.is_bad and state.alerted_at is not None]
        variables = _variables(clinic.name or clinic.id, wrong[clinic.id], resolved)
        for user in readers.get(clinic.id, ()):
            key = keys.integrity(clinic.id, clinic.day(order.nominal), _digest(wrong[clinic.id]), user)
            proposal.drafts.append(_draft(key, order, variables, organization_id=clinic.id, user_id=user))
            proposal.needs[key] = ("administrator",)
            mails[key] = wrong[clinic.id] + resolved
        if clinic.id not in readers:
            key = keys.integrity(clinic.id, clinic.day(order.nominal), _digest(wrong[clinic.id]), "-")
            proposal.withheld.append(_withheld(key, clinic.id, _NOBODY_THERE))
    return mails


def _to_operators(desk: Desk, states: Mapping[str, list[State]], order: Order, proposal: Proposal) -> Mails:
    """The same of what no clinic can mend."""
    wrong = [
        state for each in states.values() for state in each
        if state.error is not None or (state.problems and state.organization_id == NOBODY)
    ]  # fmt: skip
    day = order.nominal.astimezone(ZoneInfo(ZONE)).date()
    if not _is_due(wrong, day, ZoneInfo(ZONE)):
        return {}
    key = keys.integrity(NOBODY, day, _digest(wrong), OPERATORS)
    to = desk.outbox.letters.alerts_to
    if to is None:
        proposal.withheld.append(_withheld(key, NOBODY, _NO_OPERATORS))
        return {}
    resolved = [
        state for state in states.get(NOBODY, ()) if not state.is_bad and state.alerted_at is not None
    ]  # fmt: skip
    variables = _variables(_ALL_CLINICS, wrong, resolved)
    proposal.drafts.append(_draft(key, order, variables, to=to, user_id=""))
    return {key: wrong + resolved}


def _is_due(wrong: Sequence[State], day: dt.date, zone: ZoneInfo) -> bool:
    return any(state.alerted_at is None or state.alerted_at.astimezone(zone).date() < day for state in wrong)


def _remember(states: Mapping[str, list[State]], told: Sequence[State], order: Order) -> None:
    """When what is bad was told last; of what is good again nothing is left to tell, or no mail will come."""
    for state in told:
        state.alerted_at = order.nominal if state.is_bad else None
    for each in states.values():
        if not any(state.is_bad for state in each):
            for state in each:
                state.alerted_at = None


def _variables(clinic: str, wrong: Sequence[State], resolved: Iterable[State]) -> dict[str, Any]:
    found = [state for state in wrong if state.problems]
    errors = [state for state in wrong if state.error is not None]
    return {
        "clinica": clinic, "quantidade": sum(state.problems or 0 for state in found) + len(errors),
        "verificacoes": [
            {"verificacao": CHECKS[state.check_name].title, "contagem": state.problems,
             "exemplos": state.sample_ids}
            for state in found
        ],
        "resolvidas": [CHECKS[state.check_name].title for state in resolved],
        "impedidas": [
            {"verificacao": CHECKS[state.check_name].title, "organizacao": state.organization_id,
             # Its kind alone: the words after it may quote a row.
             "motivo": (state.error or "").partition(":")[0]}
            for state in errors
        ],
    }  # fmt: skip


def _draft(key: str, order: Order, variables: Mapping[str, Any], *, user_id: str, **whose: Any) -> Draft:
    is_ours = "to" in whose
    return Draft(
        key=key, job=JOB, channel="email", category="direct" if is_ours else "transactional", template=TEMPLATE,
        variables=variables, cause=Cause(OPERATORS, key) if is_ours else notices.cause(key), user_id=user_id,
        not_after=order.nominal + USEFUL_FOR, **whose,
    )  # fmt: skip


def _withheld(key: str, organization: str, detail: str) -> Withheld:
    return Withheld(
        key=key, organization_id=organization, reason="no_address", detail=detail, channel="email",
        template=TEMPLATE,
    )  # fmt: skip


def _digest(wrong: Iterable[State]) -> str:
    words = [f"{state.organization_id} {state.check_name} {state.digest}" for state in wrong]
    return hashlib.sha256("\n".join(sorted(words)).encode()).hexdigest()[:12]
