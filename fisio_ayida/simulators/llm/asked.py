"""What a request asks: its messages, and in them the facts and sessions that are to be told of.

Here: reading a request. Not here: answering it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

#: The key by which the object with a patient's facts is known among the words of a message.
_FACTS: Final = "fatos"
#: More or less, in Portuguese.
BYTES_A_TOKEN: Final = 4
#: Prompts are remembered by the server in pieces of so many tokens.
_PIECE: Final = 128


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for an answer.

    Args:
        subject: the JSON object about a patient; empty if there is none.
        format: ``type`` of the response_format; empty if there is none.
        most_tokens: of the answer; None: as many as it takes.
    """

    model: str
    messages: tuple[tuple[str, str], ...] = field(repr=False)
    subject: Mapping[str, Any] = field(repr=False)
    format: str
    most_tokens: int | None
    limit_name: str

    @property
    def digest(self) -> bytes:
        """By which the same subject is known again."""
        return hashlib.sha256(json.dumps(self.subject, sort_keys=True).encode()).digest()

    @property
    def prompt_tokens(self) -> int:
        """As many as a tokenizer might make of it."""
        return sum(4 + tokens(text) for _, text in self.messages) + 3

    @property
    def cached_tokens(self) -> int:
        """Of the prompt, what all requests share."""
        shared = sum(tokens(text) for role, text in self.messages if role == "system")
        return shared // _PIECE * _PIECE


def read(body: Any) -> Asked | str:
    """The request, or the name of what is wrong in it."""
    if not isinstance(body, Mapping):
        return "body"
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model:
        return "model"
    if not isinstance(messages, list) or not messages:
        return "messages"
    said: list[tuple[str, str]] = []
    for message in messages:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, Mapping) else (0, 0)
        if role not in ("system", "developer", "user", "assistant") or not isinstance(content, str):
            return "messages"
        said.append((role, content))
    wanted = body.get("response_format") or {}
    name = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
    format = str(wanted.get("type", "")) if isinstance(wanted, Mapping) else ""
    return Asked(model, tuple(said), _subject(said), format, body.get(name), name)


def tokens(text: str) -> int:
    """How many tokens a text might be."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def _subject(said: list[tuple[str, str]]) -> Mapping[str, Any]:
    """The last object with facts that a user's message holds."""
    decoder = json.JSONDecoder()
    for role, text in reversed(said):
        at = text.find("{") if role == "user" else -1
        while at >= 0:
            try:
                value, _ = decoder.raw_decode(text, at)
            except ValueError:
                value = None
            if isinstance(value, dict) and _FACTS in value:
                return value
            at = text.find("{", at + 1)
    return {}
