"""From a clinic's numbers to the variables of its mails.

Least data: administrators see all professionals and how messages fared; everybody else sees their own numbers and
the clinic's totals, of no colleague. Here: pure functions. Not here: who reads (``readers.py``), and the look.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fisio_ayida.clinic.reports import trend
from fisio_ayida.clinic.reports.frames import NOBODY, Line
from fisio_ayida.clinic.reports.readers import Messages, Reader
from fisio_ayida.messaging.templates import formats

Variables = dict[str, Any]

UNNAMED_CLINIC: Final = "Clínica sem nome"
UNNAMED: Final = "Profissional sem nome"
NOT_GIVEN: Final = "Sem profissional"
_LAST_DAY: Final = dt.timedelta(days=6)
# In the order in which the bars are coloured.
_OUTCOMES: Final = (
    ("Realizadas", "done"), ("Faltas", "absent"), ("Canceladas", "cancelled"), ("A remarcar", "to_rebook"),
    ("Sem desfecho", "open"),
)  # fmt: skip
_COMPARED: Final = (
    ("Agendadas", "scheduled"), ("Realizadas", "done"), ("Faltas", "absent"), ("Canceladas", "cancelled"),
    ("Novos pacientes", "new_patients"),
)  # fmt: skip


def daily(clinic: str, whole: Line, before: Sequence[Line]) -> Variables:
    """What every reader of a day's report is told; it is compared with nothing. ``clinic``: its name."""
    return _common(clinic, whole) | {"data": whole.first_day}


def weekly(clinic: str, whole: Line, before: Sequence[Line]) -> Variables:
    """What every reader of a week's summary is told.

    Args:
        before: the clinic's weeks before, newest first.
    """
    weeks = [whole, *before]
    most = max(week.scheduled for week in weeks)
    return _common(clinic, whole) | {
        "inicio": whole.first_day, "fim": whole.first_day + _LAST_DAY,
        "semanas": [_week(week, most) for week in weeks],
        "tendencia": _trend(whole, before) if any(not week.is_empty for week in before) else [],
    }  # fmt: skip


def addressed(
    common: Variables, reader: Reader, lines: Sequence[Line], names: Mapping[str, str], messages: Messages | None
) -> Variables:
    """What one reader is told.

    Args:
        common: what every reader is told.
        lines: the professionals' numbers.
        names: of the professionals.
        messages: how the clinic's messages fared; None: nothing is said of them.
    """
    if not reader.is_administrator:
        return common | {
            "seus_numeros": [_line(each, names) for each in lines if each.therapist_id == reader.user_id]
        }
    told = common | {"profissionais": [_line(each, names) for each in _ordered(lines, names)]}
    if messages is not None:
        told |= {"mensagens": messages.sent, "falhas": messages.failed or None}
    return told


def _common(clinic: str, whole: Line) -> Variables:
    most = max(getattr(whole, field) for _, field in _OUTCOMES)
    return {
        "clinica": formats.text(clinic) or UNNAMED_CLINIC, **_numbers(whole),
        "grafico": [
            {"rotulo": label, "valor": getattr(whole, field), "largura": _share(getattr(whole, field), most)}
            for label, field in _OUTCOMES
        ],
    }  # fmt: skip


def _numbers(line: Line) -> Variables:
    return {
        "agendadas": line.scheduled, "realizadas": line.done, "faltas": line.absent,
        "canceladas": line.cancelled, "a_remarcar": line.to_rebook, "sem_desfecho": line.open,
        "novos_pacientes": line.new_patients,
    }  # fmt: skip


def _line(line: Line, names: Mapping[str, str]) -> Variables:
    return {"profissional": _name(line, names), **_numbers(line)}


def _name(line: Line, names: Mapping[str, str]) -> str:
    return NOT_GIVEN if line.therapist_id == NOBODY else names.get(line.therapist_id) or UNNAMED


def _ordered(lines: Sequence[Line], names: Mapping[str, str]) -> list[Line]:
    """The busiest first; what is nobody's last."""
    return sorted(lines, key=lambda each: (
        each.therapist_id == NOBODY, -each.scheduled, _name(each, names), each.therapist_id
    ))  # fmt: skip


def _week(week: Line, most: int) -> Variables:
    done = _share(week.done, most)
    return {
        "inicio": week.first_day, "fim": week.first_day + _LAST_DAY, **_numbers(week), "largura": done,
        "resto": max(_share(week.scheduled, most) - done, 0),
    }  # fmt: skip


def _trend(whole: Line, before: Sequence[Line]) -> list[Variables]:
    found = []
    for label, field in _COMPARED:
        now, then = getattr(whole, field), [getattr(week, field) for week in before]
        found.append({"rotulo": label, "valor": now, "media": trend.mean(then), "texto": trend.words(now, then)})
    return found


def _share(part: int, most: int) -> int:
    """Percent of the longest bar, as a whole number; what there is can be seen."""
    return max(1, round(100 * part / most)) if part else 0
