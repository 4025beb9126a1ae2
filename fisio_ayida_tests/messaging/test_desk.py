"""What an operator asks about messages: lists, the story of one, acts on them, and rates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from fisio_ayida.messaging import acts, claims, desk, due, rates
from fisio_ayida.messaging.desk import BadQuestion, Which
from fisio_ayida.messaging.model import Draft, EmailContent
from fisio_ayida.messaging.story import Story, story
from fisio_ayida_tests.messaging.lab import CLINIC, PHONE, Lab
from fisio_ayida_tests.messaging.rows import pages_read, put

FILES = {"email": "file", "whatsapp": "file", "push": "file"}


def found(lab: Lab, which: Which) -> list[int]:
    """The ids that a list shows, in its order."""
    return [each.id for each in desk.messages(lab.conn, which, limit=50)]


def told(lab: Lab, id: int) -> Story:
    return story(lab.conn, id, FILES, lab.door, now=lab.moment)


# Lists


@pytest.mark.parametrize(
    ("which", "wanted"),
    [
        (Which(), [4, 3, 2, 1]),
        (Which(states=("failed", "skipped")), [4, 3]),
        (Which(channel="email"), [4]),
        (Which(organization="org-2"), [2]),
        (Which(patient="p-3"), [3]),
        (Which(template="birthday"), [3]),
        (Which(cause=("appointment", "a1")), [2, 1]),
        (Which(cause=("appointment", "a2")), [2]),
        (Which(cause=("event", "e1")), [4]),
        (Which(addresses=(b"h",)), [3, 1]),
        (Which(states=("failed",), channel="whatsapp", organization=CLINIC), [3]),
    ],
)
def test_a_list_shows_what_was_asked_for_newest_first(lab: Lab, which: Which, wanted: Sequence[int]) -> None:
    first = put(lab, address_hash=b"h", cause_kind="appointment", cause_id="a1")
    put(lab, organization_id="org-2", cause_kind="appointments", cause_id="a1,a2")
    put(lab, state="failed", reason="r", patient_id="p-3", template="birthday", address_hash=b"h")
    put(lab, state="skipped", reason="r", channel="email", cause_kind="event", cause_id="e1|0")
    assert [id - first + 1 for id in found(lab, which)] == wanted


def test_a_list_can_begin_at_a_moment_and_has_a_limit(lab: Lab) -> None:
    put(lab, changed_at=lab.moment - dt.timedelta(hours=2))
    ids = [put(lab), put(lab)]
    assert found(lab, Which(since=lab.moment - dt.timedelta(hours=1))) == ids[::-1]
    assert [each.id for each in desk.messages(lab.conn, Which(), limit=1)] == ids[-1:]


def test_messages_are_found_by_their_address_however_it_is_written(lab: Lab) -> None:
    lab.visit()
    sent = lab.remind(to=PHONE)
    lab.plan(Draft(key="k", job="j", channel="email", category="direct", to="bob@example.com",
                   content=EmailContent(subject="s", text="t")))  # fmt: skip
    for written in ("5511987654321", "(11) 8765-4321", "+55 11 98765 4321"):
        assert found(lab, Which(addresses=desk.hashes(written, lab.hasher))) == [sent.id]
    assert found(lab, Which(addresses=desk.hashes("ana@example.com", lab.hasher))) == []


def test_what_is_no_address_is_said_without_it(lab: Lab) -> None:
    for channel in (None, "whatsapp"):
        with pytest.raises(BadQuestion, match="to is no address") as caught:
            desk.hashes("call 12", lab.hasher, channel)
        assert "12" not in str(caught.value)


def test_messages_are_named_by_id_and_by_key(lab: Lab) -> None:
    one, two = put(lab, key="reminder:a"), put(lab, key="77")
    assert desk.named(lab.conn, [str(one), "reminder:a", "77"]) == [one, two]
    with pytest.raises(BadQuestion, match="ID='nothing' is neither the id nor the key"):
        desk.named(lab.conn, ["nothing"])


def test_an_outcome_that_nobody_asks_about_any_more_can_be_listed(lab: Lab) -> None:
    put(lab, state="unknown", reason="r", due_at="infinity")
    [row] = desk.messages(lab.conn, Which(), limit=1)
    assert row.due_at is None


# One message


def test_the_story_of_a_sent_message_has_its_states_and_who_else_has_its_address(lab: Lab) -> None:
    lab.visit()
    sent = lab.remind()
    lab.patient("patient-2", name="Bia")
    lab.visit("visit-2", patient="patient-2")
    other = lab.remind("visit-2")
    lab.dispatch("run-7")
    whole = told(lab, sent.id)
    assert [(s.state, s.run_id) for s in whole.steps] == [
        ("planned", None), ("claimed", "run-7"), ("accepted", "run-7"),
    ]  # fmt: skip
    assert [(o.organization_id, o.patient_id, o.messages, o.last_id) for o in whole.others] == [
        (CLINIC, "patient-2", 1, other.id)
    ]
    assert whole.message.address_masked == "5511…4321" and whole.zone == "America/Sao_Paulo"
    assert whole.cause is not None and whole.cause.wanted and not whole.closed


def test_the_story_tells_whether_the_cause_still_stands(lab: Lab) -> None:
    lab.visit()
    id = lab.remind().id
    lab.visit(start="2026-03-14T09:00")
    moved = told(lab, id)
    assert moved.cause is not None and moved.cause.version != moved.message.cause_version
    lab.visit(status="cancelado")
    gone = told(lab, id).cause
    assert gone is not None and not gone.wanted and gone.why == "its state is cancelled"


def test_the_story_has_receipts_replies_relatives_and_what_is_in_the_way(lab: Lab) -> None:
    id = put(lab, state="failed", reason="r", provider="evolution", address_hash=b"h" * 32)
    instead = put(lab, channel="email", fallback_of=id)
    lab.conn.execute(
        "insert into messaging.deliveries (provider, event_id, kind, status, received_at, body, message_id) "
        "values ('evolution', 'e1', 'messages.update', 'failed', %s, '{}', %s)", [lab.moment, id],
    )  # fmt: skip
    lab.conn.execute(
        "insert into messaging.replies (provider, provider_id, address_masked, address_hash, intent, received_at, "
        "message_id) values ('evolution', 'r1', 'x', '', 'confirm', %s, %s)", [lab.moment, id],
    )  # fmt: skip
    lab.conn.execute(
        "insert into messaging.circuits (provider, organization_id, opened_at, reason, changed_at) values "
        "('evolution', %s, %s, 'down', %s), ('evolution', 'org-2', %s, 'down', %s)",
        [CLINIC, *[lab.moment] * 4],
    )
    lab.conn.execute(
        "insert into messaging.suppressions (channel, address_hash, reason, evidence, at) "
        "values ('whatsapp', %s, 'not_on_whatsapp', 'e', %s)", [b"h" * 32, lab.moment],
    )  # fmt: skip
    whole = told(lab, id)
    assert [(r.kind, r.status) for r in whole.receipts] == [("messages.update", "failed")]
    assert [r.intent for r in whole.replies] == ["confirm"]
    assert [f.id for f in whole.fallbacks] == [instead] and whole.stands_in_for is None
    assert [c.organization_id for c in whole.closed] == [CLINIC]
    assert whole.suppressed is not None and whole.suppressed.reason == "not_on_whatsapp"
    for_it = told(lab, instead).stands_in_for
    assert for_it is not None and for_it.id == id


@pytest.mark.parametrize(
    ("change", "state", "said"),
    [
        ("select", "claimed", None),
        ("update clinic.patients set is_active = false", "skipped", "patient_inactive_or_deleted"),
        ("update clinic.appointments set status = 'cancelado'", "skipped", "stale"),
        ("update messaging.policies set quiet_from = '09:00', quiet_to = '12:00'", "deferred", "quiet_hours"),
    ],
)
def test_what_would_happen_now_is_foreseen_and_changes_nothing(
    lab: Lab, change: str, state: str, said: str | None
) -> None:
    lab.policy(quiet_from="21:00")
    lab.visit()
    id = lab.remind().id
    lab.conn.execute(change)
    before = lab.message(id)
    who = claims.Claimant("run-1", "file", dt.timedelta(minutes=2), lab.outbox.letters, lab.door)
    seen = claims.verdict(lab.conn, id, who, now=lab.moment)
    assert seen is not None and seen.state == state
    assert (seen.reason or "").partition(":")[0] == (said or "")
    assert lab.message(id) == before and lab.path(id) == ["planned"]


def test_nothing_is_foreseen_of_what_does_not_wait(lab: Lab) -> None:
    who = claims.Claimant("run-1", "file", dt.timedelta(minutes=2), lab.outbox.letters, lab.door)
    assert claims.verdict(lab.conn, put(lab, state="failed", reason="r"), who, now=lab.moment) is None


# Acts


def test_a_retry_says_of_each_what_follows_or_why_not(lab: Lab) -> None:
    states = ("failed", "skipped", "expired", "unknown", "retry", "planned", "accepted", "read")
    ids = [put(lab, state=state, reason="r") for state in states]
    done = acts.retry(lab.conn, ids, now=lab.moment)
    assert [(a.state, a.is_done) for a in done] == [
        *[("planned", True)] * 3, ("unknown", True), ("retry", True), ("planned", False), ("accepted", False),
        ("read", False),
    ]  # fmt: skip
    assert "not sent again" in done[3].words and "second message" in done[6].words
    assert due.next_at(lab.conn, FILES, now=lab.moment, horizon=lab.moment) == lab.moment


def test_a_cancel_says_of_each_whether_it_was_still_possible(lab: Lab) -> None:
    states = ("planned", "deferred", "retry", "accepted", "unknown", "failed")
    ids = [put(lab, state=state, reason="r") for state in states]
    done = acts.cancel(lab.conn, ids, who="an operator", now=lab.moment)
    assert [(a.state, a.is_done) for a in done] == [
        *[("skipped", True)] * 3, ("accepted", False), ("unknown", False), ("failed", False),
    ]  # fmt: skip
    assert done[3].words == "what was sent cannot be stopped"
    assert lab.message(ids[0])["reason"] == "cancelled: by an operator"


def test_a_list_of_one_state_does_not_read_the_others(lab: Lab) -> None:
    failed = put(lab, state="failed", reason="r")
    lab.crowd("org-a", 10_000)
    lab.conn.execute("update messaging.messages set changed_at = changed_at - id * interval '1 second'")
    which = desk.Which(states=("failed",))
    assert [each.id for each in desk.messages(lab.conn, which, limit=50)] == [failed]
    query = desk._LIST.format(where=which.where())
    assert pages_read(lab, query, {**which.values(), "limit": 50}) < 50


# Rates


def test_what_waits_is_counted_whole_and_what_has_ended_for_a_week(lab: Lab) -> None:
    long_ago = lab.moment - dt.timedelta(days=8)
    for state in ("planned", "claimed", "accepted", "accepted"):
        put(lab, state=state, changed_at=long_ago)
    put(lab, state="accepted")
    assert rates.waiting(lab.conn) == {"planned": 1, "claimed": 1}
    assert rates.recent(lab.conn, lab.moment).states == {"accepted": 1}


def test_rates_are_told_by_template_channel_and_clinic_with_reasons(lab: Lab) -> None:
    at = lab.moment
    put(lab, state="read", accepted_at=at, delivered_at=at, read_at=at)
    put(lab, state="accepted", accepted_at=at, template="birthday")
    put(lab, state="failed", reason="x", error_code="131026", template="birthday")
    put(lab, state="skipped", reason="opted_out_channel: no", channel="email", organization_id="org-2")
    told = rates.recent(lab.conn, at).rates
    assert list(told["template"]) == ["birthday", "test"] and set(told["organization"]) == {CLINIC, "org-2"}
    whatsapp, email = told["channel"]["whatsapp"], told["channel"]["email"]
    assert (whatsapp.planned, whatsapp.accepted, whatsapp.delivered, whatsapp.read) == (3, 2, 1, 1)
    assert (whatsapp.failed, email.skipped) == (1, 1)
    assert whatsapp.reasons == {"131026": 1} and email.reasons == {"opted_out_channel": 1}


def test_hours_are_those_in_which_it_happened(lab: Lab) -> None:
    at, earlier = lab.moment, lab.moment - dt.timedelta(hours=3)
    put(lab, state="delivered", accepted_at=earlier, delivered_at=at)
    put(lab, state="failed", reason="x", accepted_at=at - dt.timedelta(days=3))
    seen = {(h.what, h.at, h.messages) for h in rates.hours(lab.conn, at)}
    assert seen == {("accepted", earlier, 1), ("delivered", at, 1), ("failed", at, 1)}
    assert all(rates.first_hour(at) <= hour <= at for _, hour, _ in seen)
