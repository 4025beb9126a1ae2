"""Where a message goes: one spelling for each address, so that opt-outs and suppressions find it again.

Here: canonical and masked e-mail addresses, WhatsApp numbers and push tokens (CONTRACT clinic §6.3, §8, §15.3).
Not here: whose address it is, hashes (sealing.py), whether anybody may be written to (rules.py).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from fisio_ayida.messaging.model import Channel, MessagingError

AddressProblem = Literal["no_address", "address_invalid"]

_BRAZIL: Final = 55
_BRAZILIAN_TYPES: Final = frozenset((PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE))
# No slash, comma or line break: "3265-4321/22" is two telephones, and their digits together a third person's.
_PHONE_SHAPE: Final = re.compile(r"\(?\+?[0-9 \t().‐‑‒–—−-]+")
# Dialled between the zero and the area code; those that phonenumbers knows.
_CARRIERS: Final = frozenset(("12", "14", "15", "21", "22", "23", "25", "31", "41", "43", "55", "65", "99"))
# How Brazilians write "trunk zero and the carrier of your choice".
_ANY_CARRIER: Final = re.compile(r"(\(?)0 ?[xX]{2}")
_NOT_DIGIT: Final = re.compile(r"[^0-9]")
_PUSH_TOKEN: Final = re.compile(r"(ExponentPushToken|ExpoPushToken)\[[!-Z^-~]{1,200}\]")
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SEVERAL: Final = re.compile(r"[,;<>]")


class AddressError(MessagingError):
    """There is no address, or it is none. The text says what is wrong with it, never what it is."""

    def __init__(self, reason: AddressProblem, text: str) -> None:
        super().__init__(text)
        self.reason: AddressProblem = reason


def canonical(channel: Channel, text: str | None) -> str:
    """The one spelling of an address.

    E-mail: lower case, the domain in its ASCII form. Case is dropped on both sides of the @: no mail service tells
    Ana@ from ana@, and an opt-out of the one must hold for the other.

    WhatsApp: digits with country code. Without ``+`` the number is Brazilian, and its length decides
    (10–11 digits are national, so area code 55 exists). A mobile of eight digits gets its ninth. With ``+`` it may
    be of any country: put one before a foreign number that a provider gave.

    Push: an Expo token, unchanged.

    Raises:
        AddressError: empty, or not an address.
    """
    if text is None or not text.strip():
        raise AddressError("no_address", f"{channel}: no address")
    if channel == "email":
        return _email(text)
    if channel == "whatsapp":
        return _phone(text)
    return _push_token(text)


def mask(channel: Channel, address: str) -> str:
    """A canonical address as a person may see it in a log or a list."""
    if channel == "email":
        local, at, domain = address.rpartition("@")
        return f"{local[:1]}…{at}{domain}" if at else "…"
    if channel == "whatsapp":
        # A short number would be shown whole.
        shown = 4 if len(address) >= 12 else 2
        return f"{address[:shown]}…{address[-shown:]}"
    prefix, bracket, rest = address.partition("[")
    last = rest[:-1][-4:] if len(rest) > 8 else ""
    return f"{prefix}[…{last}]" if bracket else "…"


def _email(text: str) -> str:
    bare = text.strip(" \t\u00a0")
    if _BREAKS.search(bare):
        raise _invalid("email: a line break or control character in it")
    if _SEVERAL.search(bare):
        raise _invalid("email: a list or a display name, expected one bare address")
    try:
        parts = validate_email(bare, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        # The library's own text quotes the address, and so would the chain.
        raise _invalid("email: not name@domain as mail servers take it") from None
    return f"{parts.local_part.lower()}@{parts.ascii_domain}"


def _phone(text: str) -> str:
    if not text.isascii():
        # Contacts copied from a phone carry invisible direction marks.
        text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    text = _ANY_CARRIER.sub(r"\g<1>0", text.strip(), count=1)
    if not _PHONE_SHAPE.fullmatch(text):
        raise _invalid("phone: something that is not a digit or a separator, expected one number")
    digits = _NOT_DIGIT.sub("", text)
    is_international = "+" in text
    if is_international and not digits.startswith(str(_BRAZIL)):
        return _foreign(digits)
    if digits.startswith("00"):
        is_international, digits = True, digits[2:]
        if not digits.startswith(str(_BRAZIL)):
            raise _invalid("phone: an international prefix, expected + before a foreign number")
    if is_international or (len(digits) >= 12 and digits.startswith(str(_BRAZIL))):
        digits = digits[2:]
    return f"{_BRAZIL}{_national(digits)}"


def _national(digits: str) -> str:
    """Area code and subscriber of a Brazilian number; CONTRACT clinic §6.3."""
    if digits.startswith("0"):
        digits = digits[1:]
        # An old mobile of eight digits is not read behind a carrier: a digit too many in "0 21 98765-43210"
        # would make it a third person's.
        is_landline = len(digits) == 12 and digits[4] in "2345"
        if digits[:2] in _CARRIERS and (is_landline or len(digits) == 13):
            digits = digits[2:]
    if len(digits) not in (10, 11):
        raise _invalid(f"phone: {len(digits)} digits, expected 10 or 11 with area code")
    if len(digits) == 10 and digits[2] in "6789":
        digits = f"{digits[:2]}9{digits[2:]}"
    number = PhoneNumber(country_code=_BRAZIL, national_number=int(digits))
    if digits[0] == "0" or phonenumbers.number_type(number) not in _BRAZILIAN_TYPES:
        raise _invalid(f"phone: {len(digits)} digits, but no Brazilian mobile or landline of a person")
    if len(digits) == 11 and len(set(digits[3:])) == 1:
        raise _invalid("phone: one digit repeated, as typed to fill a field")
    return digits


def _foreign(digits: str) -> str:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        raise _invalid("phone: no country has this code") from None
    if not phonenumbers.is_valid_number(number):
        raise _invalid(f"phone: {len(digits)} digits, but no number of country code {number.country_code}")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


def _push_token(text: str) -> str:
    token = text.strip(" ")
    if not _PUSH_TOKEN.fullmatch(token):
        raise _invalid("push: expected ExponentPushToken[…] or ExpoPushToken[…]")
    return token


def _invalid(text: str) -> AddressError:
    return AddressError("address_invalid", text)
