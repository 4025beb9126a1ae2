"""The model stand-in: it answers from what it is asked, goes wrong as ordered, and keeps every request's bytes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fisio_ayida.simulators.listening import SimulatorError
from fisio_ayida.simulators.llm import LlmConfig, LlmSimulator
from fisio_ayida.simulators.llm.modes import ANSWERS

SUBJECT = {
    "fatos": [
        {"ref": "attendance", "titulo": "Comparecimento", "valor": "83 %"},
        {"ref": "pain_trend", "titulo": "Tendência da dor"},
    ],
    "sessoes": [{"ref": "S1", "dia": -12, "nota": "Bem."}, {"ref": "S2", "dia": 0, "dor": 5, "nota": "São Tomé"}],
}
REFS = {"attendance", "pain_trend", "S1", "S2"}
# Opening one takes longer than a hundred answers.
HTTP = httpx.Client(trust_env=False)
USER = f"Dados: <<<{json.dumps(SUBJECT)}>>> Responda em JSON."


@pytest.fixture(scope="module")
def running() -> Iterator[LlmSimulator]:
    with LlmSimulator() as simulator:
        yield simulator


@pytest.fixture
def sim(running: LlmSimulator) -> LlmSimulator:
    """The module's stand-in, as on its first day."""
    running.settings(api_key=None, models=[], rates={}, latency_ms=0, requests_per_second=0)
    running.forget()
    return running


def post(sim: LlmSimulator, model: str = "stand-in", user: str = USER, **more: Any) -> httpx.Response:
    messages = [{"role": "system", "content": "x" * 4000}, {"role": "user", "content": user}]
    body = {"model": model, "messages": messages, **more}
    return HTTP.post(f"{sim.base_url}/chat/completions", json=body)


def said(sim: LlmSimulator, model: str = "stand-in", **more: Any) -> Any:
    return json.loads(content(post(sim, model, **more)))


def content(response: httpx.Response) -> str:
    return str(response.json()["choices"][0]["message"]["content"])


def passages(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [answer["resumo"], *answer["tendencias"], *answer["recomendacoes"], *answer["riscos"]]


def test_a_valid_answer_cites_what_it_was_given_and_says_its_numbers(sim: LlmSimulator) -> None:
    answer = said(sim)
    assert all(set(each["citacoes"]) <= REFS and each["citacoes"] for each in passages(answer))
    assert "83 %" in answer["resumo"]["texto"]
    assert any("dor de intensidade 5" in each["texto"] and each["citacoes"] == ["S2"] for each in passages(answer))


def test_the_same_question_is_answered_alike_and_counted_alike(sim: LlmSimulator) -> None:
    first, again = post(sim).json(), post(sim).json()
    assert (first["choices"], first["usage"]) == (again["choices"], again["usage"])
    usage = first["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert 0 < usage["prompt_tokens_details"]["cached_tokens"] < usage["prompt_tokens"]


def test_an_answer_longer_than_was_asked_for_is_cut_off(sim: LlmSimulator) -> None:
    choice = post(sim, max_tokens=20).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"].encode()) <= 80


def test_every_request_is_kept_byte_by_byte_and_can_be_read_through_all_quotes(sim: LlmSimulator) -> None:
    post(sim, user=USER)
    kept = sim.received[0]
    assert kept.raw.startswith(b"POST /v1/chat/completions?\r\nhost: 127.0.0.1")
    assert kept.raw.endswith(kept.body)
    assert json.loads(kept.body)["messages"][1]["content"] == USER
    # Escaped twice on its way.
    assert b"S\\\\u00e3o Tom" in kept.raw
    assert "São Tomé" in kept.text


@pytest.mark.parametrize("mode", sorted(set(ANSWERS) - {"hang", "cut", "text"}))
def test_a_models_name_chooses_how_it_answers(sim: LlmSimulator, mode: str) -> None:
    post(sim, f"stand-in:{mode}")
    assert sim.state()["given"] == {mode: 1}


def test_a_models_own_colon_is_no_order(sim: LlmSimulator) -> None:
    post(sim, "llama3:8b")
    assert sim.state()["given"] == {"valid": 1}


def test_once_is_wrong_at_the_first_try_about_a_subject_and_then_right(sim: LlmSimulator) -> None:
    model = "stand-in:no_citation,once"
    first, again = said(sim, model), said(sim, model, temperature=0)
    assert first["resumo"]["citacoes"] == []
    assert again["resumo"]["citacoes"]
    other = {**SUBJECT, "sessoes": []}
    assert json.loads(content(post(sim, model, json.dumps(other))))["resumo"]["citacoes"] == []


def test_orders_are_followed_in_turn_and_come_before_the_models_name(sim: LlmSimulator) -> None:
    sim.next("server_error", "empty")
    sim.answer("text", text="olá", times=2)
    answers = [post(sim, "stand-in:fence") for _ in range(5)]
    assert answers[0].status_code == 500
    assert [content(each)[:7] for each in answers[1:]] == ["", "olá", "olá", "```json"]


def test_rates_give_their_share(sim: LlmSimulator) -> None:
    sim.settings(rates={"empty": 0.3, "server_error": 0.2})
    for _ in range(200):
        post(sim)
    given = sim.state()["given"]
    assert 30 <= given["empty"] <= 90
    assert 15 <= given["server_error"] <= 70
    assert sum(given.values()) == 200


@pytest.mark.parametrize("rates", [{"empty": 0.7, "number": 0.4}, {"empty": -0.1}, {"nothing": 0.1}])
def test_rates_that_cannot_be_are_refused(rates: dict[str, float]) -> None:
    with pytest.raises(SimulatorError, match="rates are shares"):
        LlmConfig(rates=rates)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("leaked_name", "Joana Prado"),
        ("leaked_phone", "Joana Prado"),
        ("text", "Joana Prado"),
    ],
)
def test_what_is_leaked_can_be_chosen(sim: LlmSimulator, mode: str, words: str) -> None:
    sim.answer(mode, text=words)
    assert words in content(post(sim))


@pytest.mark.parametrize(
    "mode", ["english", "spanish", "number", "leaked_name", "leaked_phone", "diagnosis", "disease", "stranger"]
)
def test_wrong_words_come_in_an_answer_of_the_right_form(sim: LlmSimulator, mode: str) -> None:
    right, wrong = said(sim), said(sim, f"stand-in:{mode}")
    assert wrong.keys() == right.keys()
    assert wrong["resumo"]["texto"] != right["resumo"]["texto"]
    assert wrong["resumo"]["citacoes"] == right["resumo"]["citacoes"]


def test_an_invented_number_is_none_that_was_given(sim: LlmSimulator) -> None:
    given = {**SUBJECT, "sessoes": [{"ref": "S1", "dia": 0, "nota": "47 e 58"}]}
    answer = json.loads(content(post(sim, "stand-in:number", json.dumps(given))))
    assert "69 %" in answer["resumo"]["texto"]


def test_a_trend_is_told_the_other_way_round_and_cited(sim: LlmSimulator) -> None:
    trend = {"ref": "pain_trend", "titulo": "Tendência da dor", "detalhe": "8 há 44 dias, 3 há 2 dias; caindo"}
    answer = json.loads(content(post(sim, "stand-in:reversed", json.dumps({**SUBJECT, "fatos": [trend]}))))
    assert answer["tendencias"][-1] == {
        "texto": "Dor vem subindo de forma consistente.", "citacoes": ["pain_trend"],
    }  # fmt: skip


def test_a_number_of_another_thing_is_one_that_was_given(sim: LlmSimulator) -> None:
    fact = {"ref": "attendance", "titulo": "Comparecimento", "janela": "últimos 60 dias"}
    answer = json.loads(content(post(sim, "stand-in:unit", json.dumps({**SUBJECT, "fatos": [fact]}))))
    assert answer["tendencias"][-1]["texto"] == "O paciente faltou 60 vezes no período."
    assert answer["tendencias"][-1]["citacoes"] == ["attendance"]


@pytest.mark.parametrize("mode", ["prose", "fence"])
def test_words_around_the_answer_hold_it_whole(sim: LlmSimulator, mode: str) -> None:
    text = content(post(sim, f"stand-in:{mode}"))
    assert json.loads(text[text.index("{") : text.rindex("}") + 1]) == said(sim)


@pytest.mark.parametrize("mode", ["bad_json", "truncated"])
def test_an_answer_that_is_no_json_is_none(sim: LlmSimulator, mode: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Illegal|Unterminated"):
        said(sim, f"stand-in:{mode}")


@pytest.mark.parametrize(
    ("mode", "status", "header", "value"),
    [
        ("too_many", 429, "retry-after", "7"),
        ("too_many_ms", 429, "retry-after-ms", "7000"),
        ("unavailable", 503, "retry-after", "7"),
    ],
)
def test_a_server_can_ask_to_wait(sim: LlmSimulator, mode: str, status: int, header: str, value: str) -> None:
    sim.answer(mode, retry_after=7)
    answer = post(sim)
    assert (answer.status_code, answer.headers[header]) == (status, value)


def test_a_cut_answer_ends_before_its_end(sim: LlmSimulator) -> None:
    sim.next("cut")
    with pytest.raises(httpx.RemoteProtocolError):
        post(sim)


def test_a_wrong_key_and_an_unknown_model_are_refused(sim: LlmSimulator) -> None:
    sim.settings(models=["local"])
    assert post(sim, "other").status_code == 404
    assert post(sim, "local").status_code == post(sim, "local:empty").status_code == 200
    sim.settings(api_key="k")
    assert post(sim, "local").status_code == 401


def test_the_models_and_their_ways_are_listed(sim: LlmSimulator) -> None:
    rows = HTTP.get(f"{sim.base_url}/models").json()["data"]
    assert {"stand-in", "stand-in:truncated", "stand-in:hang"} <= {row["id"] for row in rows}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"model": "m"}', b'{"model": "m", "messages": [{"role": "user"}]}', b'{"messages": 3}']
)
def test_a_request_that_is_none_is_refused(sim: LlmSimulator, body: bytes) -> None:
    answer = HTTP.post(f"{sim.url}/any/prefix/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_page_shows_what_was_asked(sim: LlmSimulator) -> None:
    post(sim, user="<b>Olá</b>")
    assert "&lt;b&gt;Olá&lt;/b&gt;" in HTTP.get(sim.url).text


def test_orders_that_do_not_exist_are_refused(sim: LlmSimulator) -> None:
    with pytest.raises(SimulatorError, match="modes are valid"):
        sim.next("nothing")
    with pytest.raises(SimulatorError, match="an answer has mode"):
        sim.answer("valid", colour="red")
    with pytest.raises(SimulatorError, match="settings are api_key"):
        sim.settings(colour="red")


def test_the_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "fisio_ayida.cli", "simulate", "llm", "--port", "0"]
    command += ["--rate", "empty=1", "--ready-file", str(ready)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        body = {"model": "m", "messages": [{"role": "user", "content": USER}]}
        answer = HTTP.post(f"{urls['base_url']}/chat/completions", json=body)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert content(answer) == ""
    assert json.loads(ready.read_text()) == urls
