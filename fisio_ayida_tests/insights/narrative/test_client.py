"""Every way in which a model's server can answer, over a real connection: what is said, tried and paid."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from fisio_ayida.insights.model import REASONS, NotWritten
from fisio_ayida.insights.narrative.calls import LONGEST_ASKED
from fisio_ayida.insights.narrative.client import Answer, Model
from fisio_ayida.insights.narrative.holding import FAILURES, PAUSE
from fisio_ayida.simulators.llm import LlmSimulator
from fisio_ayida_tests.insights.narrative.asking import MESSAGES, NOTE, SCHEMA, Desk, Time
from fisio_ayida_tests.insights.narrative.conftest import Books

OK = ("answered", "ok")
KEY = "sk-canary-of-the-key"


@pytest.fixture
def desk(llm: LlmSimulator, books: Books) -> Desk:
    return Desk(llm.base_url, books)


def answer(found: Answer | NotWritten) -> Answer:
    assert isinstance(found, Answer), found
    return found


def refusal(found: Answer | NotWritten) -> NotWritten:
    assert isinstance(found, NotWritten)
    assert found.reason in REASONS
    assert NOTE not in found.detail
    return found


def test_an_answer_comes_whole_with_what_it_used(llm: LlmSimulator, desk: Desk) -> None:
    found = answer(desk.ask())
    assert found.text.startswith('{"resumo"')
    assert found.usage is not None
    assert desk.books.calls("state, outcome, prompt_tokens + completion_tokens") == [
        (*OK, found.usage.prompt + found.usage.completion)
    ]
    assert desk.books.spending()[0] == found.usage.prompt + found.usage.completion


def test_a_question_asks_for_a_strict_schema_and_no_longer_answer_than_is_paid_for(
    llm: LlmSimulator, desk: Desk
) -> None:
    desk.environ = {"INSIGHTS_ANSWER_TOKENS": "777"}
    desk.ask()
    schema = {"name": "Narrative", "strict": True, "schema": SCHEMA}
    assert llm.received[0].json == {
        "model": "stand-in",
        "messages": MESSAGES,
        "max_tokens": 777,
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def test_a_question_reserves_more_than_it_uses_and_less_than_twice_its_bytes(
    llm: LlmSimulator, desk: Desk
) -> None:
    desk.ask()
    ((reserved, used),) = desk.books.calls("reserved_tokens - 1200, prompt_tokens")
    assert used <= reserved <= len(llm.received[0].body)


@pytest.mark.parametrize("key", [None, KEY])
def test_beside_its_body_a_request_says_nothing_but_the_key(
    llm: LlmSimulator, desk: Desk, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-canary")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-canary: 1\nAuthorization: Bearer canary")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    desk.environ = {} if key is None else {"OPENAI_API_KEY": key}
    answer(desk.ask())
    headers = llm.received[0].headers
    assert headers.pop("authorization", None) == (None if key is None else f"Bearer {key}")
    assert set(headers) == {
        "host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"
    }  # fmt: skip
    assert headers["user-agent"] == "fisio-ayida"


@pytest.mark.parametrize("mode", ["prose", "fence", "bad_json", "empty", "english", "number"])
def test_what_the_model_says_is_handed_over_as_it_is(llm: LlmSimulator, desk: Desk, mode: str) -> None:
    llm.next(mode)
    found = answer(desk.ask())
    assert (found.text == "") == (mode == "empty")
    assert llm.count == 1


def test_a_server_that_does_not_count_is_answered_for_by_the_reservation(llm: LlmSimulator, desk: Desk) -> None:
    llm.next("no_usage")
    assert answer(desk.ask()).usage is None
    assert desk.books.spending()[0] == desk.books.calls("reserved_tokens")[0][0]


@pytest.mark.parametrize(
    ("mode", "reason", "is_transient", "state"),
    [
        ("truncated", "truncated", False, "answered"),
        ("refusal", "refused", False, "answered"),
        ("content_filter", "refused", False, "answered"),
        ("huge", "bad_json", False, "lost"),
        ("invalid", "rejected", False, "failed"),
        ("unprocessable", "rejected", False, "failed"),
        # These are wrong for everybody until somebody mends them.
        ("unauthorized", "rejected", True, "failed"),
        ("forbidden", "rejected", True, "failed"),
        ("no_model", "rejected", True, "failed"),
        ("no_quota", "rate_limited", True, "failed"),
    ],
)
def test_what_no_other_try_would_change_is_tried_once(
    llm: LlmSimulator, desk: Desk, mode: str, reason: str, is_transient: bool, state: str
) -> None:
    llm.next(mode)
    found = refusal(desk.ask())
    assert (found.reason, found.is_transient) == (reason, is_transient)
    assert desk.books.calls() == [(state, reason)]
    assert (desk.books.spending()[0] == 0) == (state == "failed")
    assert desk.time.naps == []


@pytest.mark.parametrize(
    ("mode", "reason", "state"),
    [
        ("server_error", "server_error", "failed"),
        ("bad_gateway", "server_error", "failed"),
        ("gateway_timeout", "server_error", "lost"),
        ("unavailable", "server_error", "failed"),
        ("too_many", "rate_limited", "failed"),
        ("page", "server_error", "lost"),
        ("no_choice", "server_error", "lost"),
        ("cut", "unreachable", "lost"),
    ],
)
def test_what_may_pass_is_tried_again_and_every_try_is_in_the_ledger(
    llm: LlmSimulator, desk: Desk, mode: str, reason: str, state: str
) -> None:
    llm.next(mode)
    answer(desk.ask())
    assert desk.books.calls("state, outcome, attempt") == [(state, reason, 1), (*OK, 2)]
    assert (desk.books.spending()[0], desk.books.spending()[2]) == (desk.books.sums()[0], 2)
    assert len(desk.time.naps) == 1


def test_a_server_that_keeps_failing_is_tried_four_times_with_longer_pauses(llm: LlmSimulator, desk: Desk) -> None:
    llm.answer("server_error", times=9)
    found = refusal(desk.ask())
    assert (found.reason, found.is_transient) == ("server_error", True)
    assert desk.time.naps == [1, 2, 4]
    assert llm.count == 4
    assert desk.books.spending()[0] == 0


def test_a_server_that_hangs_is_left_after_the_timeout_and_may_have_cost(llm: LlmSimulator, desk: Desk) -> None:
    llm.next("hang")
    desk.environ = {"INSIGHTS_TIMEOUT_SECONDS": "1"}
    answer(desk.ask())
    assert desk.books.calls() == [("lost", "unreachable"), OK]


def test_a_server_that_is_not_there_costs_nothing(desk: Desk) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        desk.url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        found = refusal(desk.ask())
    assert (found.reason, found.is_transient) == ("unreachable", True)
    assert desk.books.calls() == [("failed", "unreachable")] * 4
    assert desk.books.spending()[0] == 0


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends a byte of its answer now and then, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n"
            )
            while not ended.wait(0.1):
                connection.sendall(b" ")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    ended.set()
    thread.join(10)
    listener.close()


def test_a_server_that_drips_is_left_after_the_timeout(dripping: str, desk: Desk) -> None:
    desk.url, desk.environ = dripping, {"INSIGHTS_TIMEOUT_SECONDS": "0.5"}
    # For one try: what it reserved is kept.
    desk.commission = desk.books.commission(tokens=1900)
    desk.ask()
    assert desk.books.calls() == [("lost", "unreachable")]


@pytest.mark.parametrize(
    ("mode", "least", "most"), [("too_many", 20, 20), ("too_many_ms", 20, 20), ("too_many_date", 15, 20)]
)
def test_a_server_that_says_how_long_to_wait_is_believed(
    llm: LlmSimulator, desk: Desk, mode: str, least: float, most: float
) -> None:
    llm.answer(mode, retry_after=20)
    answer(desk.ask())
    assert least <= sum(desk.time.naps) <= most


@pytest.mark.parametrize("mode", ["too_many", "unavailable"])
def test_a_server_that_wants_more_patience_than_a_minute_is_left_alone_by_all(
    llm: LlmSimulator, desk: Desk, mode: str
) -> None:
    llm.answer(mode, retry_after=61)
    for found in map(refusal, desk.ask_often(2)):
        assert (found.reason, found.is_transient) == ("rate_limited", True)
        assert found.after is not None
        assert found.after.total_seconds() == pytest.approx(61)
    assert llm.count == 1
    assert desk.time.naps == []


class Gate(Time):
    """Time that stands still until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        await self.opened.wait()


def test_a_server_that_asks_one_to_wait_is_left_alone_by_the_others_meanwhile(
    llm: LlmSimulator, desk: Desk
) -> None:
    gate = Gate()
    desk.time = gate
    # Who waits takes nobody's place.
    desk.environ = {"INSIGHTS_IN_FLIGHT": "1"}
    llm.answer("too_many", retry_after=20)

    async def both(model: Model) -> list[Answer | NotWritten]:
        first = asyncio.create_task(desk.once(model))
        await until(lambda: gate.naps == [20])
        second = asyncio.create_task(desk.once(model))
        await until(lambda: gate.naps == [20, 20])
        assert llm.count == 1
        gate.moment = 21
        gate.opened.set()
        return [await first, await second]

    for found in desk.use(both):
        answer(found)
    assert llm.count == 3


async def until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not true():
        assert time.monotonic() < limit, "it did not come about"
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("mode", "tried"),
    [
        ("json_object_only", ["json_schema", "json_object", "json_object"]),
        ("no_format", ["json_schema", "json_object", "", ""]),
    ],
)
def test_a_server_that_knows_no_schema_is_asked_for_less_from_then_on(
    llm: LlmSimulator, desk: Desk, mode: str, tried: list[str]
) -> None:
    desk.model = f"stand-in:{mode}"
    for found in desk.ask_often(2):
        answer(found)
    assert [each.json.get("response_format", {}).get("type", "") for each in llm.received] == tried
    assert desk.books.calls() == [("failed", "rejected")] * (len(tried) - 2) + [OK, OK]
    assert desk.time.naps == []


def test_a_server_with_the_newer_name_for_the_answers_limit_is_asked_with_it(
    llm: LlmSimulator, desk: Desk
) -> None:
    desk.model = "stand-in:new_limit"
    answer(desk.ask())
    assert "max_completion_tokens" in llm.received[-1].json
    assert "max_tokens" not in llm.received[-1].json
    assert llm.received[-1].json["response_format"]["type"] == "json_schema"


def test_the_key_opens_the_server(llm: LlmSimulator, desk: Desk) -> None:
    llm.settings(api_key=KEY)
    desk.environ = {"OPENAI_API_KEY": KEY}
    answer(desk.ask())


def test_neither_key_nor_question_nor_answer_is_logged_or_told(
    llm: LlmSimulator, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    llm.answer("text", text="canary-of-the-answer")
    llm.answer("invalid", text=f"canary-of-the-error {NOTE} {KEY}")
    desk.environ = {"OPENAI_API_KEY": KEY}
    told = "".join(map(repr, desk.ask_often(2)))
    assert "openai" in caplog.text
    for canary in (NOTE, KEY, "canary-of-the-answer", "canary-of-the-error"):
        assert canary not in caplog.text
        assert canary not in told
    assert "status 400" in told


def test_no_more_calls_are_under_way_than_is_set(llm: LlmSimulator, desk: Desk) -> None:
    llm.settings(latency_ms=40)
    desk.environ = {"INSIGHTS_IN_FLIGHT": "2"}

    async def many(model: Model) -> list[Answer | NotWritten]:
        return await asyncio.gather(*(desk.once(model) for _ in range(8)))

    assert all(isinstance(found, Answer) for found in desk.use(many))
    assert llm.state()["most_at_once"] == 2


def test_a_spent_budget_refuses_before_the_call(llm: LlmSimulator, desk: Desk) -> None:
    desk.commission = desk.books.commission(tokens=100)
    found = refusal(desk.ask())
    assert (found.reason, found.is_transient) == ("over_budget", True)
    assert llm.count == 0


def test_a_budget_in_money_without_a_price_refuses_before_the_call(llm: LlmSimulator, desk: Desk) -> None:
    desk.commission = desk.books.commission(cost="5")
    assert refusal(desk.ask()).reason == "no_price"
    assert llm.count == 0


def test_a_budget_that_runs_out_between_two_tries_ends_them(llm: LlmSimulator, desk: Desk) -> None:
    llm.answer("gateway_timeout", times=9)
    desk.commission = desk.books.commission(tokens=1900)
    assert refusal(desk.ask()).reason == "over_budget"
    assert desk.books.calls() == [("lost", "server_error")]


def test_after_some_requests_in_vain_the_others_are_not_tried_for_a_while(llm: LlmSimulator, desk: Desk) -> None:
    llm.answer("unauthorized", times=FAILURES)

    async def several(model: Model) -> None:
        for _ in range(FAILURES):
            refusal(await desk.once(model))
        held = refusal(await desk.once(model))
        assert (held.reason, held.is_transient, held.after) == ("rejected", True, PAUSE)
        assert held.concerns == "server", "it is none of the patient's tries"
        assert llm.count == FAILURES
        desk.time.moment += PAUSE.total_seconds()
        answer(await desk.once(model))

    desk.use(several)


def test_requests_that_are_wrong_by_themselves_hold_back_nobody(llm: LlmSimulator, desk: Desk) -> None:
    llm.answer("invalid", times=FAILURES)
    found = desk.ask_often(FAILURES + 1)
    answer(found[-1])


def test_a_call_that_is_cancelled_stays_open_until_it_is_lost(llm: LlmSimulator, desk: Desk) -> None:
    llm.next("hang")

    async def cancelled(model: Model) -> None:
        asking = asyncio.create_task(desk.once(model))
        await until(lambda: llm.state()["under_way"] == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        # Its place is free again.
        answer(await desk.once(model))

    desk.environ = {"INSIGHTS_IN_FLIGHT": "1"}
    desk.use(cancelled)
    assert desk.books.calls() == [("open", ""), OK]
    assert desk.books.spending()[0] == desk.books.sums()[0]


def test_whoever_could_not_be_asked_for_is_refused_before_anything_is_prepared(
    llm: LlmSimulator, desk: Desk
) -> None:
    llm.answer("unauthorized", times=FAILURES)

    async def refused(model: Model) -> list[NotWritten | None]:
        found = [
            await model.refuses(desk.books.commission()),
            await model.refuses(desk.books.commission(tokens=9)),
        ]
        for _ in range(FAILURES):
            await desk.once(model)
        return [*found, await model.refuses(desk.books.commission())]

    first, spent, held = desk.use(refused)
    assert first is None
    assert spent is not None and (spent.reason, spent.concerns) == ("over_budget", "clinic")
    assert held is not None and (held.reason, held.concerns, held.after) == ("rejected", "server", PAUSE)
    assert llm.count == FAILURES


@pytest.mark.parametrize("mode", ["too_many", "too_many_ms", "too_many_date"])
def test_no_server_is_left_alone_for_longer_than_a_day(llm: LlmSimulator, desk: Desk, mode: str) -> None:
    llm.answer(mode, retry_after=99_999_999)
    assert refusal(desk.ask()).after == LONGEST_ASKED


def test_what_reading_the_answer_finds_is_in_the_ledger(llm: LlmSimulator, desk: Desk) -> None:
    async def judged(model: Model) -> None:
        await model.judge(answer(await desk.once(model)), "bad_number")

    desk.use(judged)
    assert desk.books.calls() == [("answered", "bad_number")]
