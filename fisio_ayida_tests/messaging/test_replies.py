"""Replies: matched to what was asked, acted on once, answered once; and an opt-out that holds."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from fisio_ayida.messaging import causes, inbound, preferences, replies
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.inbound import Desk
from fisio_ayida.messaging.model import Accepted, Cause, Channel, Draft, Envelope, Healthy, Result, WhatsappContent
from fisio_ayida.messaging.reports import evolution
from fisio_ayida_tests.messaging import said
from fisio_ayida_tests.messaging.lab import CLINIC, PATIENT, VISIT, Lab

ONE, TWO = "2026-03-13T14:00", "2026-03-14T09:00"
CONFIRMED = ("presenca_confirmada", "whatsapp")


@dataclass
class Phone:
    """WhatsApp that takes everything, and a patient who answers."""

    lab: Lab
    provider: str = "evolution"
    channel: Channel = "whatsapp"
    repeats_safely: bool = False
    repeat_within: dt.timedelta = dt.timedelta(0)
    can_look_up: bool = False
    sent: list[Envelope] = field(default_factory=list)
    received: int = 0

    async def send(self, envelope: Envelope) -> Result:
        self.sent.append(envelope)
        return Accepted(f"OUT-{envelope.id}")

    async def look_up(self, envelope: Envelope) -> Accepted | None:
        raise AssertionError(envelope.id)

    async def health(self, account: str) -> Healthy:
        return Healthy()

    @property
    def texts(self) -> list[str]:
        """What has arrived at the patient's."""
        found = []
        for envelope in self.sent:
            assert isinstance(envelope.content, WhatsappContent)
            found.append(envelope.content.text or "")
        return found

    def asked(self, visit: str = VISIT, start: str = ONE, **changes: Any) -> int:
        """The clinic reminds of a visit; gives the message."""
        self.lab.visit(visit, start, patient=changes.get("patient_id", PATIENT))
        return self.sends(self.lab.reminder(visit, **changes))

    def sends(self, draft: Draft) -> int:
        (planned,) = self.lab.plan(draft)
        self.lab.dispatch()
        assert self.lab.message(planned.id)["state"] == "accepted"
        return planned.id

    def says(self, words: str, quoting: int | None = None, **body: Any) -> int:
        """The patient writes, and it is acted on; gives the reply."""
        id = self.writes(words, quoting, **body)
        replies.act(self.lab.conn, outbox=self.lab.outbox, clinic=self.lab.door, now=self.lab.moment)
        return id

    def writes(self, words: str, quoting: int | None = None, **body: Any) -> int:
        """The patient writes."""
        self.lab.pass_time(minutes=1)
        self.received += 1
        body = {"key_id": f"IN-{self.received}", "at": self.lab.moment, **body}
        quoted = None if quoting is None else f"OUT-{quoting}"
        store(self.lab, said.upsert(words, quoted=quoted, **body))
        return int(self.lab.value("select max(id) from messaging.replies"))

    def answer(self, reply: int) -> str | None:
        """What this reply is answered with."""
        found = self.lab.value("select template from messaging.messages where key = %s", f"reply:{reply}:whatsapp")
        return None if found is None else str(found)


def store(lab: Lab, body: bytes) -> None:
    desk = Desk(lab.hasher, lab.sealer, {"evolution": "fisioflow"})
    with lab.conn.transaction():
        inbound.store(lab.conn, evolution.read(body).inbound, desk, now=lab.moment)


@pytest.fixture
def phone(lab: Lab) -> Iterator[Phone]:
    found = Phone(lab)
    lab.senders["whatsapp"] = found
    yield found


def appointment(lab: Lab, id: str = VISIT) -> tuple[str, str | None]:
    row = lab.row("select status, confirmed_via from clinic.appointments where id = %s", id)
    return row["status"], row["confirmed_via"]


def outcome(lab: Lab, reply: int) -> str:
    return str(lab.row("select outcome from messaging.replies where id = %s", reply)["outcome"])


def tasks(lab: Lab) -> list[tuple[Any, ...]]:
    query = "select kind, organization_id, patient_id, appointment_id from messaging.tasks order by id"
    return lab.conn.execute(query).fetchall()


# --- a visit


@pytest.mark.parametrize("quotes", [True, False])
def test_one_confirms_the_visit_that_was_asked_about(phone: Phone, lab: Lab, quotes: bool) -> None:
    asked = phone.asked()
    reply = phone.says("1", asked if quotes else None)
    assert appointment(lab) == CONFIRMED
    assert lab.value("select confirmed_at from clinic.appointments") == lab.moment
    row = lab.row("select * from messaging.replies")
    assert (row["outcome"], row["message_id"], row["intent"], row["score"]) == (
        "confirmed",
        asked,
        "confirm",
        None,
    )
    answer = lab.row("select * from messaging.messages where key = %s", f"reply:{reply}:whatsapp")
    assert (answer["template"], answer["category"], answer["organization_id"], answer["patient_id"]) == (
        "reply_confirmed", "direct", CLINIC, PATIENT,
    )  # fmt: skip
    lab.dispatch()
    assert "Presença confirmada, Ana" in phone.texts[-1] and "13/03/2026 às 14:00" in phone.texts[-1]
    assert not tasks(lab)


def test_a_clinic_that_names_the_common_number_is_answered_through_it(phone: Phone, lab: Lab) -> None:
    lab.policy(whatsapp_account="fisioflow")
    phone.asked()
    phone.says("1")
    assert appointment(lab) == CONFIRMED


def test_the_answer_goes_to_who_wrote_whatever_the_patients_number_is_now(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    lab.conn.execute("update clinic.patients set phone = '+55 21 99999-8888'")
    phone.says("1", asked)
    lab.dispatch()
    assert [envelope.to for envelope in phone.sent] == [said.NUMBER, said.NUMBER]


def test_without_a_key_an_answer_is_made_again_from_the_reply(phone: Phone, lab: Lab) -> None:
    lab.sealer = None
    phone.asked()
    phone.says("sim")
    assert lab.value("select body from messaging.replies") is None
    lab.dispatch()
    assert "Presença confirmada, Ana" in phone.texts[-1]


def test_who_is_confirmed_already_is_told_so_again(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    lab.visit(VISIT, ONE, status="confirmado")
    reply = phone.says("👍🏽", asked)
    assert appointment(lab) == ("confirmado", None)
    assert phone.answer(reply) == "reply_confirmed"
    assert not tasks(lab)


@pytest.mark.parametrize(
    "change",
    [
        {"start": "2026-03-12T09:00"},
        {"status": "cancelado"},
        {"start": "2026-03-13T16:00"},
        {"status": "atendido"},
    ],
)
def test_a_visit_that_is_past_off_or_moved_is_for_the_reception(
    phone: Phone, lab: Lab, change: dict[str, str]
) -> None:
    asked = phone.asked()
    lab.visit(VISIT, **({"start": ONE} | change))
    before = appointment(lab)
    reply = phone.says("1", asked)
    assert appointment(lab) == before
    assert tasks(lab) == [("reply", CLINIC, PATIENT, VISIT)]
    assert (phone.answer(reply), outcome(lab, reply)) == (None, "staff")


def test_a_visit_that_is_another_patients_by_now_is_not_confirmed(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    lab.patient("patient-2")
    lab.conn.execute("update clinic.appointments set patient_id = 'patient-2'")
    reply = phone.says("1", asked)
    assert appointment(lab) == ("agendado", None)
    assert (phone.answer(reply), outcome(lab, reply)) == (None, "staff")


def test_the_hour_of_a_visit_that_is_another_patients_by_now_is_not_told(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    reply = phone.says("1", asked)
    lab.patient("patient-2")
    lab.conn.execute("update clinic.appointments set patient_id = 'patient-2'")
    about = ("reply", str(reply))
    found = causes.read(lab.conn, {about: CLINIC}, now=lab.moment, clinic=lab.door)[about]
    assert found.variables.keys() == {"nome", "clinica"}


@pytest.mark.parametrize("words", ["2", "Não posso", "remarcar"])
def test_two_asks_the_reception_and_keeps_the_hour(phone: Phone, lab: Lab, words: str) -> None:
    asked = phone.asked()
    reply = phone.says(words)
    assert appointment(lab) == ("agendado", None)
    assert tasks(lab) == [("reschedule", CLINIC, PATIENT, VISIT)]
    assert (phone.answer(reply), outcome(lab, reply)) == ("reply_reschedule", "reschedule")
    assert lab.value("select message_id from messaging.replies") == asked


def test_several_visits_of_a_day_are_confirmed_together(phone: Phone, lab: Lab) -> None:
    lab.visit("v-1", "2026-03-13T09:00")
    lab.visit("v-2", "2026-03-13T15:00")
    phone.sends(Draft(
        key="reminder-day:p:whatsapp", job="test", channel="whatsapp", category="transactional",
        organization_id=CLINIC, patient_id=PATIENT, template="appointment_reminder_multi",
        variables={"nome": "Ana", "clinica": "C", "data": "2026-03-13", "visitas": [{"hora": "09:00"}]},
        cause=Cause("appointments", "v-1,v-2", "2026-03-13T09:00,2026-03-13T15:00"),
    ))  # fmt: skip
    lab.visit("v-2", "2026-03-13T15:00", status="cancelado")
    reply = phone.says("1")
    assert (appointment(lab, "v-1"), appointment(lab, "v-2")) == (CONFIRMED, ("cancelado", None))
    assert phone.answer(reply) == "reply_confirmed"
    assert tasks(lab) == [("reply", CLINIC, PATIENT, "v-2")]


def test_with_two_open_visits_it_asks_which_once_and_a_quotation_tells(phone: Phone, lab: Lab) -> None:
    phone.asked()
    second = phone.asked("visit-2", TWO)
    reply = phone.says("1")
    assert (phone.answer(reply), outcome(lab, reply)) == ("reply_which", "asked_which")
    assert appointment(lab) == appointment(lab, "visit-2") == ("agendado", None)
    again = phone.says("1")
    assert (phone.answer(again), outcome(lab, again)) == (None, "staff")
    phone.says("1", second)
    assert (appointment(lab), appointment(lab, "visit-2")) == (("agendado", None), CONFIRMED)
    # The other one is the only one left.
    phone.says("1")
    assert appointment(lab) == CONFIRMED


def test_a_second_reminder_of_the_same_visit_is_the_same_question(phone: Phone, lab: Lab) -> None:
    phone.asked()
    phone.asked(key="reminder:again:whatsapp", template="appointment_reminder_today")
    reply = phone.says("1")
    assert (appointment(lab), outcome(lab, reply)) == (CONFIRMED, "confirmed")
    assert outcome(lab, phone.says("1")) == "staff"


def test_yesterdays_visit_is_not_what_is_meant(phone: Phone, lab: Lab) -> None:
    phone.asked("visit-0", "2026-03-12T15:00")
    lab.pass_time(hours=12)
    phone.asked(VISIT, ONE, heeds_quiet=False)
    phone.says("1")
    assert appointment(lab, "visit-0") == ("agendado", None)
    assert appointment(lab) == CONFIRMED


def test_two_patients_with_one_phone_are_told_apart_by_the_appointment(phone: Phone, lab: Lab) -> None:
    lab.patient("patient-2", name="Bento Souza")
    phone.asked()
    second = phone.asked("visit-2", TWO, patient_id="patient-2", key="k-2")
    reply = phone.says("sim")
    assert phone.answer(reply) == "reply_which"
    phone.says("sim", second)
    assert (appointment(lab), appointment(lab, "visit-2")) == (("agendado", None), CONFIRMED)
    lab.dispatch()
    assert "Bento" in phone.texts[-1]


def test_a_clinic_is_answered_at_its_own_number(phone: Phone, lab: Lab) -> None:
    lab.clinic("org-2", "Outra", whatsapp_account="other")
    lab.patient("patient-2", "org-2")
    lab.visit("visit-2", TWO, "patient-2", "org-2")
    phone.asked()
    phone.sends(lab.reminder("visit-2"))
    phone.says("1", instance="other")
    assert (appointment(lab), appointment(lab, "visit-2")) == (("agendado", None), CONFIRMED)


def test_a_question_is_open_for_72_hours(phone: Phone, lab: Lab) -> None:
    phone.asked(start="2026-03-18T14:00")
    lab.pass_time(hours=72)
    reply = phone.says("1")
    assert (appointment(lab), outcome(lab, reply)) == (("agendado", None), "staff")


def test_what_was_written_before_the_question_does_not_answer_it(phone: Phone, lab: Lab) -> None:
    phone.asked()
    reply = phone.says("1", at=lab.moment - dt.timedelta(hours=1))
    assert (appointment(lab), outcome(lab, reply)) == (("agendado", None), "staff")


def test_a_quoted_message_of_somebody_else_is_for_people(phone: Phone, lab: Lab) -> None:
    phone.asked()
    store(lab, said.upsert("sim", quoted="BY-HAND", at=lab.moment))
    replies.act(lab.conn, outbox=lab.outbox, clinic=lab.door, now=lab.moment)
    assert appointment(lab) == ("agendado", None)
    assert len(tasks(lab)) == 1


def test_who_quotes_our_answer_speaks_of_what_was_asked(phone: Phone, lab: Lab) -> None:
    phone.asked()
    reply = phone.says("cancelar")
    lab.dispatch()
    phone.says("1", lab.message(f"reply:{reply}:whatsapp")["id"])
    assert appointment(lab) == CONFIRMED


def test_a_button_confirms(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    phone.says("", asked, message={"buttonsResponseMessage": {"selectedButtonId": "confirm_appt_x"}})
    assert appointment(lab) == CONFIRMED


def test_a_reply_is_acted_on_once_however_often_it_comes(phone: Phone, lab: Lab) -> None:
    phone.asked()
    for _ in range(3):
        phone.says("2", key_id="IN-1")
    assert len(tasks(lab)) == 1
    assert lab.value("select count(*) from messaging.messages where template = 'reply_reschedule'") == 1


def test_many_actors_act_once_on_each_reply_and_in_order(phone: Phone, lab: Lab) -> None:
    phone.asked()
    for turn in range(12):
        phone.writes("PARAR" if turn % 2 == 0 else "VOLTAR")

    def actor() -> None:
        with lab.warehouse.connect(autocommit=True) as conn:
            replies.act(conn, outbox=lab.outbox, clinic=lab.door, now=lab.moment)

    threads = [threading.Thread(target=actor) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    words = lab.conn.execute("select allowed from messaging.preferences order by id").fetchall()
    assert [allowed for (allowed,) in words] == [False, True] * 6


# --- scores and the rest


def feedback() -> Draft:
    return Draft(
        key="feedback:v:whatsapp", job="test", channel="whatsapp", category="care", organization_id=CLINIC,
        patient_id=PATIENT, template="feedback_request", variables={"nome": "Ana", "clinica": "C"},
        cause=Cause("visit", "visit-0"),
    )  # fmt: skip


def test_a_number_is_a_score_where_a_score_was_asked_for(phone: Phone, lab: Lab) -> None:
    lab.visit("visit-0", "2026-03-12T08:00", status="atendido")
    asked = phone.sends(feedback())
    phone.says("1")
    row = lab.row("select * from messaging.replies")
    assert (row["outcome"], row["intent"], row["score"], row["message_id"]) == ("score", "score", 1, asked)
    assert not tasks(lab)


def test_the_only_question_that_an_answer_fits_is_meant(phone: Phone, lab: Lab) -> None:
    lab.visit("visit-0", "2026-03-12T08:00", status="atendido")
    phone.asked()
    phone.sends(feedback())
    assert outcome(lab, phone.says("1")) == "asked_which"
    phone.says("9, adorei")
    phone.says("1")
    assert lab.conn.execute("select outcome, score from messaging.replies order by id").fetchall() == [
        ("asked_which", None), ("score", 9), ("confirmed", None),
    ]  # fmt: skip


def test_a_number_where_none_was_asked_for_is_no_score(phone: Phone, lab: Lab) -> None:
    phone.asked()
    reply = phone.says("7")
    assert outcome(lab, reply) == "staff"
    assert lab.value("select score from messaging.replies") is None


def test_anything_else_is_for_people_and_gets_no_answer(phone: Phone, lab: Lab) -> None:
    phone.asked()
    reply = phone.says("Quanto custa a sessão?")
    assert (phone.answer(reply), outcome(lab, reply)) == (None, "staff")
    assert tasks(lab) == [("reply", CLINIC, PATIENT, VISIT)]


def test_cancel_alone_asks_back_once_in_three_days(phone: Phone, lab: Lab) -> None:
    phone.asked()
    assert phone.answer(phone.says("Cancelar")) == "reply_ambiguous"
    assert phone.answer(phone.says("cancelar!")) is None
    assert len(tasks(lab)) == 1
    lab.pass_time(hours=73)
    assert phone.answer(phone.says("cancelar")) == "reply_ambiguous"


def test_a_stranger_is_for_people(phone: Phone, lab: Lab) -> None:
    reply = phone.says("Oi, quero agendar", jid="5521988887777@s.whatsapp.net")
    assert outcome(lab, reply) == "staff"
    assert tasks(lab) == [("reply", "", None, None)]


def test_a_clinics_own_number_tells_whose_stranger_it_is(phone: Phone, lab: Lab) -> None:
    lab.clinic("org-2", "Outra", whatsapp_account="other")
    phone.says("Oi", jid="5521988887777@s.whatsapp.net", instance="other")
    assert tasks(lab) == [("reply", "org-2", None, None)]


def test_a_clinics_fault_is_for_people_and_holds_up_nobody(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    lab.conn.execute(
        "create function pg_temp.no() returns trigger language plpgsql as "
        "$$ begin raise exception 'the schedule is closed'; end $$; "
        "create trigger no before update on clinic.appointments for each row execute function pg_temp.no()"
    )
    try:
        broken = phone.says("1", asked)
    finally:
        lab.conn.execute("drop trigger no on clinic.appointments")
    assert outcome(lab, broken) == "staff: RaiseException"
    assert len(tasks(lab)) == 1
    phone.says("2", asked)
    assert len(tasks(lab)) == 2


# --- permissions


@pytest.mark.parametrize("words", ["PARAR", "sair", "Stop!", "cancelar mensagens"])
def test_an_opt_out_makes_the_round_trip(phone: Phone, lab: Lab, words: str) -> None:
    phone.asked()
    lab.visit("visit-2", TWO)
    waiting = lab.remind("visit-2", due_at=lab.moment + dt.timedelta(hours=1))
    reply = phone.says(words)
    row = lab.row("select * from messaging.preferences")
    assert (row["organization_id"], row["channel"], row["category"], row["allowed"]) == (
        CLINIC, "whatsapp", "all", False,
    )  # fmt: skip
    assert (row["source"], row["evidence"], row["at"]) == ("reply", f"reply:{reply}", lab.moment)
    lab.pass_time(hours=1)
    lab.dispatch()
    assert lab.message(waiting.id)["reason"].startswith("opted_out_channel")
    assert "você não receberá mais mensagens automáticas" in phone.texts[-1]
    assert len(phone.sent) == 2


def test_an_opt_out_that_arrives_with_a_claim_comes_first(phone: Phone, lab: Lab) -> None:
    phone.asked()
    lab.visit("visit-2", TWO)
    waiting = lab.remind("visit-2")
    phone.writes("PARAR")
    lab.dispatch()
    assert lab.message(waiting.id)["state"] == "skipped"


def test_back_in_again(phone: Phone, lab: Lab) -> None:
    phone.asked()
    phone.says("PARAR")
    reply = phone.says("voltar")
    assert (phone.answer(reply), outcome(lab, reply)) == ("reply_opt_in", "opted_in")
    lab.visit("visit-2", TWO)
    again = lab.remind("visit-2")
    lab.dispatch()
    assert lab.message(again.id)["state"] == "accepted"


def test_the_later_word_counts_even_if_it_arrives_first(phone: Phone, lab: Lab) -> None:
    phone.asked()
    phone.says("PARAR")
    said_first = lab.moment + dt.timedelta(seconds=30)
    phone.says("VOLTAR")
    phone.says("PARAR", at=said_first)
    lab.visit("visit-2", TWO)
    again = lab.remind("visit-2")
    lab.dispatch()
    assert lab.message(again.id)["state"] == "accepted"


def test_back_without_an_opt_out_is_about_something_else(phone: Phone, lab: Lab) -> None:
    phone.asked()
    reply = phone.says("voltar")
    assert (phone.answer(reply), outcome(lab, reply)) == (None, "staff")
    assert lab.value("select count(*) from messaging.preferences") == 0


def test_it_stops_every_clinic_that_writes_from_this_number(phone: Phone, lab: Lab) -> None:
    lab.clinic("org-2", "Outra")
    lab.patient("patient-2", "org-2")
    lab.visit("visit-2", TWO, "patient-2", "org-2")
    phone.asked()
    phone.sends(lab.reminder("visit-2"))
    phone.says("parar")
    clinics = lab.conn.execute("select organization_id from messaging.preferences order by 1").fetchall()
    assert clinics == [("org-1",), ("org-2",)]
    assert lab.value("select count(*) from messaging.messages where template = 'reply_opt_out'") == 1


def test_a_stranger_who_says_stop_is_heard_by_all(phone: Phone, lab: Lab) -> None:
    reply = phone.says("parar")
    row = lab.row("select * from messaging.preferences")
    assert (row["organization_id"], row["address_hash"]) == ("", lab.hasher.address("whatsapp", said.NUMBER))
    assert phone.answer(reply) == "reply_opt_out"
    lab.visit()
    planned = lab.remind()
    lab.dispatch()
    assert lab.message(planned.id)["reason"].startswith("opted_out_channel")


def test_the_old_form_of_a_number_is_the_same_number(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    phone.says("PARAR", jid="551187654321@s.whatsapp.net")
    assert lab.value("select count(*) from messaging.preferences p join messaging.messages m using (address_hash) "
                     "where m.id = %s", asked) == 1  # fmt: skip


def test_a_hidden_number_opts_out_by_its_quotation_and_else_asks_a_person(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    hidden = "103899771998284@lid"
    assert outcome(lab, phone.says("PARAR", jid=hidden)) == "staff: hidden number"
    assert len(tasks(lab)) == 1
    phone.says("PARAR", asked, jid=hidden)
    assert lab.value("select address_hash from messaging.preferences") == lab.message(asked)["address_hash"]
    assert phone.says("1", asked, jid=hidden) and appointment(lab) == CONFIRMED


def test_a_hidden_number_that_has_once_quoted_us_is_known(phone: Phone, lab: Lab) -> None:
    asked = phone.asked()
    hidden = "103899771998284@lid"
    phone.says("1", asked, jid=hidden)
    assert outcome(lab, phone.says("PARAR", jid=hidden)) == "opted_out"
    assert lab.value("select address_hash from messaging.preferences") == lab.message(asked)["address_hash"]


def test_an_opt_out_that_cannot_be_stored_waits_and_stops_the_sending(phone: Phone, lab: Lab) -> None:
    phone.asked()
    lab.visit("visit-2", TWO)
    waiting = lab.remind("visit-2")
    reply = phone.writes("PARAR")
    lab.conn.execute("alter table messaging.preferences add constraint no check (evidence = '') not valid")
    try:
        assert asyncio.run(dispatch(lab.dispatcher())).faults
    finally:
        lab.conn.execute("alter table messaging.preferences drop constraint no")
    assert lab.row("select handled_at from messaging.replies where id = %s", reply)["handled_at"] is None
    assert lab.message(waiting.id)["state"] == "planned"
    lab.dispatch()
    assert lab.message(waiting.id)["state"] == "skipped"


def test_an_opt_out_that_cannot_be_answered_holds(phone: Phone, lab: Lab) -> None:
    lab.sealer = None
    reply = phone.says("PARAR")
    assert outcome(lab, reply) == "opted_out: not answered"
    assert lab.value("select count(*) from messaging.preferences") == 1


def test_who_writes_has_whatsapp(phone: Phone, lab: Lab) -> None:
    address = lab.hasher.address("whatsapp", said.NUMBER)
    preferences.suppress(
        lab.conn, channel="whatsapp", address_hash=address, reason="not_on_whatsapp", evidence="x", at=lab.moment
    )
    phone.says("oi")
    assert lab.value("select count(*) from messaging.suppressions") == 0


# --- what is kept


def test_words_and_numbers_are_sealed(phone: Phone, lab: Lab) -> None:
    phone.asked()
    phone.says(said.WORDS)
    row = lab.row("select *, r::text as whole from messaging.replies r")
    assert not [canary for canary in said.CANARIES if canary in row["whole"]]
    assert said.WORDS.encode() not in bytes(row["body"])
    assert row["address_masked"] == "5511…4321"
    words = inbound.words(lab.sealer, "evolution", row["provider_id"], row["body"])
    assert words is not None and (words.text, words.sender) == (said.WORDS, f"+{said.NUMBER}")
    assert inbound.words(lab.sealer, "evolution", "another", row["body"]) is None


def test_words_that_another_release_has_sealed_are_no_words(lab: Lab) -> None:
    assert lab.sealer is not None
    body = lab.sealer.seal(b'{"voice": 1}', "reply:evolution:IN-1")
    assert inbound.words(lab.sealer, "evolution", "IN-1", body) is None
