"""Made-up people: Brazilian names from Faker, addresses that are nobody's.

Here: names, telephones and e-mail addresses. Not here: what becomes of the people (``clinics.py``).
"""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

#: A block of numbers that no operator has given out, in Vitória and in Rio Branco; the last four digits are ours.
_BLOCK: Final = "99900"
FIRST_NUMBER: Final = 1001
# People type their numbers as they like.
_SPELLINGS: Final = (
    "{area} {block}-{last}", "({area}) 9 9900-{last}", "+55 {area} {block}-{last}", "{area}{block}{last}",
)  # fmt: skip
#: Reserved for examples; mail to it goes nowhere.
MAIL_DOMAIN: Final = "example.com"


class People:
    """A source of people: the same seed gives the same ones in the same order.

    Args:
        first_number: of their telephones; two sources in one database must not share any.
    """

    def __init__(self, seed: int, first_number: int = FIRST_NUMBER) -> None:
        from faker import Faker

        self._faker = Faker("pt_BR")
        self._faker.seed_instance(seed)
        self.chance = random.Random(seed)  # noqa: S311  nothing secret
        self._numbers = itertools.count(first_number)
        self._mails = itertools.count(1)

    def name(self) -> str:
        """A first name and two family names."""
        return f"{self._faker.first_name()} {self._faker.last_name()} {self._faker.last_name()}"

    def phone(self, area: str) -> str:
        """A mobile number of an area, spelled in one of the usual ways."""
        number = next(self._numbers)
        spelling = _SPELLINGS[number % len(_SPELLINGS)]
        return spelling.format(area=area, block=_BLOCK, last=number)

    def email(self, name: str) -> str:
        """An address made of a name."""
        words = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().split()
        return f"{words[0]}.{words[-1]}.{next(self._mails)}@{MAIL_DOMAIN}"

    def document(self) -> str:
        """A CPF that nobody can have: its check digits are wrong."""
        digits = f"{self.chance.randrange(10**9):09}"
        wrong = (int(_check_digits(digits)) + 1) % 100
        return f"{digits[:3]}.{digits[3:6]}.{digits[6:]}-{wrong:02}"

    def one_of(self, choices: Sequence[T]) -> T:
        """One of these."""
        return self.chance.choice(choices)


def _check_digits(digits: str) -> str:
    found = digits
    for _ in range(2):
        weighed = sum(int(digit) * weight for digit, weight in zip(reversed(found), range(2, 12), strict=False))
        found += str(0 if weighed % 11 < 2 else 11 - weighed % 11)
    return found[-2:]
