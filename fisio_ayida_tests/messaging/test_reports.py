"""Reading webhooks: what each says, and that nothing of a person stays in what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging.reports import evolution, meta, resend
from fisio_ayida.messaging.reports.reading import Delivery
from fisio_ayida_tests.messaging import said

READERS: list[Callable[[bytes], Delivery]] = [lambda body: resend.read(body, "msg_1"), evolution.read, meta.read]


@pytest.mark.parametrize(
    ("kind", "data", "status", "suppress", "code"),
    [
        ("email.sent", {}, "accepted", None, None),
        ("email.delivered", {}, "delivered", None, None),
        ("email.opened", {}, "read", None, None),
        ("email.clicked", {"click": {"link": "https://canary"}}, "read", None, None),
        ("email.complained", {}, "delivered", "complaint", None),
        ("email.bounced", {"bounce": {"type": "Permanent", "subType": "General", "message": said.WORDS}},
         "failed", "bounce", "bounced.Permanent.General"),
        ("email.bounced", {"bounce": {"type": "Transient", "subType": "MailboxFull"}},
         "failed", None, "bounced.Transient.MailboxFull"),
        ("email.bounced", {}, "failed", "bounce", "bounced"),
        ("email.suppressed", {"suppressed": {"type": "OnAccountSuppressionList", "message": said.WORDS}},
         "failed", "suppressed", "suppressed.OnAccountSuppressionList"),
        ("email.failed", {"failed": {"reason": "reached_daily_quota"}},
         "failed", None, "failed.reached_daily_quota"),
        ("email.delivery_delayed", {}, None, None, None),
        ("email.scheduled", {}, None, None, None),
        ("contact.created", {}, None, None, None),
        ("email.received", {}, None, None, None),
    ],
)  # fmt: skip
def test_resend(
    kind: str, data: dict[str, Any], status: str | None, suppress: str | None, code: str | None
) -> None:
    (report,) = resend.read(said.resend(kind, tag="17", **data), "msg_1").reports
    assert (report.event_id, report.kind, report.status) == ("msg_1", kind, status)
    assert (report.suppress, report.error_code) == (suppress, code)


def test_resends_tag_and_time_are_read() -> None:
    (report,) = resend.read(said.resend("email.sent", tag="17"), "msg_1").reports
    assert (report.message_id, report.provider_id, report.provider_at) == (17, "e-1", said.AT)
    listed = json.loads(said.resend("email.sent"))
    listed["data"]["tags"] = [{"name": "message", "value": "18"}]
    assert resend.read(said.encoded(listed), "msg_1").reports[0].message_id == 18


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ERROR", "failed"), ("PENDING", None), ("SERVER_ACK", "accepted"), ("DELIVERY_ACK", "delivered"),
        ("READ", "read"), ("PLAYED", "read"), ("SENT", "accepted"), ("DELIVERED", "delivered"),
        ("FAILED", "failed"),
        ("DELETED", None), (4, None),
    ],
)  # fmt: skip
def test_evolutions_words(word: Any, status: str | None) -> None:
    (report,) = evolution.read(said.update(word)).reports
    assert (report.kind, report.status, report.provider_id) == ("messages.update", status, "KEY-1")


def test_a_receipt_of_what_somebody_wrote_to_us_is_no_news_of_ours() -> None:
    (report,) = evolution.read(said.update("READ", from_me=False)).reports
    assert report.status is None


def test_the_same_update_has_the_same_id_and_another_one_another() -> None:
    ids = [evolution.read(said.update(word)).reports[0].event_id for word in ("READ", "READ", "PLAYED")]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("body", "text", "button", "quoted"),
    [
        (said.upsert("1", quoted="Q"), "1", None, "Q"),
        (said.upsert(message={"extendedTextMessage": {"text": "sim", "contextInfo": {"stanzaId": "Q"}}}),
         "sim", None, "Q"),
        (said.upsert(message={"ephemeralMessage": {"message": {"conversation": "sim"}}}), "sim", None, None),
        (said.upsert(message={"reactionMessage": {"key": {"id": "Q"}, "text": "👍"}}), "👍", None, "Q"),
        (said.upsert(message={"buttonsResponseMessage": {
            "selectedButtonId": "confirm_appt_7", "selectedDisplayText": "Confirmar",
            "contextInfo": {"stanzaId": "Q"},
        }}), "Confirmar", "confirm_appt_7", "Q"),
        (said.upsert(message={"audioMessage": {"seconds": 3}}), "", None, None),
    ],
)  # fmt: skip
def test_what_somebody_writes_on_evolution(body: bytes, text: str, button: str | None, quoted: str | None) -> None:
    told = evolution.read(body)
    (inbound,) = told.inbound
    assert not told.reports
    assert (inbound.sender, inbound.account, inbound.provider_id) == (said.NUMBER, "fisioflow", "IN-1")
    assert (inbound.text, inbound.button, inbound.quoted_id, inbound.sent_at) == (text, button, quoted, said.AT)


@pytest.mark.parametrize(
    "body",
    [
        said.upsert(from_me=True),
        said.upsert(jid="120363041234567890@g.us", senderPn=f"{said.NUMBER}@s.whatsapp.net"),
        said.upsert(jid="status@broadcast"),
        said.upsert(key_id=""),
        said.upsert(message={"protocolMessage": {"type": "REVOKE"}}),
        said.upsert(message={"reactionMessage": {"key": {"id": "Q"}, "text": ""}}),
    ],
)
def test_what_is_nobodys_answer_is_only_noted(body: bytes) -> None:
    told = evolution.read(body)
    assert not told.inbound
    assert [report.status for report in told.reports] == [None]


def test_a_hidden_number_is_found_where_it_may_be() -> None:
    hidden = "103899771998284@lid"
    for place in ("remoteJidAlt", "senderPn"):
        (inbound,) = evolution.read(said.upsert(jid=hidden, **{place: f"{said.NUMBER}@s.whatsapp.net"})).inbound
        assert (inbound.sender, inbound.alias) == (said.NUMBER, hidden)
    (inbound,) = evolution.read(said.upsert(jid=hidden)).inbound
    assert (inbound.sender, inbound.alias) == ("", hidden)


def test_metas_statuses() -> None:
    body = said.meta(
        statuses=[
            said.status("sent", key="reminder:a:b"), said.status("delivered"), said.status("read"),
            said.status("failed", code=131026), said.status("failed", "wamid.2", code=131050),
            said.status("failed", "wamid.3", code=131047), said.status("warning"),
        ]
    )  # fmt: skip
    found = meta.read(body).reports
    assert [report.status for report in found] == [
        "accepted", "delivered", "read", "failed", "failed", "failed", None,
    ]  # fmt: skip
    assert [report.suppress for report in found[3:6]] == ["not_on_whatsapp", "marketing_stopped", None]
    assert (found[0].message_key, found[0].provider_at, found[3].error_code) == (
        "reminder:a:b", said.AT, "meta_131026",
    )  # fmt: skip
    assert len({report.event_id for report in found}) == 7


@pytest.mark.parametrize(
    ("sent", "text", "button", "quoted"),
    [
        (said.message("text", {"body": "2"}), "2", None, None),
        (said.message("button", {"payload": "confirm_appt_7", "text": "Confirmar"}, quoted="Q"),
         "Confirmar", "confirm_appt_7", "Q"),
        (said.message("interactive", {"type": "button_reply", "button_reply": {"id": "x", "title": "Sim"}}),
         "Sim", "x", None),
        (said.message("reaction", {"message_id": "Q", "emoji": "👍"}), "👍", None, "Q"),
        (said.message("image", {"id": "7", "caption": "sim"}), "sim", None, None),
    ],
)  # fmt: skip
def test_what_somebody_writes_on_meta(
    sent: dict[str, Any], text: str, button: str | None, quoted: str | None
) -> None:
    (inbound,) = meta.read(said.meta(messages=[sent])).inbound
    assert (inbound.sender, inbound.account, inbound.sent_at) == (said.NUMBER, "1055", said.AT)
    assert (inbound.text, inbound.button, inbound.quoted_id) == (text, button, quoted)


@pytest.mark.parametrize(
    "told",
    [
        *(resend.read(said.resend(kind, tag=said.WORDS, bounce={"type": said.ADDRESS, "subType": said.NUMBER}), "")
          for kind in ("email.sent", "email.bounced", "email.received", "email.failed", said.ADDRESS)),
        *(evolution.read(body) for body in (
            said.update("READ"), said.update(said.ADDRESS), said.update(said.NUMBER, said.NUMBER),
            said.upsert(from_me=True), said.upsert(jid="status@broadcast"),
        )),
        meta.read(said.meta(statuses=[said.status("failed", code=131026), said.status(said.ADDRESS)])),
        meta.read(said.meta()),
        *(read(said.WORDS.encode()) for read in READERS),
    ],
)  # fmt: skip
def test_nothing_of_a_person_is_kept_of_a_report(told: Delivery) -> None:
    assert told.reports
    for report in told.reports:
        kept = msgspec.json.encode(
            [report.body, report.kind, report.error_code, report.provider_id, report.event_id]
        ).decode()
        assert not [canary for canary in said.CANARIES if canary in kept], kept
        assert said.ADDRESS not in repr(report)


def test_nothing_of_a_person_is_in_the_repr_of_what_she_wrote() -> None:
    for told in (
        evolution.read(said.upsert()),
        meta.read(said.meta(messages=[said.message("text", {"body": said.WORDS})])),
    ):
        assert not [canary for canary in said.CANARIES if canary in repr(told)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
BODIES = [said.resend("email.bounced", tag="1"), said.update("READ"), said.upsert(quoted="Q"), said.meta(
    statuses=[said.status("failed", code=1)], messages=[said.message("text", {"body": "1"})])]  # fmt: skip


@given(st.data())
def test_whatever_stands_in_a_field_nothing_raises_and_everything_can_be_stored(data: st.DataObject) -> None:
    body = json.loads(data.draw(st.sampled_from(BODIES)))
    place = body
    while True:
        name = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[name], dict | list) and place[name] and data.draw(st.booleans()):
            place = place[name]
            continue
        place[name] = data.draw(JSON)
        break
    for read in READERS:
        told = read(json.dumps(body).encode())
        assert told.reports or told.inbound
        for report in told.reports:
            kept = msgspec.json.encode(report.body).decode() + report.event_id + report.kind
            assert "\x00" not in kept and kept.encode()


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"null", b'"x"', b"\xff\xfe", b"{" * 10_000, b'{"a":' * 5_000])
@pytest.mark.parametrize("read", READERS)
def test_what_is_no_object_is_noted_as_unreadable(read: Callable[[bytes], Delivery], body: bytes) -> None:
    (report,) = read(body).reports
    assert (report.kind, report.status, report.body) == ("unreadable", None, {"bytes": len(body)})
