"""``fisio-ayida clinic compare``: a job beside the old cron, before and after it is switched over.

A door: what is compared is in ``clinic/comparing.py``. Importing this module adds its command to the application.
Not here: the other commands of the clinic (``clinic.py``, ``clinic_people.py``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fisio_ayida.commands.clinic import clinic_app
from fisio_ayida.commands.exits import BAD_INPUT, FAILED, fail, plain_errors
from fisio_ayida.settings import Settings

if TYPE_CHECKING:
    from fisio_ayida.clinic.comparing import Comparison

_HELP = """Compare what a job planned, or would have planned in shadow mode, with what the old cron sent.

By patient or visit and the clinic's civil day, whatever the channel. Ends with 1 if there is a difference.
"""


@clinic_app.command("compare", help=_HELP)
def compare_job(
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job that writes to patients")],
    date_from: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First civil day")],
    date_to: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last civil day, included")],
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="What the old cron sent: patient_id, appointment_id, channel, sent_at; "
            "else clinic.old_messages of the job's kind",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
) -> None:
    from fisio_ayida.bdns.windows import parse_day
    from fisio_ayida.clinic.compared import compare
    from fisio_ayida.clinic.model import BadOrder
    from fisio_ayida.clinic.registry import UnknownJob
    from fisio_ayida.clinic.registry import job as known
    from fisio_ayida.warehouse.clinic import open_clinic
    from fisio_ayida.warehouse.engine import open_warehouse

    with plain_errors(BadOrder, UnknownJob):
        if not known(job).sends:
            raise BadOrder(f"job={job!r} writes to nobody: there is nothing to compare")
        first, last = parse_day("from", date_from), parse_day("to", date_to)
        sent = None if file is None else _rows(file)
        settings = Settings.load(os.environ)
        with (
            open_warehouse(settings) as warehouse,
            warehouse.connect(autocommit=True) as conn,
            open_clinic(settings, warehouse) as clinic,
        ):
            comparison = compare(conn, clinic, job, first, last, sent=sent)
        show(comparison, as_json=as_json)
    if not comparison.is_equal:
        raise typer.Exit(FAILED)


def show(comparison: Comparison, *, as_json: bool = False) -> None:
    """The lines that differ, and how many there are of each side; as JSON all lines."""
    from fisio_ayida.commands.tables import json_lines, show_table

    if as_json:
        return json_lines(comparison.lines)
    differing = [line for line in comparison.lines if line.side != "both"]
    show_table(
        ("day", "side", "organization", "patient", "visit", "channels", "why we did not"),
        [
            (
                f"{line.day}", line.side, line.organization_id, line.patient_id, line.visit_id,
                ", ".join(line.ours or line.theirs), ": ".join(filter(None, (line.reason, line.detail))),
            )
            for line in differing
        ],
        "no difference",
    )  # fmt: skip
    counts = ", ".join(f"{comparison.count(side)} {side}" for side in ("both", "only ours", "only theirs"))
    typer.echo(f"{comparison.job}: {counts}")
    return None


def _rows(file: Path) -> list[Mapping[str, str]]:
    from fisio_ayida.clinic.compared import rows_of

    try:
        if str(file) == "-":
            return rows_of(sys.stdin)
        # Spreadsheets put a mark of byte order in front.
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return rows_of(lines)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"--file {file}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}", BAD_INPUT)
