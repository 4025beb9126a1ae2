"""A clinic's rules of when its patients are reminded of a visit, and the moment that a rule gives for one.

Here: their shape in ``jobs.policies.reminder_rules``, FisioFlow's own settings in the same words, and pure
arithmetic in the clinic's zone. Not here: which visits there are, and who was told already (``reminders.py``).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from fisio_ayida.clinic.model import Clinic

#: The words of a reminder say today or tomorrow: no rule may reach further back.
MOST_HOURS: Final = 24
#: The id under which a reminder is kept that somebody asked for.
MANUAL: Final = "manual"
_DAY: Final = dt.timedelta(days=1)
_MIDNIGHT: Final = dt.time()
_SHOWN: Final = 60
_PATH: Final = re.compile(r" - at `\$(.*)`$")
_STEP: Final = re.compile(r"\[(\d+)\]|\.?([A-Za-z_]\w*)")

_Clock = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
_Hour = Annotated[int, msgspec.Meta(ge=0, le=23)]
_Minute = Annotated[int, msgspec.Meta(ge=0, le=59)]
_Hours = Annotated[int, msgspec.Meta(ge=1, le=MOST_HOURS)]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
_Word = Annotated[str, msgspec.Meta(min_length=1)]


class RuleError(ValueError):
    """A clinic's rules cannot be used; the text names the field and its value."""


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Visits that begin within these hours, both included: 7 to 8 ends at 8:59. Offset -1: on the day before."""

    from_hour: _Hour
    to_hour: _Hour
    send_day_offset: Literal[-1, 0]
    send_at: _Clock


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all rules have. An empty condition is none.

    Args:
        id: part of the message's key: a rule with another id tells again.
        types, therapists: only visits of these types, or with these staff (``staff.user_id``).
        channels: only there.
    """

    id: _Id
    types: tuple[_Word, ...] = ()
    therapists: tuple[_Word, ...] = ()
    channels: tuple[Literal["whatsapp", "email"], ...] = ()

    def applies(self, type: str | None, therapist: str | None) -> bool:
        """Whether a visit meets the conditions."""
        return (not self.types or type in self.types) and (not self.therapists or therapist in self.therapists)


class DayBefore(_Rule, frozen=True, kw_only=True, tag="day_before"):
    """On the day before, at a civil time."""

    at: _Clock


class HoursBefore(_Rule, frozen=True, kw_only=True, tag="hours_before"):
    """So many hours before the start."""

    hours: _Hours


class Bands(_Rule, frozen=True, kw_only=True, tag="bands"):
    """By the hour of the start, the first band that has it; else ``hours_before``, without it not at all."""

    bands: tuple[Band, ...]
    hours_before: _Hours | None = None


Rule = DayBefore | HoursBefore | Bands

#: Of a clinic that has said nothing anywhere.
DEFAULT: Final[tuple[Rule, ...]] = (DayBefore(id="day-before", at="10:00"),)


class _FisioFlowBand(msgspec.Struct, frozen=True, rename="camel"):
    from_hour: _Hour
    to_hour: _Hour
    send_day_offset: Annotated[int, msgspec.Meta(ge=-1, le=1)] = 0
    send_hour: _Hour = 0
    send_minute: _Minute = 0


# CONTRACT clinic §2.3: what FisioFlow does where a clinic has not chosen its own.
_FISIOFLOW_BANDS: Final = (
    _FisioFlowBand(7, 8, -1, 19), _FisioFlowBand(9, 10, 0, 7), _FisioFlowBand(11, 12, 0, 8),
)  # fmt: skip


class _FisioFlow(msgspec.Struct, frozen=True, rename="camel"):
    enabled: bool = True
    default_hours_before: _Hours = 5
    bands: tuple[_FisioFlowBand, ...] = _FISIOFLOW_BANDS


def rules_of(clinic: Clinic) -> tuple[Rule, ...]:
    """A clinic's rules: its own, else those of FisioFlow's settings, else :data:`DEFAULT`. None: it has none.

    Raises:
        RuleError: they cannot be used.
    """
    if clinic.rules.reminder_rules is not None:
        return parse(clinic.rules.reminder_rules)
    crm = clinic.settings.get("crm_whatsapp")
    theirs = crm.get("reminders") if isinstance(crm, Mapping) else None
    return DEFAULT if theirs is None else _translated(theirs)


def parse(rules: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of a list as in ``jobs.policies.reminder_rules``.

    Raises:
        RuleError: they cannot be used.
    """
    parsed: tuple[Rule, ...] = _convert(rules, tuple[Rule, ...], "reminder_rules")
    ids = [rule.id for rule in parsed]
    for place, rule in enumerate(parsed):
        where = f"reminder_rules[{place}]"
        if rule.id == MANUAL or rule.id in ids[:place]:
            why = "is kept for reminders by hand" if rule.id == MANUAL else "is another rule's"
            raise RuleError(f"{where}.id={rule.id!r} {why}")
        if isinstance(rule, Bands):
            for number, band in enumerate(rule.bands):
                _check(band, f"{where}.bands[{number}]")
    return parsed


def moment(rule: Rule, clinic: Clinic, date: dt.date, start: dt.time) -> dt.datetime | None:
    """When a rule reminds of a visit at a civil time, in UTC: before its start, on its day or the day before.

    None: the rule has no moment for it.
    """
    begins = clinic.instant(date, start)
    at: dt.datetime | None
    match rule:
        case DayBefore():
            at = clinic.instant(date - _DAY, _clock(rule.at))
        case HoursBefore():
            at = _hours_before(clinic, date, begins, rule.hours)
        case Bands():
            band = next((each for each in rule.bands if each.from_hour <= start.hour <= each.to_hour), None)
            if band is not None:
                at = clinic.instant(date + band.send_day_offset * _DAY, _clock(band.send_at))
            elif rule.hours_before is not None:
                at = _hours_before(clinic, date, begins, rule.hours_before)
            else:
                at = None
    return at if at is not None and at < begins else None


def _hours_before(clinic: Clinic, date: dt.date, begins: dt.datetime, hours: int) -> dt.datetime:
    # A day of 23 hours would put 24 of them two days back.
    return max(begins - dt.timedelta(hours=hours), clinic.instant(date - _DAY, _MIDNIGHT))


def _translated(settings: Any) -> tuple[Rule, ...]:
    """FisioFlow's settings in our words. Its offset of the zone is the clinic's zone here."""
    where = "settings.crm_whatsapp.reminders"
    theirs = _convert(settings, _FisioFlow, where)
    if not theirs.enabled:
        return ()
    bands = tuple(
        Band(
            from_hour=band.from_hour, to_hour=band.to_hour, send_day_offset=-1 if band.send_day_offset else 0,
            send_at=f"{band.send_hour:02}:{band.send_minute:02}",
        )
        for band in theirs.bands
    )  # fmt: skip
    for number, each in enumerate(bands):
        _check(each, f"{where}.bands[{number}]")
    return (Bands(id="fisioflow", bands=bands, hours_before=theirs.default_hours_before),)


def _check(band: Band, where: str) -> None:
    if band.to_hour < band.from_hour:
        raise RuleError(f"{where}: to_hour={band.to_hour} is before from_hour={band.from_hour}")
    if band.send_day_offset == 0 and _clock(band.send_at) >= dt.time(band.from_hour):
        raise RuleError(f"{where}: send_at={band.send_at!r} is not before from_hour={band.from_hour}")


def _clock(text: str) -> dt.time:
    return dt.time(int(text[:2]), int(text[3:]))


def _convert(given: Any, type: Any, where: str) -> Any:
    try:
        return msgspec.convert(given, type)
    except msgspec.ValidationError as error:
        words = str(error)
        found = _PATH.search(words)
        path = found[1] if found else ""
        value = repr(_at(given, path))
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
        raise RuleError(f"{where}{path}={shown}: {_PATH.sub('', words)}") from None


def _at(given: Any, path: str) -> Any:
    """The value at a path as msgspec writes it, as far as it exists."""
    for index, name in _STEP.findall(path):
        try:
            given = given[int(index) if index else name]
        except (KeyError, IndexError, TypeError):
            break
    return given
