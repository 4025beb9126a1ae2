"""A clinic's rules, and what was decided about a patient or a visit: ``clinic policy`` and ``clinic explain``.

A door like ``clinic.py``: importing this module adds its commands to the application made there. What rules there
are is in ``clinic/policies.py``, what is known of somebody in ``clinic/explain.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from fisio_ayida.commands.clinic import clinic_app
from fisio_ayida.commands.exits import plain_errors
from fisio_ayida.commands.messaging import now, outbox_and_clinic
from fisio_ayida.telemetry import excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fisio_ayida.clinic.explain import Entry, Explanation
    from fisio_ayida.clinic.policies import Held

__all__ = ["clinic_app"]

_POLICY_HELP = """Show what a clinic wants of the jobs and of its messages, or set it.

A wrong value changes nothing. `--set NAME=default` gives a rule back to its default.
"""


@clinic_app.command("policy", help=_POLICY_HELP)
def policy(
    organization: Annotated[str, typer.Argument(metavar="ORGANIZATION")],
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a rule; may be repeated")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
) -> None:
    from fisio_ayida.clinic import policies
    from fisio_ayida.commands.tables import json_lines

    with plain_errors(policies.BadPolicy), outbox_and_clinic() as (_, conn, clinic):
        words = _words(given or [])
        if words:
            policies.change(conn, clinic, organization, words, now=now())
        held = policies.policy(conn, clinic, organization)
    if as_json:
        json_lines(held)
    else:
        _show_policy(held)


@clinic_app.command("explain", help="What was planned, sent and withheld for a patient or a visit, and why.")
def explain(
    id: Annotated[str, typer.Argument(metavar="PATIENT|APPOINTMENT", help="An id of FisioFlow's")],
    as_json: Annotated[bool, typer.Option("--json", help="All of it as one JSON object")] = False,
) -> None:
    from fisio_ayida.clinic import explain as domain
    from fisio_ayida.commands.tables import json_lines
    from fisio_ayida.messaging.sealing import Hasher

    with plain_errors(domain.Unknown), outbox_and_clinic() as (settings, conn, clinic):
        hasher = Hasher.open(conn, settings.messaging_hash_key)
        found = domain.explain(conn, clinic, hasher, id, now=now())
    if as_json:
        json_lines([found])
    else:
        _show_explanation(found)


def _words(given: Sequence[str]) -> dict[str, str]:
    from fisio_ayida.clinic.policies import ECHOED, BadPolicy

    words = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals:
            raise BadPolicy(f"--set {excerpt(each, ECHOED)!r} is not NAME=VALUE, such as zone=America/Manaus")
        words[name.strip()] = text
    return words


def _show_policy(held: Sequence[Held]) -> None:
    from fisio_ayida.commands.tables import show_table

    rows = [(each.name, each.value, "default" if each.is_default else "", each.meaning) for each in held]
    show_table(("rule", "value", "", "what it decides"), rows, "")


def _show_explanation(found: Explanation) -> None:
    from fisio_ayida.commands.tables import show_facts, show_table

    subject, zone = found.subject, ZoneInfo(found.zone)
    show_facts({
        subject.kind: f"{subject.id} ({subject.state})",
        "organisation": subject.organization_id,
        "of patient": subject.patient_id if subject.kind != "patient" else None,
    })  # fmt: skip
    columns = (found.zone, "what", "about", "channel", "to", "state", "since", "reason", "id", "key")
    rows = [
        (each.at.astimezone(zone), each.what, each.about, each.channel, each.address_masked, each.state,
         each.changed_at and each.changed_at.astimezone(zone), _reason(each, zone), each.message_id,
         each.key)
        for each in found.entries
    ]  # fmt: skip
    show_table(columns, rows, "nothing was ever planned, sent or withheld")
    today = [(each.channel, each.category, each.verdict, each.detail) for each in found.today]
    if today:
        show_table(("channel", "category", "the rules would say now", ""), today, "")


def _reason(entry: Entry, zone: ZoneInfo) -> str:
    waits = entry.state in ("planned", "deferred", "retry") or entry.what == "shadow"
    due = f"due {entry.due_at.astimezone(zone):%Y-%m-%d %H:%M}" if entry.due_at is not None and waits else ""
    return "; ".join(part for part in (entry.reason, due) if part)
