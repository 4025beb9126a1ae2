"""Is a webhook its provider's: what each one signs with, compared in constant time.

Pure: the clock comes in. Every check gives the reason of a refusal, or None; a reason never quotes what was sent.
Not here: reading bodies and storing (``webhooks.py``).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from pydantic import SecretStr
from standardwebhooks import Webhook

#: How far a signed time may be from ours (CONTRACT clinic §7.5).
TOLERANCE: Final = dt.timedelta(minutes=5)
_LONGEST_HEADER: Final = 4096
_PREFIX: Final = "whsec_"


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """Resend's way (Standard Webhooks): several secrets may live at a time, so that they can be changed."""

    variable: str
    _secrets: tuple[Webhook, ...] = field(repr=False)
    #: What is wrong with the setting itself.
    fault: str | None = None

    @classmethod
    def of(cls, variable: str, secrets: SecretStr | None) -> StandardWebhooks:
        """The secrets of a setting, separated by commas. A malformed one opens nothing, and ``fault`` names it."""
        good: list[Webhook] = []
        bad: list[str] = []
        texts = [] if secrets is None else secrets.get_secret_value().split(",")
        for place, text in enumerate(texts, 1):
            secret = _decoded(text.strip())
            if secret:
                good.append(Webhook(secret))
            else:
                bad.append(str(place))
        fault = f"{variable} has entries that are not whsec_ and base64: number {', '.join(bad)}" if bad else None
        return cls(variable, tuple(good), fault)

    def problem(self, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> str | None:
        """Why this request is not the provider's; ``headers`` in lower case."""
        if not self._secrets:
            return self.fault or f"closed: no {self.variable} is configured"
        id, stamp, given = (_either(headers, name) for name in ("id", "timestamp", "signature"))
        if not id or not stamp or not given:
            return "the headers svix-id, svix-timestamp and svix-signature are needed"
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
            return "svix-timestamp is not a number of seconds"
        at = dt.datetime.fromtimestamp(int(stamp), dt.UTC)
        if abs(now - at) > TOLERANCE:
            return f"svix-timestamp is more than {TOLERANCE.total_seconds():g} s from now"
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return "the body is not UTF-8"
        signatures = [each.encode() for each in given[:_LONGEST_HEADER].split(" ")]
        made = [webhook.sign(id, at, text).encode() for webhook in self._secrets]
        # All are compared: the answer's time tells nothing about any of them.
        matches = [hmac.compare_digest(one, other) for one in made for other in signatures]
        return None if any(matches) else "the signature is not that of any secret"


@dataclass(frozen=True, slots=True)
class FixedToken:
    """Evolution's ways: a fixed header, or a token signed with the same secret."""

    variable: str
    header: str
    _secret: bytes | None = field(repr=False)

    @classmethod
    def of(cls, variable: str, header: str, secret: SecretStr | None) -> FixedToken:
        """The secret of a setting."""
        return cls(variable, header, None if secret is None else secret.get_secret_value().encode())

    def problem(self, headers: Mapping[str, str], now: dt.datetime) -> str | None:
        """Why this request is not the provider's; ``headers`` in lower case."""
        if self._secret is None:
            return f"closed: no {self.variable} is configured"
        given = headers.get(self.header)
        if given is not None and hmac.compare_digest(given.encode("latin-1", "replace"), self._secret):
            return None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self._token_problem(token.strip(), now)
        return f"neither {self.header} nor a bearer token proves the {self.variable}"

    def _token_problem(self, token: str, now: dt.datetime) -> str | None:
        assert self._secret is not None  # noqa: S101  asked before
        # Its time is compared with our clock, below.
        checks: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["exp"]}
        try:
            claims = jwt.decode(token[:_LONGEST_HEADER], self._secret, algorithms=["HS256"], options=checks)
        except jwt.PyJWTError:
            return f"the bearer token is not signed with the {self.variable}, or says not until when it holds"
        if claims.get("app") != "evolution" or claims.get("action") != "webhook":
            return "the bearer token is for something else than Evolution's webhooks"
        expires = claims["exp"]
        if not isinstance(expires, int | float) or expires <= now.timestamp():
            return "the bearer token has expired"
        return None


@dataclass(frozen=True, slots=True)
class HubSignature:
    """Meta's way: an HMAC of the body; and what it repeats when a webhook is set up."""

    variable: str
    verify_variable: str
    _secret: bytes | None = field(repr=False)
    _verify: bytes | None = field(repr=False)

    @classmethod
    def of(
        cls, variable: str, secret: SecretStr | None, verify_variable: str, verify: SecretStr | None
    ) -> HubSignature:
        """The secrets of two settings."""
        return cls(variable, verify_variable, _bytes(secret), _bytes(verify))

    def problem(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Why this request is not the provider's; ``headers`` in lower case."""
        if self._secret is None:
            return f"closed: no {self.variable} is configured"
        made = "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        given = headers.get("x-hub-signature-256", "")
        matches = hmac.compare_digest(given.encode("latin-1", "replace"), made.encode())
        return None if matches else f"x-hub-signature-256 is not made with the {self.variable}"

    def setup_problem(self, mode: str, token: str) -> str | None:
        """Why a webhook may not be set up."""
        if self._verify is None:
            return f"closed: no {self.verify_variable} is configured"
        matches = hmac.compare_digest(token.encode(), self._verify)
        return None if matches and mode == "subscribe" else f"this is not the {self.verify_variable}"


def _decoded(text: str) -> bytes:
    """The secret's bytes; empty if it is malformed. The package itself would take anything for base64."""
    prefix, given = text[: len(_PREFIX)], text[len(_PREFIX) :]
    try:
        return base64.b64decode(given + "=" * (-len(given) % 4), validate=True) if prefix == _PREFIX else b""
    except binascii.Error:
        return b""


def _either(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(f"svix-{name}") or headers.get(f"webhook-{name}")


def _bytes(secret: SecretStr | None) -> bytes | None:
    return None if secret is None else secret.get_secret_value().encode()
