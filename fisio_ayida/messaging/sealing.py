"""Keeping what messages say and where they go from who only sees the database.

Here: encryption of bodies under MESSAGING_KEY, hashes of addresses and contents, signatures of links.
Not here: what is kept, and for how long.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from fisio_ayida.messaging.model import Channel, MessagingError

_NONCE_BYTES = 12
_KEY_BYTES = 32
# A key's own mark in front of what it has encrypted, so that the right one of several is tried.
_MARK_BYTES = 4
_ADOPT = """
update messaging.hashing set fingerprint = %(fingerprint)s
where fingerprint is not distinct from %(known)s
  and not exists (select from messaging.messages where address_hash is not null)
  and not exists (select from messaging.replies)
  and not exists (select from messaging.preferences where address_hash is not null)
  and not exists (select from messaging.suppressions)
"""


class SealError(MessagingError):
    """A key is malformed, or none of the keys opens what was sealed."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Encrypts with the first key, decrypts with any."""

    _keys: tuple[tuple[bytes, AESGCM], ...]
    _chance: Callable[[int], bytes] = os.urandom

    @classmethod
    def of(cls, keys: SecretStr | None) -> Sealer | None:
        """The sealer of MESSAGING_KEY; None without one.

        Raises:
            SealError: a key is not 32 bytes as base64; its place is named, never its text.
        """
        if keys is None:
            return None
        made = []
        for place, text in enumerate(keys.get_secret_value().split(","), 1):
            try:
                raw = base64.b64decode(text.strip(), validate=True)
            except binascii.Error:
                raw = b""
            if len(raw) != _KEY_BYTES:
                raise SealError(f"MESSAGING_KEY: key number {place} is not {_KEY_BYTES} bytes as base64")
            made.append((hashlib.sha256(raw).digest()[:_MARK_BYTES], AESGCM(raw)))
        return cls(tuple(made))

    def seal(self, plain: bytes, key: str) -> bytes:
        """Encrypt; what was sealed under one message's key does not open under another's."""
        mark, cipher = self._keys[0]
        nonce = self._chance(_NONCE_BYTES)
        return mark + nonce + cipher.encrypt(nonce, plain, key.encode())

    def open(self, sealed: bytes, key: str) -> bytes:
        """Decrypt.

        Raises:
            SealError: made with a key that MESSAGING_KEY no longer has, for another message, or changed.
        """
        mark, nonce, rest = sealed[:_MARK_BYTES], sealed[_MARK_BYTES:][:_NONCE_BYTES], sealed[16:]
        for own, cipher in self._keys:
            if own == mark:
                try:
                    return cipher.decrypt(nonce, rest, key.encode())
                except InvalidTag:
                    break
        raise SealError(
            f"the body of message {key!r} cannot be decrypted: MESSAGING_KEY lacks the key that sealed it"
        )


def _keyed(salt: bytes, words: str) -> tuple[bytes, bytes]:
    """The key of all hashes, and what tells it from another one."""
    key = hmac.digest(salt, words.encode(), "sha256")
    return key, hmac.digest(key, b"fingerprint", "sha256")


def new_key() -> str:
    """A key for MESSAGING_KEY."""
    return base64.b64encode(AESGCM.generate_key(8 * _KEY_BYTES)).decode()


@dataclass(frozen=True, slots=True)
class Hasher:
    """Keyed hashes: equal texts are found again, and nobody without the key can try all telephone numbers."""

    _key: bytes

    @classmethod
    def open(cls, conn: psycopg.Connection[Any], secret: SecretStr | None) -> Hasher:
        """The hasher of this database and MESSAGING_HASH_KEY, which may change until there is an address's hash.

        Raises:
            SealError: the database's hashes were made with another MESSAGING_HASH_KEY: every opt-out would be
                forgotten.
        """
        row = conn.execute("select salt, fingerprint from messaging.hashing").fetchone()
        if row is None:
            raise SealError("messaging.hashing has lost its row; restore it from a backup")
        salt, known = row
        key, fingerprint = _keyed(salt, "" if secret is None else secret.get_secret_value())
        if known != fingerprint:
            # Two processes that start at once agree on the first.
            conn.execute(_ADOPT, {"fingerprint": fingerprint, "known": known})
            again = conn.execute("select fingerprint from messaging.hashing").fetchone()
            known = again[0] if again else None
        if known != fingerprint:
            back = "It was not set: unset it" if known == _keyed(salt, "")[1] else "Set the old one again"
            raise SealError(
                "MESSAGING_HASH_KEY is another one than the addresses in this database were hashed with: "
                f"opt-outs and suppressions would be forgotten. {back}"
            )
        return cls(key)

    def address(self, channel: Channel, address: str) -> bytes:
        """The hash of a canonical address."""
        return hmac.digest(self._key, f"{channel}:{address}".encode(), "sha256")

    def content(self, handed_over: bytes) -> bytes:
        """The hash of what is handed to a provider."""
        return hmac.digest(self._key, b"content:" + handed_over, "sha256")

    def signature(self, purpose: str, text: str) -> str:
        """Proves that a link is ours: 43 characters of base64url."""
        made = hmac.digest(self._key, f"link:{purpose}:{text}".encode(), "sha256")
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def is_signed(self, purpose: str, text: str, signature: str) -> bool:
        """Whether the signature is ours."""
        return hmac.compare_digest(self.signature(purpose, text).encode(), signature.encode())
