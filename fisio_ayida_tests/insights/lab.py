"""The clinics' lab with what insights read beside it: finalized sessions with their content, and profiles.

Here: what the tests of this room do with rows. Not here: expectations.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb

from fisio_ayida_tests.clinic.lab import CLINIC, PATIENT, SAO_PAULO, THERAPIST, ClinicLab

#: A week before the lab's now, a Thursday.
A_DAY = dt.date(2026, 3, 5)
_HOUR = dt.timedelta(hours=1)


class InsightsLab(ClinicLab):
    """One clinic with one therapist and no patients; ``moment`` is now."""

    def session(
        self, id: str = "session-1", day: dt.date | str = A_DAY, *, patient: str | None = PATIENT,
        organization: str | None = CLINIC, status: str = "finalized", finalized_at: dt.datetime | None = None,
        pain: int | None = None, note: str | None = None, procedures: Any = None, exercises: Any = None,
        measurements: Any = None, home_exercises: Any = None, **columns: Any,
    ) -> str:  # fmt: skip
        """A session at ten in São Paulo with its content, finalized at eleven unless it is said when.

        Args:
            procedures, exercises, measurements, home_exercises: what JSON can say; None: the column is empty.
            columns: further ones of ``clinic.sessions``.
        """
        if isinstance(day, str):
            day = dt.date.fromisoformat(day)
        began = dt.datetime.combine(day, dt.time(10), SAO_PAULO)
        if finalized_at is None and status == "finalized":
            finalized_at = began + _HOUR
        given = {"therapist_id": THERAPIST, "date": began, "created_at": began, "updated_at": began}
        self.add(
            "sessions", id=id, organization_id=organization, patient_id=patient, status=status,
            finalized_at=finalized_at, **(given | columns),
        )  # fmt: skip
        lists = {
            "procedures": procedures, "exercises": exercises, "measurements": measurements,
            "home_exercises": home_exercises,
        }  # fmt: skip
        self.add(
            "session_contents", session_id=id, organization_id=organization, patient_id=patient, pain_scale=pain,
            note=note, **{name: None if value is None else Jsonb(value) for name, value in lists.items()},
        )  # fmt: skip
        return id

    def sessions(self, days: Sequence[dt.date | str], *, patient: str = PATIENT, **columns: Any) -> list[str]:
        """Sessions of a patient on these days; their ids are made of the patient's and the day."""
        return [self.session(f"{patient}-{day}", day, patient=patient, **columns) for day in days]

    def patient(self, id: str = PATIENT, organization: str | None = CLINIC, **columns: Any) -> str:
        """A patient with a profile that says yes to insights."""
        super().patient(id, organization, **columns)
        return self.profile(id, organization)

    def profile(self, patient: str = PATIENT, organization: str | None = CLINIC, **columns: Any) -> str:
        """Make a patient's profile, with these columns; the one that there was goes."""
        self.conn.execute("delete from clinic.patient_profiles where patient_id = %s", [patient])
        self.add("patient_profiles", patient_id=patient, organization_id=organization, **columns)
        return patient

    def published(self, patient: str = PATIENT) -> list[dict[str, Any]]:
        """The clinic's own rows of a patient's insights, by moment and id."""
        query = "select * from clinic.patient_insights where patient_id = %s order by created_at, id"
        return self.rows(query, patient)
