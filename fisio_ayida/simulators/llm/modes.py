"""Every way in which the stand-in answers, by name: rightly, wrongly, with an error, or not at all.

Here: the registry of modes and the answers' bodies. Not here: the narrative's words (``telling.py``), waiting and
hanging (``app.py``).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any, Final

from fisio_ayida.simulators.llm import telling
from fisio_ayida.simulators.llm.asked import BYTES_A_TOKEN, Asked, tokens
from fisio_ayida.simulators.mishaps import BAD_GATEWAY
from fisio_ayida.simulators.serving import Reply, html_reply, json_reply

#: More than anybody should read.
_HUGE_BYTES: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Orders:
    """How one request is answered.

    Args:
        mode: of :data:`ANSWERS`.
        text: what ``text`` says; whose name or number is told; what an error says.
        seconds: how long the answer takes, beside the server's latency.
        retry_after: seconds, of the modes that ask to wait.
    """

    mode: str
    text: str = ""
    seconds: float = 0.0
    retry_after: float | None = None


Maker = Callable[[Asked, Orders], Reply]


def completion(
    asked: Asked, content: str | None, *, finish: str = "stop", refusal: str | None = None, usage: bool = True
) -> Reply:
    """An answer as OpenAI writes it; one that is longer than was asked for is cut off."""
    length = tokens(content or refusal or "")
    if content is not None and asked.most_tokens is not None and length > asked.most_tokens:
        kept = content.encode()[: asked.most_tokens * BYTES_A_TOKEN]
        content, length, finish = kept.decode(errors="ignore"), asked.most_tokens, "length"
    counted = {
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": length,
        "total_tokens": asked.prompt_tokens + length,
        "prompt_tokens_details": {"cached_tokens": asked.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return json_reply(
        {
            "id": f"chatcmpl-{asked.digest.hex()[:24]}",
            "object": "chat.completion",
            "created": int(dt.datetime.now(dt.UTC).timestamp()),
            "model": asked.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            **({"usage": counted} if usage else {}),
        }
    )


def error(
    status: int, message: str, *, type: str = "", code: str | None = None, param: str | None = None
) -> Reply:
    """An error as OpenAI writes it."""
    kind = type or ("server_error" if status >= 500 else "invalid_request_error")
    return json_reply({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


def no_model(model: str) -> Reply:
    """The answer for a model that there is not."""
    return error(404, f"The model `{model}` does not exist.", code="model_not_found")


def unauthorized() -> Reply:
    """The answer for a key that is not known."""
    return error(401, "Incorrect API key provided.", code="invalid_api_key")


def too_many(orders: Orders, *headers: tuple[str, str]) -> Reply:
    """The answer for one request too many."""
    reply = error(429, orders.text or "Rate limit reached.", type="requests", code="rate_limit_exceeded")
    return Reply(reply.status, reply.body, reply.media, headers)


def _spoilt(change: Callable[[telling.Narrative, Asked, Orders], None]) -> Maker:
    def make(asked: Asked, orders: Orders) -> Reply:
        answer = telling.narrative(asked.subject)
        change(answer, asked, orders)
        return completion(asked, _written(answer))

    return make


def _worded(words: Callable[[str], str]) -> Maker:
    return lambda asked, orders: completion(asked, words(_valid(asked)))


def _fails(status: int, message: str, **more: Any) -> Maker:
    return lambda asked, orders: error(status, orders.text or message, **more)


def _too_many(asked: Asked, orders: Orders) -> Reply:
    return too_many(orders, ("retry-after", f"{_wait(orders):g}"))


def _too_many_date(asked: Asked, orders: Orders) -> Reply:
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=_wait(orders))
    return too_many(orders, ("retry-after", format_datetime(at, usegmt=True)))


def _too_many_ms(asked: Asked, orders: Orders) -> Reply:
    return too_many(orders, ("retry-after-ms", f"{_wait(orders) * 1000:.0f}"))


def _unavailable(asked: Asked, orders: Orders) -> Reply:
    reply = error(503, orders.text or "The engine is currently overloaded.")
    headers = () if orders.retry_after is None else (("retry-after", f"{orders.retry_after:g}"),)
    return Reply(reply.status, reply.body, reply.media, headers)


def _json_object_only(asked: Asked, orders: Orders) -> Reply:
    if asked.format == "json_schema":
        words = "This response_format type is unavailable now"
        return error(400, words, code="invalid_request_error", param="response_format")
    return completion(asked, _valid(asked))


def _no_format(asked: Asked, orders: Orders) -> Reply:
    if asked.format:
        return error(400, "Unrecognized request argument supplied: response_format", param="response_format")
    return completion(asked, f"Segue:\n{_valid(asked)}")


def _new_limit(asked: Asked, orders: Orders) -> Reply:
    if asked.limit_name == "max_tokens" and asked.most_tokens is not None:
        words = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
        )
        return error(400, words, code="unsupported_parameter", param="max_tokens")
    return completion(asked, _valid(asked))


def _truncated(asked: Asked, orders: Orders) -> Reply:
    content = _valid(asked)
    return completion(asked, content[: len(content) // 2], finish="length")


def _cut(asked: Asked, orders: Orders) -> Reply:
    whole = completion(asked, _valid(asked))
    return Reply(whole.status, whole.body, whole.media, cut=True)


def _huge(asked: Asked, orders: Orders) -> Reply:
    whole = completion(asked, _valid(asked))
    return Reply(whole.status, whole.body + b" " * _HUGE_BYTES, whole.media)


def _missing_property(asked: Asked, orders: Orders) -> Reply:
    answer = telling.narrative(asked.subject)
    del answer["riscos"]
    return completion(asked, _written(answer))


def _written(answer: telling.Narrative) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _valid(asked: Asked) -> str:
    return _written(telling.narrative(asked.subject))


def _wait(orders: Orders) -> float:
    return 1.0 if orders.retry_after is None else orders.retry_after


#: ``hang`` never answers; all others do.
ANSWERS: Final[Mapping[str, Maker | None]] = {
    "valid": lambda asked, orders: completion(asked, _valid(asked)),
    "text": lambda asked, orders: completion(asked, orders.text),
    "no_usage": lambda asked, orders: completion(asked, _valid(asked), usage=False),
    "prose": _worded(lambda text: f"Claro! Segue a análise pedida:\n\n{text}\n\nEspero ter ajudado."),
    "fence": _worded(lambda text: f"```json\n{text}\n```"),
    "bad_json": _worded(lambda text: text[:-1] + ",}"),
    "empty": _worded(lambda text: ""),
    "missing_property": _missing_property,
    "english": _spoilt(lambda answer, asked, orders: telling.in_english(answer)),
    "spanish": _spoilt(lambda answer, asked, orders: telling.in_spanish(answer)),
    "number": _spoilt(lambda answer, asked, orders: telling.with_number(answer, asked.subject)),
    "leaked_name": _spoilt(lambda answer, asked, orders: telling.with_name(answer, orders.text)),
    "leaked_phone": _spoilt(lambda answer, asked, orders: telling.with_telephone(answer, orders.text)),
    "diagnosis": _spoilt(lambda answer, asked, orders: telling.with_diagnosis(answer)),
    "disease": _spoilt(lambda answer, asked, orders: telling.with_disease(answer, asked.subject)),
    "stranger": _spoilt(lambda answer, asked, orders: telling.with_stranger(answer)),
    "reversed": _spoilt(lambda answer, asked, orders: telling.reversing(answer, asked.subject)),
    "unit": _spoilt(lambda answer, asked, orders: telling.with_wrong_unit(answer, asked.subject)),
    "no_citation": _spoilt(lambda answer, asked, orders: telling.citing_nothing(answer)),
    "unknown_citation": _spoilt(lambda answer, asked, orders: telling.citing_unknown(answer)),
    "truncated": _truncated,
    "refusal": lambda asked, orders: completion(asked, None, refusal=orders.text or "Não posso ajudar com isso."),
    "content_filter": lambda asked, orders: completion(asked, "", finish="content_filter"),
    "json_object_only": _json_object_only,
    "no_format": _no_format,
    "new_limit": _new_limit,
    "invalid": _fails(400, "Invalid value.", code="invalid_value", param="messages"),
    "unauthorized": lambda asked, orders: unauthorized(),
    "forbidden": _fails(403, "Country, region, or territory not supported.", code="unsupported_country"),
    "no_model": lambda asked, orders: no_model(asked.model),
    "unprocessable": _fails(422, "Unprocessable entity."),
    "too_many": _too_many,
    "too_many_date": _too_many_date,
    "too_many_ms": _too_many_ms,
    "no_quota": _fails(
        429, "You exceeded your current quota.", type="insufficient_quota", code="insufficient_quota"
    ),
    "server_error": _fails(500, "The server had an error while processing your request."),
    "bad_gateway": lambda asked, orders: html_reply(BAD_GATEWAY, 502),
    "unavailable": _unavailable,
    "gateway_timeout": lambda asked, orders: html_reply(BAD_GATEWAY.replace("502 Bad Gateway", "504"), 504),
    "page": lambda asked, orders: html_reply("<html><body>Bem-vindo</body></html>"),
    "no_choice": lambda asked, orders: json_reply({"object": "chat.completion", "choices": []}),
    "huge": _huge,
    "cut": _cut,
    "hang": None,
}
