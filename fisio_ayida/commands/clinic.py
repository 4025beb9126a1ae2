"""The command line of FisioFlow's data: ``fisio-ayida clinic check|mapping``.

A door: what is looked at is in ``clinic/survey.py``, what is laid over FisioFlow's tables in ``clinic/mappings``.
Not here: the other commands of ``clinic``; their modules add them to the application made here.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fisio_ayida.commands.exits import BAD_INPUT, FAILED, fail, plain_errors
from fisio_ayida.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fisio_ayida.clinic.checking import Finding
    from fisio_ayida.clinic.survey import Survey

clinic_app = typer.Typer(
    no_args_is_help=True, help="FisioFlow's clinics: their data, what they want, what the jobs decided."
)


@clinic_app.command(
    "check", help="Whether the clinic's database keeps the contract and can be read; code 1 if no job would run."
)
def check() -> None:
    from fisio_ayida.clinic.registry import UnknownJob
    from fisio_ayida.clinic.survey import survey
    from fisio_ayida.warehouse.engine import open_warehouse

    with plain_errors(UnknownJob):
        settings = Settings.load(os.environ)
        with open_warehouse(settings) as warehouse:
            seen = survey(settings, warehouse)
    _show(seen, settings.clinic_tenant_setting)
    if seen.stops:
        raise typer.Exit(FAILED)


@clinic_app.command("mapping", help="Print the SQL that lays schema clinic over FisioFlow's tables, or run it.")
def mapping(
    name: Annotated[str, typer.Argument(help="Whose tables")] = "fisioflow",
    apply: Annotated[
        bool, typer.Option("--apply", help="Run it on CLINIC_DATABASE_URL, or else DATABASE_URL, and check")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before running it")] = False,
) -> None:
    from fisio_ayida.clinic import mappings
    from fisio_ayida.clinic.checking import findings
    from fisio_ayida.warehouse.engine import connect

    with plain_errors(mappings.UnknownMapping):
        text = mappings.sql(name)
        if not apply:
            typer.echo(text, nl=False)
            return
        settings = Settings.load(os.environ)
        url = settings.clinic_database() or settings.database()
        if url is None:
            fail("to run the mapping, set CLINIC_DATABASE_URL to FisioFlow's database", BAD_INPUT)
        if not yes:
            _ask(f"run mapping {name} on {url.masked}?")
        with connect(url, autocommit=True) as conn:
            for warning in mappings.apply(conn, name):
                typer.echo(f"warning: {warning}", err=True)
            found = findings(conn)
    typer.echo(f"{url.masked}: schema clinic is laid over its tables")
    _show_findings(found)
    if any(each.stops for each in found):
        raise typer.Exit(FAILED)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        fail("to run the mapping without being asked, add --yes", BAD_INPUT)
    if not typer.confirm(question):
        fail("nothing was done", FAILED)


def _show(seen: Survey, setting: str) -> None:
    from fisio_ayida.commands.tables import show_facts, show_table

    binds = f"binds us ({', '.join(seen.secured)}): work goes organisation by organisation, named by {setting}"
    visible = f"{seen.visible} visible, {seen.inactive} of them inactive"
    show_facts({
        "database": seen.database,
        "row security": binds if seen.secured else "does not bind us: one question for all organisations",
        "clinics": "not looked at" if seen.visible is None else visible,
        "in shadow": ", ".join(sorted(seen.shadowed)) or "no job",
    })  # fmt: skip
    _show_findings(seen.findings)
    if seen.visible is not None:
        words = [
            (word.organization_id, word.word, "the clinic's own, of no class" if word.is_known else "unknown",
             word.visits)
            for word in seen.words
        ]  # fmt: skip
        columns = ("organisation", "status word", "is", "visits")
        show_table(columns, words, "status words: all of them are known")


def _show_findings(found: Sequence[Finding]) -> None:
    from fisio_ayida.commands.tables import show_table

    rows = [(each.where, each.what, "every job" if each.stops else "only what reads it") for each in found]
    show_table(("where", "what", "stops"), rows, "the contract is kept")
