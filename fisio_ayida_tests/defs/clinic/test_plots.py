"""The picture of a report's numbers."""

from __future__ import annotations

import base64
import datetime as dt

import pytest

from fisio_ayida.clinic.reports.frames import frame
from fisio_ayida.clinic.reports.periods import Kind
from fisio_ayida.defs.clinic.plots import picture

DAY = dt.date(2026, 3, 11)


@pytest.mark.parametrize("kind", ["daily", "weekly"])
def test_numbers_of_days_and_clinics_become_one_picture(kind: Kind) -> None:
    rows = [
        (f"an organization with a long id {n}", DAY + dt.timedelta(days=n % 2), "", 9 + n, 3, 2, 1, 1, 0, 4)
        for n in range(12)
    ]
    shown = picture(kind, frame(rows))
    head, _, image = shown.partition("base64,")
    assert head == "![Visits](data:image/png;"
    assert base64.b64decode(image.rstrip(")")).startswith(b"\x89PNG")


def test_where_there_were_no_visits_is_no_picture() -> None:
    assert picture("daily", frame([("org-1", DAY, "", 0, 0, 0, 0, 0, 0, 2)])) == ""
    assert picture("daily", frame([])) == ""
