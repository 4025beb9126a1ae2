"""Dagster's runs as the events' dispatch sees them (``events/dispatch.py``).

A run is found by the tag with its claim's id. Not here: what follows from a run's end.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping

import dagster as dg

from fisio_ayida import telemetry
from fisio_ayida.events.claims import Claim, OpenClaim
from fisio_ayida.events.dispatch import Run, Status

CLAIM_TAG = "fisio_ayida/claim"
EVENT_TAG = "fisio_ayida/event_id"
#: A run whose process dies between two claims is missed by nobody, and would keep its place for a day.
LONGEST_BATCH = dt.timedelta(hours=2)
#: Event ids that a run's tag shows; the inbox has all of them.
IDS_IN_TAG = 20

_STATUS = {
    dg.DagsterRunStatus.NOT_STARTED: Status.WAITING,
    dg.DagsterRunStatus.QUEUED: Status.WAITING,
    dg.DagsterRunStatus.STARTING: Status.WAITING,
    dg.DagsterRunStatus.MANAGED: Status.WAITING,
    dg.DagsterRunStatus.STARTED: Status.RUNNING,
    dg.DagsterRunStatus.CANCELING: Status.RUNNING,
    dg.DagsterRunStatus.CANCELED: Status.CANCELLED,
    dg.DagsterRunStatus.SUCCESS: Status.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: Status.FAILED,
}


class InstanceRuns:
    """The runs of one Dagster instance."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def of(self, claims: Collection[OpenClaim]) -> Mapping[uuid.UUID, Run]:
        """The run that took each claim, or the newest one that was asked to; nothing where there is none."""
        taken = {claim.id: claim.run_id for claim in claims if claim.run_id}
        asked = [str(claim.id) for claim in claims if not claim.run_id]
        found: dict[uuid.UUID, Run] = {}
        if taken:
            # A run claims for itself too, under claims that no tag of it names.
            by_id = self._instance.get_runs(dg.RunsFilter(run_ids=list(set(taken.values()))))
            seen = {run.run_id: self._seen(run) for run in by_id}
            found = {claim: seen[run_id] for claim, run_id in taken.items() if run_id in seen}
        if asked:
            for run in self._instance.get_runs(dg.RunsFilter(tags={CLAIM_TAG: asked})):  # newest first
                found.setdefault(uuid.UUID(run.tags[CLAIM_TAG]), self._seen(run))
        return found

    def bury(self, run: Run, why: str) -> None:
        """Mark a run as failed whose process is gone; the default launcher would believe in it for a day."""
        known = self._instance.get_run_by_id(run.id)
        if known is not None and not known.is_finished:
            self._instance.report_run_failed(known, f"{why[:1].upper()}{why[1:]}: its events were given back.")

    def _seen(self, run: dg.DagsterRun) -> Run:
        status = _STATUS[run.status]
        if status is not Status.FAILED:
            return Run(run.run_id, status)
        message = self._failure(run.run_id)
        return Run(run.run_id, status if message else Status.DIED, message)

    def _failure(self, run_id: str) -> str:
        """What the first failed step said; empty if no step failed: then the process died."""
        entries = self._instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        return next((failure_words(entry.dagster_event) for entry in entries if entry.dagster_event), "")


def failure_words(event: dg.DagsterEvent) -> str:
    """What a failed step said, in one line."""
    error = event.step_failure_data.error
    while error and error.cause:
        error = error.cause
    return telemetry.excerpt(" ".join(error.message.split())) if error else "a step failed"


def request(claim: Claim) -> dg.RunRequest:
    """The run of a claim. Dagster's own repetition is off: a claim whose run dies is claimed anew."""
    tags = {CLAIM_TAG: str(claim.id), "dagster/max_retries": "0", "source": "events"}
    if claim.event_ids:
        tags[EVENT_TAG] = ",".join(claim.event_ids[:IDS_IN_TAG])
    if claim.kind == "batch":
        # Short runs go before loads that take hours.
        tags["dagster/priority"] = "10"
        tags["dagster/max_runtime"] = str(int(LONGEST_BATCH.total_seconds()))
    return dg.RunRequest(run_key=str(claim.id), job_name=claim.job, run_config=claim.run_config, tags=tags)
