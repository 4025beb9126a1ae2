"""Reports of a clinic's day and week: counted for all clinics at once, stored, mailed to those who asked.

What the jobs and the assets call is here; pandas is loaded when one of these functions is called.
"""

from fisio_ayida.clinic.reports.kinds import DAILY, WEEKLY
from fisio_ayida.clinic.reports.running import run_daily, run_weekly
from fisio_ayida.clinic.reports.storing import stored

__all__ = ["DAILY", "WEEKLY", "run_daily", "run_weekly", "stored"]
