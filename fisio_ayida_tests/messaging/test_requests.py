"""What apps ask for: an event becomes messages once; one that cannot has a reason, and stops nothing else."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fisio_ayida.defs.events.handlers import opened
from fisio_ayida.defs.resources import MirrorResource
from fisio_ayida.events.desk import attention
from fisio_ayida.events.registry import PROCESS
from fisio_ayida.events.work import Tally, drain
from fisio_ayida.messaging import requests
from fisio_ayida.messaging.letters import Letter
from fisio_ayida.messaging.model import EmailContent, MessagingError, PushContent, WhatsappContent
from fisio_ayida.messaging.sealing import Sealer, new_key
from fisio_ayida.settings import Settings
from fisio_ayida.telemetry import bind
from fisio_ayida_tests.events.lab import LOG
from fisio_ayida_tests.events.lab import Lab as Inbox
from fisio_ayida_tests.messaging.lab import CLINIC, MAIL, MORNING, PATIENT, PHONE, Lab
from fisio_ayida_tests.messaging.scripted import Scripted

NUMBER = "5511987654321"
TOKEN = "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]"  # noqa: S105  a device's address
NOTIFICATION: dict[str, Any] = {
    "userId": "user-1", "organizationId": CLINIC, "type": "email",
    "data": {"to": MAIL, "subject": "Sua senha", "body": "Abra o link."},
}  # fmt: skip
EMAIL: dict[str, Any] = {"to": MAIL, "subject": "Sua senha", "text": "Abra o link."}
WHATSAPP: dict[str, Any] = {"to": PHONE, "message": "Oi"}


def notification(type: str, **data: Any) -> dict[str, Any]:
    """One by this channel."""
    return {**NOTIFICATION, "type": type, "data": data}


def approved(name: str, data: dict[str, str]) -> dict[str, Any]:
    """A WhatsApp template, ours or Meta's."""
    return {"to": PHONE, "type": "template", "templateName": name, "templateData": data}


class Door:
    """The inbox, the handlers of the events, and the outbox behind them."""

    def __init__(self, lab: Lab, settings: Settings) -> None:
        self.lab, self.settings = lab, settings
        self.inbox = Inbox(lab.warehouse)
        self.inbox.moment = lab.moment
        lab.sealer = Sealer.of(settings.messaging_key)

    def send(self, name: str, data: dict[str, Any], id: str = "e1") -> None:
        """An event arrives."""
        self.inbox.send(name, data, id)

    def work(self) -> Tally:
        """A run handles what has arrived."""

        async def handle() -> Tally:
            resource = MirrorResource(self.settings)
            caller: Any = None  # of no use to messages
            async with opened({PROCESS}, resource, self.lab.warehouse, caller, bind(LOG)) as handlers:
                return await drain(self.inbox.worker(handlers), (PROCESS,), None, most=None)

        return asyncio.run(handle())

    def planned(self, *columns: str) -> list[Any]:
        """These columns of all messages, in order."""
        rows = self.lab.conn.execute(
            f"select {', '.join(columns)} from messaging.messages order by key"
        ).fetchall()
        return [row[0] if len(columns) == 1 else row for row in rows]


@pytest.fixture
def door(lab: Lab, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Door]:
    """With a key, unless the test says otherwise."""
    keys = {"MESSAGING_KEY": new_key()} if getattr(request, "param", True) else {}
    opened_door = Door(lab, Settings.load({"FISIO_AYIDA_HOME": str(settings.home), **keys}))
    yield opened_door
    opened_door.inbox.conn.close()


# --- from an event to what is sent


@pytest.mark.parametrize("door", [True, False], ids=["with a key", "without a key"], indirect=True)
@pytest.mark.parametrize(
    ("name", "data", "to", "content"),
    [
        ("notification/send", NOTIFICATION, MAIL, EmailContent(subject="Sua senha", text="Abra o link.")),
        ("notification/send", notification("push", to=TOKEN, body="Oi", subject="Aviso"),
         TOKEN, PushContent(title="Aviso", body="Oi")),
        ("notification/send", notification("whatsapp", to=PHONE, body="Oi"), NUMBER, WhatsappContent(text="Oi")),
        ("notification/send",
         notification("whatsapp", to=PHONE, body="", template="aprovado_v1", templateData={"2": "b", "1": "a"}),
         NUMBER, WhatsappContent(template_name="aprovado_v1", template_variables=("a", "b"))),
        ("email/send", {**EMAIL, "html": "<p>Abra</p>", "replyTo": "x@example.com", "tags": {"kind": "senha"}},
         MAIL, EmailContent(subject="Sua senha", text="Abra o link.", html="<p>Abra</p>", reply_to="x@example.com",
                            tags={"kind": "senha"})),
        ("whatsapp/send", WHATSAPP, NUMBER, WhatsappContent(text="Oi")),
        ("whatsapp/send", {**WHATSAPP, "type": "media", "mediaUrl": "https://x/1.pdf"},
         NUMBER, WhatsappContent(text="Oi", media_url="https://x/1.pdf")),
        ("whatsapp/send", approved("reply_confirmed", {"nome": "Ana", "hora": "14:00"}), NUMBER, None),
    ],
)  # fmt: skip
def test_what_an_app_asks_for_is_what_is_sent(
    door: Door, name: str, data: dict[str, Any], to: str, content: Any
) -> None:
    lab = door.lab
    senders = {channel: Scripted(channel) for channel in lab.senders}
    lab.senders.update(senders)
    door.send(name, data)
    assert door.work().ended == {(name, "done"): 1}
    lab.dispatch()
    (call,) = [call for sender in senders.values() for call in sender.calls]
    assert (call.to, call.content) == (to, content or call.content)
    if content is None:
        assert b"Ana" in msgspec.json.encode(call.content)
    assert (door.planned("content")[0] is None) == (door.settings.messaging_key is None)


def test_a_password_mail_goes_before_a_batch(door: Door) -> None:
    door.send("email/send", EMAIL, "one")
    door.send("email/send-batch", {"emails": [EMAIL]}, "many")
    door.send("notification/send", {**NOTIFICATION, "priority": "critical"}, "now")
    door.work()
    priorities = dict(door.planned("job", "priority"))
    assert priorities == {"notification/send": 30, "email/send": 20, "email/send-batch": 10}


def test_a_batch_is_as_many_messages(door: Door) -> None:
    lab = door.lab
    lab.senders["email"] = sender = Scripted("email")
    door.send("email/send-batch", {"emails": [{**EMAIL, "to": f"p{n}@example.com"} for n in range(3)]})
    door.work()
    lab.dispatch()
    assert sorted(call.to for call in sender.calls) == ["p0@example.com", "p1@example.com", "p2@example.com"]
    assert door.planned("key") == ["email:e1:0", "email:e1:1", "email:e1:2"]


def test_a_batch_of_notifications_is_of_one_clinic(door: Door) -> None:
    item = {key: value for key, value in NOTIFICATION.items() if key != "organizationId"}
    door.send("notification/send-batch", {"organizationId": CLINIC, "notifications": [item, item]})
    door.work()
    assert door.planned("organization_id", "user_id") == [(CLINIC, "user-1")] * 2


@pytest.mark.parametrize("door", [True, False], ids=["with a key", "without a key"], indirect=True)
def test_several_recipients_are_several_messages(door: Door) -> None:
    lab = door.lab
    lab.senders["email"] = sender = Scripted("email")
    two = {**EMAIL, "to": ["a@example.com", "b@example.com"]}
    door.send("email/send", two, "alone")
    door.send("email/send-batch", {"emails": [EMAIL, two]}, "batch")
    door.work()
    lab.dispatch()
    assert {call.key: call.to for call in sender.calls} == {
        "email:alone:0": "a@example.com", "email:alone:1": "b@example.com", "email:batch:0": MAIL,
        "email:batch:1.0": "a@example.com", "email:batch:1.1": "b@example.com",
    }  # fmt: skip


def test_the_same_event_twice_is_one_message(door: Door) -> None:
    door.send("email/send", EMAIL)
    door.send("email/send", {**EMAIL, "subject": "Outra"})
    door.work()
    door.send("email/send", EMAIL)
    door.work()
    assert len(door.planned("id")) == 1


def test_an_event_that_is_handled_again_plans_nothing_new(door: Door) -> None:
    door.send("email/send", EMAIL)
    door.work()
    door.lab.conn.execute("update events.inbox set state = 'retry', due_at = %s", [MORNING])
    assert door.work().ended == {("email/send", "done"): 1}
    assert door.lab.value("select result from events.inbox") == {"messages": door.planned("id"), "new": 0}


def test_the_outcome_names_the_messages(door: Door) -> None:
    door.send("whatsapp/send-batch", {"messages": [WHATSAPP, WHATSAPP]})
    door.work()
    assert door.lab.value("select result from events.inbox") == {"messages": door.planned("id"), "new": 2}


# --- what cannot be a message


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("email/send", {**EMAIL, "text": ""}, "html and text are both empty"),
        ("email/send", {**EMAIL, "subject": "Oi\r\nBcc: x@example.com"}, "subject has a line break in it"),
        ("email/send", {**EMAIL, "category": "care"}, "category='care' needs organizationId"),
        ("email/send", {**EMAIL, "notBefore": "soon"}, "notBefore='soon' is not an ISO 8601 moment"),
        ("email/send", {**EMAIL, "notAfter": "2026-03-12T13:00"}, "notAfter='2026-03-12T13:00' has no time zone"),
        ("email/send", {**EMAIL, "notBefore": "2026-03-13T00:00Z", "notAfter": "2026-03-12T00:00Z"},
         "notAfter='2026-03-12T00:00Z' must be after notBefore='2026-03-13T00:00Z'"),
        ("email/send-batch", {"emails": [{**EMAIL, "text": "", "to": [MAIL, MAIL]}, {**EMAIL, "text": ""}]},
         "emails[0].to[0]: html and text are both empty (and 2 others)"),
        ("whatsapp/send", {**WHATSAPP, "message": " "}, "message is empty"),
        ("whatsapp/send", {**WHATSAPP, "type": "template"}, "templateName is missing"),
        ("whatsapp/send", {**WHATSAPP, "type": "media"}, "mediaUrl is missing"),
        ("whatsapp/send-batch", {"messages": [approved("v1", {"nome": "x"})]},
         "messages[0]: templateData=['nome'] must have the numbers"),
        ("whatsapp/send", approved("v1", {"1": "x", "3": "y"}),
         "templateData=['1', '3'] must count from 1 without a gap"),
        ("whatsapp/send", approved("birthday", {}), "template birthday: nome is required and missing"),
        ("notification/send", notification("email", to=MAIL, body="Oi"), "data.subject is missing"),
        ("notification/send", notification("email", to=MAIL, body=" ", subject="Oi"), "data.body is empty"),
        ("notification/send", notification("email", to=MAIL, body="", template="senha"),
         "data.template='senha' is not a template"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_message_is_dead_with_its_reason(
    door: Door, name: str, data: dict[str, Any], reason: str
) -> None:
    door.send(name, data)
    door.send("email/send", EMAIL, "good")
    door.work()
    row = door.inbox.row("e1")
    assert (row.state, row.reason and reason in row.reason) == ("dead", True), row.reason
    assert len(door.planned("id")) == 1


def test_one_bad_item_of_a_batch_stops_no_other_and_is_told(door: Door) -> None:
    good, late = approved("birthday", {"nome": "Ana", "clinica": "C"}), {**WHATSAPP, "notBefore": "soon"}
    door.send("whatsapp/send-batch", {"messages": [WHATSAPP, late, approved("birthday", {}), good]})
    assert door.work().ended == {("whatsapp/send-batch", "done"): 1}
    assert door.planned("key") == ["whatsapp:e1:0", "whatsapp:e1:3"]
    result = door.lab.value("select result from events.inbox")
    assert result["messages"] == door.planned("id")
    first, second = result["refused"]
    assert first == "messages[1]: notBefore='soon' is not an ISO 8601 moment"
    assert second.startswith("messages[2]: whatsapp:e1:2: template birthday: nome is required")


def test_a_batch_that_was_done_in_part_is_shown_for_a_week(door: Door) -> None:
    door.send("email/send-batch", {"emails": [EMAIL, {**EMAIL, "text": ""}]})
    door.send("email/send", EMAIL, "all of it")
    door.work()
    [shown] = attention(door.lab.conn, MORNING + dt.timedelta(days=6)).in_part
    assert (shown.name, shown.events, shown.last_id) == ("email/send-batch", 1, "e1")
    assert shown.reason == "emails[1]: html and text are both empty"
    assert attention(door.lab.conn, MORNING + dt.timedelta(days=8)).in_part == ()


def test_an_event_without_recipients_never_gets_that_far(door: Door) -> None:
    door.send("email/send", {**EMAIL, "to": []})
    assert door.work().total() == 0
    assert door.inbox.row("e1").state == "dead"


# --- what a caller can bind it by


def test_a_direct_message_is_bound_by_nothing(door: Door) -> None:
    door.send("email/send", {**EMAIL, "organizationId": CLINIC, "patientId": PATIENT})
    door.work()
    assert door.planned("category", "heeds_quiet", "due_at", "patient_id") == [("direct", False, MORNING, PATIENT)]


def test_a_caller_may_name_a_category_and_a_window(door: Door) -> None:
    data = {
        **EMAIL, "organizationId": CLINIC, "category": "care", "quietHours": False,
        "notBefore": "2026-03-12T15:00-03:00", "notAfter": "2026-03-12T20:00:00Z",
    }  # fmt: skip
    door.send("email/send", data)
    door.work()
    hours = [dt.datetime(2026, 3, 12, hour, tzinfo=dt.UTC) for hour in (18, 20)]
    assert door.planned("category", "heeds_quiet", "due_at", "not_after") == [("care", False, *hours)]


def test_quiet_hours_bind_who_asks_for_them(door: Door) -> None:
    door.lab.moment = door.inbox.moment = dt.datetime(2026, 3, 13, 1, tzinfo=dt.UTC)
    door.send("email/send", {**EMAIL, "quietHours": True}, "asked")
    door.send("email/send", EMAIL, "not asked")
    door.work()
    door.lab.dispatch()
    assert sorted(door.planned("state")) == ["accepted", "deferred"]


# --- the letter again


def test_an_item_that_the_event_does_not_have_is_told() -> None:
    words = {"name": "email/send-batch", "data": {"emails": [EMAIL]}}
    assert isinstance(requests.letter("e1|0", words), Letter)
    with pytest.raises(MessagingError, match="no such item"):
        requests.letter("e1|1", words)


def test_an_event_that_asks_for_no_message_is_told() -> None:
    with pytest.raises(MessagingError, match="'patient/created' asks for no message"):
        requests.letter("e1|", {"name": "patient/created", "data": {}})


def test_what_a_batch_says_for_all_its_items_is_said_again() -> None:
    data = {"subject": "Para todos", "emails": [{"to": MAIL, "text": "Oi"}]}
    again = requests.letter("e1|0", {"name": "email/send-batch", "data": data})
    assert again.content == EmailContent(subject="Para todos", text="Oi")


@pytest.mark.parametrize("category", ["care", "marketing"])
def test_an_apps_own_mail_to_patients_offers_its_way_out_and_its_clinics_address(
    door: Door, category: str
) -> None:
    lab = door.lab
    lab.policy(marketing_basis="legitimate_interest", reply_to="recepcao@example.com")
    lab.senders["email"] = sender = Scripted("email")
    door.send("email/send", {**EMAIL, "organizationId": CLINIC, "category": category, "patientId": PATIENT})
    door.send("email/send", {**EMAIL, "organizationId": CLINIC}, "direct")
    door.work()
    lab.dispatch()
    told = {call.key: call.content for call in sender.calls}
    assert told["email:e1"].unsubscribe_url.startswith("http://")
    assert told["email:e1"].reply_to == "recepcao@example.com"
    assert told["email:direct"] == EmailContent(subject="Sua senha", text="Abra o link.")


@pytest.mark.parametrize("door", [False], ids=["without a key"], indirect=True)
def test_an_event_that_was_cleaned_up_leaves_nothing_to_say(door: Door) -> None:
    door.send("email/send", EMAIL, "gone")
    door.work()
    door.lab.conn.execute("delete from events.transitions")
    door.lab.conn.execute("delete from events.inbox")
    door.lab.dispatch()
    assert door.planned("state", "reason") == [("skipped", "stale: it no longer exists")]
