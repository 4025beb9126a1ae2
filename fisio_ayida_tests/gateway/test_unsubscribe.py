"""The link in e-mails: looking changes nothing, one click stops, and nobody else's link does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from fisio_ayida.messaging import unsubscribing
from fisio_ayida.messaging.model import Category
from fisio_ayida.messaging.sealing import Hasher
from fisio_ayida.warehouse.engine import Warehouse
from fisio_ayida_tests.gateway.running import LIMITS, Running, running, seconds, until

ONE_CLICK = {
    "content": b"List-Unsubscribe=One-Click",
    "headers": {"content-type": "application/x-www-form-urlencoded"},
}
ALL = {"data": {"scope": "all"}}
MAIL = "ana@example.com"


@pytest.fixture
def said(gateway: Running) -> Iterator[Running]:
    """A gateway, a clinic, and nobody has said anything."""
    gateway.rows("delete from messaging.preferences returning 1")
    gateway.rows("insert into clinic.organizations (id, name) values ('org-1', 'Clínica <São> João') "
                 "on conflict (id) do nothing returning 1")  # fmt: skip
    yield gateway


def hasher(gateway: Running) -> Hasher:
    with gateway.warehouse.connect(autocommit=True) as conn:
        return Hasher.open(conn, None)


def link(gateway: Running, category: Category = "marketing", **who: Any) -> str:
    """The link of an e-mail, without the host."""
    made = unsubscribing.link(
        "http://gateway.example/", hasher(gateway), key="birthday:p-1:2026:email", organization_id="org-1",
        category=category, **(who or {"patient_id": "p-1"}),
    )  # fmt: skip
    return made.removeprefix("http://gateway.example")


def preferences(gateway: Running) -> list[tuple[Any, ...]]:
    return gateway.rows(
        "select organization_id, patient_id, channel, category, allowed, source, evidence "
        "from messaging.preferences order by id"
    )


def of(category: str) -> tuple[Any, ...]:
    return ("org-1", "p-1", "email", category, False, "one-click", "birthday:p-1:2026:email")


def test_looking_changes_nothing(said: Running) -> None:
    for _ in range(2):
        page = said.client.get(link(said))
        assert page.status_code == 200
    assert "novidades e ofertas" in page.text and '<form method="post">' in page.text
    assert "Clínica &lt;São&gt; João" in page.text
    assert preferences(said) == []


def test_a_mail_programs_click_stops_the_category_once(said: Running) -> None:
    for _ in range(3):
        page = said.client.post(link(said), **ONE_CLICK)
        assert page.status_code == 200 and "Pronto" in page.text
    assert preferences(said) == [of("marketing")]


def test_the_button_stops_and_offers_to_stop_everything(said: Running) -> None:
    page = said.client.post(link(said))
    assert 'name="scope" value="all"' in page.text
    page = said.client.post(link(said), **ALL)
    assert "todas as mensagens automáticas" in page.text and "<form" not in page.text
    assert preferences(said) == [of("marketing"), of("all")]


def test_an_address_without_a_patient_can_stop_too(said: Running) -> None:
    digest = hasher(said).address("email", MAIL)
    path = link(said, "care", address_hash=digest)
    assert said.client.post(path, **ONE_CLICK).status_code == 200
    assert said.rows("select address_hash, patient_id, category from messaging.preferences") == [
        (digest, None, "care")
    ]
    assert MAIL not in path and "ana" not in path


def test_a_no_after_a_later_yes_is_a_new_one(said: Running) -> None:
    said.client.post(link(said), **ONE_CLICK)
    said.rows(
        "insert into messaging.preferences (organization_id, patient_id, channel, category, allowed, source, "
        "evidence, at) values ('org-1', 'p-1', 'email', 'marketing', true, 'form', 'f-1', now()) returning 1"
    )
    said.client.post(link(said), **ONE_CLICK)
    assert [allowed for *_, allowed, _, _ in preferences(said)] == [False, True, False]


def test_a_direct_mails_link_stops_everything(said: Running) -> None:
    page = said.client.post(link(said, "direct"), **ONE_CLICK)
    assert "<form" not in page.text
    assert preferences(said) == [of("all")]


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path[:-1] + ("A" if path[-1] != "A" else "B"),
        lambda path: path.replace("/unsubscribe/", "/unsubscribe/A", 1),
        lambda path: path.partition(".")[0],
        lambda path: path.partition(".")[0] + ".",
        lambda path: "/unsubscribe/" + path.partition(".")[2],
        lambda path: "/unsubscribe/x.y",
        lambda path: "/unsubscribe/%F0%9F%98%80.%00",
    ],
)
def test_a_changed_link_is_a_404_page_and_stops_nobody(said: Running, change: Any) -> None:
    path = change(link(said))
    for answer in (said.client.get(path), said.client.post(path, **ONE_CLICK)):
        assert answer.status_code == 404
        assert "Este link não é válido" in answer.text
    assert preferences(said) == []


def test_a_link_signed_for_something_else_is_none(said: Running) -> None:
    text = link(said).removeprefix("/unsubscribe/").partition(".")[0]
    other = hasher(said).signature("other", text)
    assert said.client.get(f"/unsubscribe/{text}.{other}").status_code == 404


def test_a_link_is_always_the_same_and_names_nobody(said: Running) -> None:
    assert link(said) == link(said)
    assert re.fullmatch(r"/unsubscribe/[A-Za-z0-9_.-]+", link(said))
    assert link(said, patient_id="p-2") != link(said)


def guarded(page: httpx.Response) -> None:
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["x-content-type-options"] == "nosniff"


def test_every_page_is_guarded_and_needs_nothing_from_elsewhere(said: Running) -> None:
    for page in (said.client.get(link(said)), said.client.post(link(said)), said.client.get("/unsubscribe/x")):
        guarded(page)
        assert not re.search(r"<script|src=|href=|url\(", page.text)
        assert '<html lang="pt-BR">' in page.text and page.headers["content-type"] == "text/html; charset=utf-8"


def test_without_the_database_nobody_is_told_that_it_is_done(said: Running, warehouse: Warehouse) -> None:
    path = link(said)
    with running(warehouse, limits=replace(LIMITS, database=seconds(0.5))) as gateway:
        with warehouse.connect() as other:
            other.execute("lock table messaging.preferences in access exclusive mode")
            page = gateway.client.post(path, **ONE_CLICK)
            assert page.status_code == 503 and "ainda não foi registrado" in page.text
            assert int(page.headers["retry-after"]) > 0
            guarded(page)
            other.rollback()
        until(lambda: gateway.client.post(path, **ONE_CLICK).status_code == 200, "it recovers")
    assert preferences(said) == [of("marketing")]


def test_the_log_has_no_link(said: Running) -> None:
    path = link(said)
    said.client.get(path)
    said.client.post(path, **ONE_CLICK)
    assert path.rpartition("/")[2] not in said.log.getvalue()
    assert "/unsubscribe/{token}" in said.log.getvalue()


def test_a_long_form_is_refused(said: Running) -> None:
    assert said.client.post(link(said), content=b"x" * 100_000).status_code == 413
    assert preferences(said) == []
