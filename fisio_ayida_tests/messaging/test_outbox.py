"""Planning: one row a key whoever plans it and when, with its cause or not at all, unreadable without the key."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import psycopg
import pytest
from pydantic import SecretStr

from fisio_ayida.messaging.inbound import Words
from fisio_ayida.messaging.letters import Letter
from fisio_ayida.messaging.model import (
    Ambiguous,
    Attachment,
    Cause,
    Content,
    Draft,
    EmailContent,
    Envelope,
    MessagingError,
    Permanent,
    PushContent,
    WhatsappContent,
)
from fisio_ayida.messaging.outbox import LONGEST_WAIT, Planned, cancel, retry
from fisio_ayida.messaging.requests import Asked
from fisio_ayida.messaging.sealing import Sealer, new_key
from fisio_ayida_tests.messaging.lab import CLINIC, MORNING, PATIENT, PHONE, Counted, Lab
from fisio_ayida_tests.messaging.scripted import Scripted, accepted, always, in_turn

NAIVE = dt.datetime(2026, 3, 12, 13)  # noqa: DTZ001  what must be refused
WAITS_FOR_A_LOCK = "select count(*) from pg_locks where not granted"


@pytest.fixture
def visit(lab: Lab) -> Lab:
    """A lab with tomorrow's visit."""
    lab.visit()
    return lab


# --- one row a key


def test_a_key_that_is_there_is_the_same_message(visit: Lab) -> None:
    first, again = visit.remind(), visit.remind()
    assert (first.is_new, again) == (True, Planned(first.key, first.id, is_new=False))


def test_a_key_twice_in_one_call_is_one_message(lab: Lab) -> None:
    one, two, other = lab.plan(lab.direct("a:1"), lab.direct("a:1"), lab.direct("a:2"))
    assert (one.is_new, two.is_new, other.is_new) == (True, False, True)
    assert one.id == two.id != other.id


@pytest.mark.parametrize("first_commits", [True, False])
def test_who_plans_the_same_key_at_the_same_time_waits(lab: Lab, first_commits: bool) -> None:
    outbox, draft = lab.outbox, lab.direct()
    second: list[Planned] = []

    def plan_too() -> None:
        with lab.warehouse.connect() as conn:
            second.extend(outbox.plan(conn, [draft], now=MORNING))

    with lab.warehouse.connect() as conn:
        first = outbox.plan(conn, [draft], now=MORNING)
        other = threading.Thread(target=plan_too)
        other.start()
        while not lab.value(WAITS_FOR_A_LOCK) and other.is_alive():
            time.sleep(0.005)
        assert not second
        if not first_commits:
            conn.rollback()
    other.join()
    assert [each.is_new for each in second] == [not first_commits]
    assert (second[0].id == first[0].id) == first_commits


def test_two_transactions_that_plan_the_same_in_another_order_do_not_block_each_other(lab: Lab) -> None:
    outbox, drafts = lab.outbox, [lab.direct(f"same:{n}") for n in range(3)]
    failures = list[BaseException]()

    def plan(own: list[Draft]) -> None:
        try:
            with lab.warehouse.connect() as conn:
                outbox.plan(conn, own, now=MORNING)
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=plan, args=[own]) for own in (drafts, drafts[::-1])]
    with lab.warehouse.connect() as conn:
        # Both come as far as the one in the middle, each from its side.
        outbox.plan(conn, [drafts[1]], now=MORNING)
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            while lab.value(WAITS_FOR_A_LOCK) < waiting and thread.is_alive():
                time.sleep(0.005)
        conn.rollback()
    for thread in threads:
        thread.join()
    assert not failures
    assert lab.states() == {"planned": 3}


def test_a_plan_is_undone_with_its_cause(lab: Lab) -> None:
    with pytest.raises(ZeroDivisionError), lab.conn.transaction():
        lab.visit()
        lab.outbox.plan(lab.conn, [lab.reminder()], now=lab.moment)
        assert lab.states() == {"planned": 1}
        raise ZeroDivisionError
    assert (lab.states(), lab.value("select count(*) from clinic.appointments")) == ({}, 0)


def test_five_thousand_messages_are_one_statement(visit: Lab) -> None:
    counted = Counted(visit.conn)
    draft = visit.reminder()
    drafts = [replace(draft, key=f"reminder:{n}:whatsapp") for n in range(5000)]
    planned = visit.outbox.plan(counted, drafts, now=visit.moment)  # type: ignore[arg-type]  # stands in for it
    assert counted.statements == 1
    assert [each.key for each in planned] == [each.key for each in drafts]
    assert visit.states() == {"planned": 5000}


# --- what was given up because its cause had changed


def given_up(lab: Lab, **change: str) -> int:
    """A reminder that its visit made stale."""
    planned = lab.remind()
    lab.visit(**change)
    lab.claim()
    assert lab.message(planned.id)["reason"].startswith("stale: ")
    return planned.id


@pytest.mark.parametrize("change", [{"start": "2026-03-14T09:00"}, {"status": "cancelado"}])
def test_a_visit_that_is_as_it_was_is_announced_after_all(visit: Lab, change: dict[str, str]) -> None:
    id = given_up(visit, **change)
    visit.visit()
    assert visit.remind() == Planned(visit.message(id)["key"], id, is_new=True)
    assert [each.id for each in visit.claim().envelopes] == [id]
    assert visit.path(id) == ["planned", "skipped", "planned", "claimed"]


def test_a_day_that_has_changed_is_announced_as_it_is_now(visit: Lab) -> None:
    visit.visit("visit-2", "2026-03-13T09:00")
    day: dict[str, Any] = {"key": "reminder-day:patient-1:2026-03-13:whatsapp", "template": "birthday",
                           "variables": {"nome": "Ana", "clinica": "C"}}  # fmt: skip
    both = Cause("appointments", "visit-1,visit-2", "2026-03-13T09:00,2026-03-13T14:00")
    first = visit.remind(cause=both, **day)
    visit.visit("visit-2", "2026-03-13T10:00")
    assert not visit.claim().envelopes
    again = visit.remind(cause=replace(both, version="2026-03-13T10:00,2026-03-13T14:00"), **day)
    assert (again.id, again.is_new) == (first.id, True)
    assert [each.id for each in visit.claim().envelopes] == [first.id]


@pytest.mark.parametrize("reason", ["opted_out_channel: no whatsapp", "cancelled: by ops", "unusable: no key"])
def test_what_was_given_up_for_another_reason_stays_so(visit: Lab, reason: str) -> None:
    id = given_up(visit, status="cancelado")
    visit.conn.execute("update messaging.messages set reason = %s where id = %s", [reason, id])
    visit.visit()
    assert not visit.remind().is_new
    assert not visit.claim().envelopes


def given_to_another(lab: Lab) -> None:
    """The visit is another patient's from now on."""
    lab.patient("patient-2", name="Carlos Segredo", phone="+55 11 91111-2222")
    lab.conn.execute("update clinic.appointments set patient_id = 'patient-2'")


@pytest.mark.parametrize(
    ("state", "reason"),
    [("planned", None), ("skipped", "stale: gone"), ("skipped", "opted_out_channel: no"), ("deferred", "quiet")],
)
def test_a_visit_given_to_another_patient_is_announced_to_them_alone(
    visit: Lab, state: str, reason: str | None
) -> None:
    id = visit.remind().id
    visit.conn.execute("update messaging.messages set state = %s, reason = %s", [state, reason])
    given_to_another(visit)
    assert visit.remind() == Planned(visit.message(id)["key"], id, is_new=True)
    assert not visit.remind().is_new
    (envelope,) = visit.claim().envelopes
    assert isinstance(envelope.content, WhatsappContent)
    assert (envelope.to, "Carlos" in (envelope.content.text or "")) == ("5511911112222", True)
    assert visit.message(id)["patient_id"] == "patient-2"


def test_a_visit_given_to_another_patient_is_not_announced_to_the_first_one(visit: Lab) -> None:
    planned = visit.remind()
    given_to_another(visit)
    assert not visit.claim().envelopes
    assert visit.message(planned.id)["reason"] == "stale: it is another patient's now"


def test_what_the_first_patient_may_have_got_is_another_message_to_the_next_one(visit: Lab) -> None:
    first = visit.remind()
    visit.call()
    given_to_another(visit)
    second = visit.remind()
    assert (second.key, second.is_new) == (first.key, True)
    assert visit.message(second.id)["key"] == "reminder:visit-1:2026-03-13t14:00:d1:patient-2:whatsapp"
    assert [each.id for each in visit.claim().envelopes] == [second.id]
    assert visit.remind() == replace(second, is_new=False)


def test_what_may_have_been_sent_is_not_announced_again(visit: Lab) -> None:
    id = in_doubt(visit)
    visit.visit(status="cancelado")
    visit.pass_time(minutes=1)
    visit.claim()
    visit.visit()
    assert not visit.remind().is_new
    assert visit.message(id)["state"] == "unknown"


# --- what is no message


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"key": ""}, "key", "''"),
        ({"key": "k" * 257}, "key", "256 characters"),
        ({"channel": "sms"}, "channel", "'sms'"),
        ({"category": "urgent"}, "category", "'urgent'"),
        ({"priority": 15}, "priority", "15"),
        ({"template": "birthday"}, "template", "'birthday'"),
        ({"content": None}, "template", "None"),
        ({"content": None, "template": "birthdai"}, "template", "'birthdai'"),
        ({"content": None, "template": "feedback_request"}, "template", "'feedback_request'"),
        ({"content": WhatsappContent(text="Oi")}, "content", "WhatsappContent"),
        ({"channel": "push", "content": EmailContent(subject="Oi")}, "content", "EmailContent"),
        ({"channel": "whatsapp", "content": PushContent(title="Oi", body="Oi")}, "content", "PushContent"),
        ({"to": None}, "to", "None"),
        ({"category": "care"}, "organization_id", "''"),
        ({"due_at": NAIVE}, "due_at", "2026-03-12 13:00"),
        ({"not_after": NAIVE}, "not_after", "2026-03-12 13:00"),
        ({"cause": Cause("visits", "v1")}, "cause.kind", "'visits'"),
        ({"content": None, "template": "payment_received", "variables": {"nome": "Ana"}}, "clinica", "required"),
    ],
)
def test_what_is_no_message_is_refused_by_key_field_and_value(
    lab: Lab, changes: dict[str, Any], field: str, value: str
) -> None:
    wrong = lab.direct(**({"key": "wrong:1"} | changes))
    with pytest.raises(MessagingError) as refused:
        lab.plan(lab.direct("right:1"), wrong)
    for part in (wrong.key[:80], field, value):
        assert part in str(refused.value)
    assert lab.states() == {}


def test_an_address_that_is_none_is_no_fault_of_the_planner(lab: Lab) -> None:
    planned = lab.plan(lab.direct(to="nobody at all"))[0]
    lab.claim("email")
    assert lab.message(planned.id)["reason"].startswith("address_invalid: ")


# --- who may read it


def canary(lab: Lab, *tables: str) -> list[bytes]:
    """Everything that stands in the tables, as it stands there."""
    found = []
    for table in tables:
        for row in lab.conn.execute(f"select * from {table}"):
            found += [each if isinstance(each, bytes) else str(each).encode() for each in row]
    return found


@pytest.mark.parametrize("has_key", [True, False])
def test_nobody_who_only_sees_the_outbox_learns_whom_it_writes_to_and_what(lab: Lab, has_key: bool) -> None:
    lab.sealer = lab.sealer if has_key else None
    lab.patient("p9", name="Zenobia Quaresma", phone="+55 21 99876-1234", email="zenobia@quaresma.example")
    lab.visit(patient="p9")
    draft = lab.reminder()
    lab.plan(draft)
    if has_key:
        lab.plan(lab.direct(to="zenobia@quaresma.example", content=EmailContent(subject="Exame", text="Exame")))
    words = (b"Zenobia", b"Quaresma", b"998761234", b"99876-1234", b"zenobia", b"Exame")
    for column in canary(lab, "messaging.messages", "messaging.transitions"):
        assert not any(word in column for word in words)
    lab.dispatch()
    assert lab.states() == {"accepted": 1 + has_key}
    for column in canary(lab, "messaging.messages", "messaging.transitions"):
        assert not any(word in column for word in words)


@pytest.mark.parametrize(
    "content",
    [
        EmailContent(
            subject="Canary", html="Canary", text="Canary", reply_to="Canary",
            attachments=(Attachment("Canary", "Canary"),), tags={"a": "Canary"},
        ),
        WhatsappContent(text="Canary", media_url="Canary", template_variables=("Canary",)),
        PushContent(title="Canary", body="Canary", data={"a": "Canary"}),
    ],
)  # fmt: skip
def test_nothing_on_the_way_shows_words_and_addresses(content: Content) -> None:
    whole = (
        Draft(key="k", job="j", channel="email", category="direct", to="Canary", variables={"nome": "Canary"}),
        Draft(key="k", job="j", channel="email", category="direct", content=content),
        Envelope(id=1, key="k", channel="email", account="", organization_id="", to="Canary", content=content),
        Letter(to="Canary", variables={"nome": "Canary"}, content=content),
        Words("Canary", "Canary"),
        Asked("email", "Canary", None, {"nome": "Canary"}, content),
    )
    assert "Canary" not in repr(whole)


def test_without_a_key_nothing_of_a_message_is_stored(visit: Lab) -> None:
    visit.sealer = None
    assert visit.message(visit.remind().id)["content"] is None


def test_without_a_key_a_message_is_made_again_from_its_cause(visit: Lab) -> None:
    texts = []
    for sealer in (visit.sealer, None):
        visit.sealer, sender = sealer, Scripted()
        visit.senders["whatsapp"] = sender
        visit.remind(key=f"reminder:{sealer is None}")
        visit.dispatch()
        texts.append((sender.calls[0].to, sender.calls[0].content))
    assert texts[0] == texts[1]
    assert b"Ana" in msgspec.json.encode(texts[0])


@pytest.mark.parametrize(
    "changes",
    [
        {"cause": None},
        {"template": None, "variables": {}, "content": WhatsappContent(text="Oi")},
        {"to": "+55 11 91234-5678"},
        {"patient_id": None, "to": PHONE},
    ],
    ids=["no cause", "no template", "another address", "nobody's patient"],
)
def test_without_a_key_what_cannot_be_made_again_is_refused(visit: Lab, changes: dict[str, Any]) -> None:
    visit.sealer = None
    with pytest.raises(MessagingError, match="MESSAGING_KEY"):
        visit.remind(**changes)


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"template": "payment_received", "variables": {"nome": "Ana", "clinica": "C", "valor": "10"}}, "valor"),
        ({"template": "birthday", "variables": {"nome": "Ana", "clinica": "C", "profissional": "Bia"}},
         "profissional"),
    ],
    ids=["required", "given"],
)  # fmt: skip
def test_without_a_key_words_that_the_cause_does_not_know_are_refused(
    lab: Lab, changes: dict[str, Any], lost: str
) -> None:
    lab.sealer = None
    draft = lab.direct(
        channel="whatsapp", category="transactional", organization_id=CLINIC, patient_id=PATIENT, to=None,
        content=None, cause=Cause("patient", PATIENT), **changes,
    )  # fmt: skip
    with pytest.raises(MessagingError, match=f"cause='patient' cannot tell {lost} again"):
        lab.plan(draft)


def test_without_a_key_a_cause_that_knows_more_than_the_template_is_enough(visit: Lab) -> None:
    visit.sealer = None
    visit.policy(phone="(27) 3333-0000")
    visit.senders["whatsapp"] = sender = Scripted()
    planned = visit.remind(template="feedback_request", variables={"nome": "Ana", "clinica": "C"})
    visit.dispatch()
    assert [call.id for call in sender.calls] == [planned.id]


def test_a_new_key_in_front_of_the_old_one_changes_nothing(visit: Lab) -> None:
    old, new = new_key(), new_key()
    visit.sealer = Sealer.of(SecretStr(old))
    planned = visit.remind()
    visit.sealer = Sealer.of(SecretStr(f"{new},{old}"))
    visit.dispatch()
    assert visit.message(planned.id)["state"] == "accepted"


@pytest.mark.parametrize("sealer", [Sealer.of(SecretStr(new_key())), None], ids=["another key", "no key"])
def test_a_lost_key_is_told(visit: Lab, sealer: Sealer | None) -> None:
    planned = visit.remind()
    visit.sealer = sealer
    tally = visit.dispatch()
    row = visit.message(planned.id)
    assert (row["state"], row["reason"].partition(":")[0]) == ("skipped", "unusable")
    assert "MESSAGING_KEY" in row["reason"]
    assert tally.stopped == {("skipped", "unusable"): 1}


def test_a_body_that_another_release_has_sealed_stops_only_its_message(visit: Lab) -> None:
    assert visit.sealer is not None
    strange, fine = visit.remind(), visit.remind(key="reminder:other")
    body = visit.sealer.seal(b'{"content": {"type": "fax"}}', strange.key)
    visit.conn.execute("update messaging.messages set content = %s where id = %s", [body, strange.id])
    visit.dispatch()
    assert visit.message(strange.id)["reason"].startswith("unusable: ")
    assert visit.message(fine.id)["state"] == "accepted"


def test_a_patient_who_has_moved_is_written_to_at_the_new_address(visit: Lab) -> None:
    sender = Scripted()
    visit.senders["whatsapp"] = sender
    planned = visit.remind()
    visit.conn.execute("update clinic.patients set phone = '(21) 99999-8888' where id = %s", [PATIENT])
    visit.dispatch()
    row = visit.message(planned.id)
    assert sender.calls[0].to == "5521999998888"
    assert row["address_masked"] == "5521…8888"
    assert row["address_hash"] == visit.hasher.address("whatsapp", "5521999998888")


# --- how long it is of use


def test_a_message_for_next_month_is_not_too_old_by_then(lab: Lab) -> None:
    later = lab.moment + dt.timedelta(days=30)
    planned = lab.plan(lab.direct(due_at=later))[0]
    lab.moment = later
    assert [each.id for each in lab.claim("email").envelopes] == [planned.id]


def test_a_message_without_a_limit_has_one(lab: Lab) -> None:
    planned = lab.plan(lab.direct())[0]
    lab.moment += LONGEST_WAIT
    lab.claim("email")
    assert lab.message(planned.id)["state"] == "expired"


def test_a_clinics_own_number_sends_its_whatsapp_and_nothing_else(visit: Lab) -> None:
    visit.policy(CLINIC, whatsapp_account="clinic-7")
    planned = visit.remind(channel="whatsapp"), visit.remind(channel="email")
    assert [visit.message(each.id)["account"] for each in planned] == ["clinic-7", ""]


def test_a_clinic_that_names_the_common_number_has_none_of_its_own(visit: Lab) -> None:
    visit.policy(CLINIC, whatsapp_account="fisioflow")
    assert visit.message(visit.remind().id)["account"] == ""


def test_an_email_can_be_answered_where_the_clinic_says(visit: Lab) -> None:
    visit.policy(CLINIC, reply_to="recepcao@example.com", phone="(27) 3333-0000")
    visit.senders["email"] = sender = Scripted("email")
    visit.remind(channel="email")
    visit.dispatch()
    content = sender.calls[0].content
    assert isinstance(content, EmailContent)
    assert content.reply_to == "recepcao@example.com"
    assert "Responda a este e-mail" in str(content.html)


# --- a person's acts


def in_doubt(lab: Lab) -> int:
    """A message that waits to be repeated, because nobody knows how its call ended."""
    lab.senders["whatsapp"] = Scripted(answer=always(Ambiguous("timeout", "no answer")), repeats_safely=True)
    planned = lab.remind()
    lab.call()
    assert lab.message(planned.id)["state"] == "retry"
    return planned.id


def test_what_was_not_handed_over_can_be_stopped(visit: Lab) -> None:
    planned = visit.remind()
    assert cancel(visit.conn, [planned.id], who="ops", now=visit.moment) == {planned.id: "skipped"}
    row = visit.message(planned.id)
    assert (row["state"], row["reason"]) == ("skipped", "cancelled: by ops")
    visit.dispatch()
    assert not visit.files("whatsapp")


def test_what_may_have_been_sent_is_not_called_stopped(visit: Lab) -> None:
    id = in_doubt(visit)
    assert cancel(visit.conn, [id], who="ops", now=visit.moment) == {id: "unknown"}
    assert visit.message(id)["state"] == "unknown"


def test_what_was_sent_cannot_be_stopped(visit: Lab) -> None:
    planned = visit.remind()
    visit.dispatch()
    assert cancel(visit.conn, [planned.id], who="ops", now=visit.moment) == {}


def test_what_failed_is_sent_when_a_person_wants_it(visit: Lab) -> None:
    visit.senders["whatsapp"] = Scripted(answer=in_turn(Permanent("400", "no"), None))
    planned = visit.remind()
    visit.call()
    assert retry(visit.conn, [planned.id], now=visit.moment) == {planned.id: "planned"}
    visit.call()
    assert visit.path(planned.id) == ["planned", "claimed", "failed", "planned", "claimed", "accepted"]


def test_what_is_expired_is_sent_when_a_person_wants_it(lab: Lab) -> None:
    planned = lab.plan(lab.direct(not_after=lab.moment))[0]
    lab.claim("email")
    lab.pass_time(days=10)
    assert retry(lab.conn, [planned.id], now=lab.moment) == {planned.id: "planned"}
    assert [each.id for each in lab.claim("email").envelopes] == [planned.id]


def test_what_is_unknown_is_only_asked_about_once_more(visit: Lab) -> None:
    sender = Scripted(answer=always(Ambiguous("timeout", "no answer")), can_look_up=True)
    visit.senders["whatsapp"] = sender
    planned = visit.remind()
    visit.call()
    since = visit.moment
    visit.pass_time(hours=5)
    visit.conn.execute("update messaging.messages set due_at = 'infinity', looks = 6")
    assert retry(visit.conn, [planned.id], now=visit.moment) == {planned.id: "unknown"}
    sender.answer = accepted
    visit.dispatch()
    row = visit.message(planned.id)
    assert (row["state"], row["changed_at"], row["looks"]) == ("unknown", since, 1)
    assert (len(sender.calls), len(sender.looks)) == (1, 1)


@pytest.mark.parametrize(
    "act",
    [
        lambda lab, id: cancel(lab.conn, [id], who="x", now=lab.moment),
        lambda lab, id: retry(lab.conn, [id], now=lab.moment),
    ],
)
def test_what_is_being_sent_is_left_alone(visit: Lab, act: Callable[[Lab, int], Any]) -> None:
    planned = visit.remind()
    visit.claim()
    assert not act(visit, planned.id)
    assert visit.message(planned.id)["state"] == "claimed"
