"""Phone numbers as the stand-ins of WhatsApp see them: who is meant, and by which address.

Here: Brazil's ninth digit (CONTRACT clinic §6.3). Not here: whether a number is on WhatsApp.
"""

from __future__ import annotations

from typing import Final

SUFFIX: Final = "@s.whatsapp.net"
_FIRST_REGION_WITHOUT_NINTH_DIGIT: Final = 31
_FIRST_MOBILE_DIGIT: Final = 7
_UNUSED_REGIONS: Final = frozenset(
    {*range(11), 20, 23, 25, 26, 29, 30, 36, 39, 40, 50, 52, *range(56, 61), 70, 72, 76, 78, 80, 90}
)


def assigned(number: str) -> bool:
    """False for a Brazilian number whose area code does not exist."""
    digits = number.partition("@")[0]
    return not (digits.startswith("55") and len(digits) in (12, 13) and int(digits[2:4]) in _UNUSED_REGIONS)


def person(number: str) -> str:
    """The same text for all forms of one Brazilian number: no country code, no ninth digit."""
    digits = "".join(sign for sign in number.partition("@")[0] if sign.isdigit())
    if len(digits) >= 12 and digits.startswith("55"):
        digits = digits[2:]
    return digits[:2] + digits[3:] if len(digits) == 11 and digits[2] == "9" else digits


def address(number: str) -> str:
    """What Evolution makes of a number; one with a suffix is used as it is."""
    if "@" in number:
        return number
    digits = "".join(sign for sign in number if sign.isdigit())
    if len(digits) == 13 and digits.startswith("55"):
        region, first = int(digits[2:4]), int(digits[5])
        if region >= _FIRST_REGION_WITHOUT_NINTH_DIGIT and first >= _FIRST_MOBILE_DIGIT:
            digits = digits[:4] + digits[5:]
    return digits + SUFFIX
