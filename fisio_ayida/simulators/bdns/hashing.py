"""Numbers out of a seed: the splitmix64 hash for one value and for whole arrays.

Everything the simulator shows is a pure function of (seed, place in the data, step), drawn here.
No data and no state live in this module.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
T = TypeVar("T")

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_M1 = 0xBF58476D1CE4E5B9
_M2 = 0x94D049BB133111EB
_A_GOLDEN, _A_M1, _A_M2 = np.uint64(_GOLDEN), np.uint64(_M1), np.uint64(_M2)
_S30, _S27, _S31, _S33 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(33)


@lru_cache(maxsize=4096)
def salt(*parts: object) -> int:
    """A 64-bit constant for a purpose, the same on every machine and run."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def mix(value: int) -> int:
    """Splitmix64 of one number."""
    x = (value + _GOLDEN) & _MASK
    x = ((x ^ (x >> 30)) * _M1) & _MASK
    x = ((x ^ (x >> 27)) * _M2) & _MASK
    return x ^ (x >> 31)


def mix_all(values: U64) -> U64:
    """Splitmix64 of each number, equal to :func:`mix` one by one."""
    x = values + _A_GOLDEN
    x = (x ^ (x >> _S30)) * _A_M1
    x = (x ^ (x >> _S27)) * _A_M2
    return x ^ (x >> _S31)


def draw(keys: U64, purpose: int) -> U64:
    """A fresh 64-bit number per key for one purpose."""
    return mix_all(keys ^ np.uint64(purpose))


def below(keys: U64, purpose: int, limit: int) -> I64:
    """A whole number from 0 to limit - 1 per key; limit under 2**31."""
    return (((draw(keys, purpose) >> _S33) * np.uint64(limit)) >> _S31).astype(np.int64)


def hits(keys: U64, purpose: int, rate: float) -> Flags:
    """True for about `rate` of the keys."""
    if rate <= 0:
        return np.zeros(len(keys), dtype=np.bool_)
    if rate >= 1:
        return np.ones(len(keys), dtype=np.bool_)
    return draw(keys, purpose) < np.uint64(int(rate * 2.0**64))


def one_below(key: int, purpose: int, limit: int) -> int:
    """The scalar twin of :func:`below`."""
    return ((mix(key ^ purpose) >> 33) * limit) >> 31


def one_hit(key: int, purpose: int, rate: float) -> bool:
    """The scalar twin of :func:`hits`."""
    return rate >= 1 or (rate > 0 and mix(key ^ purpose) < int(rate * 2.0**64))


class Draw:
    """Named draws from one key, for rows that are written one at a time."""

    def __init__(self, key: int) -> None:
        self.key = key

    def below(self, limit: int, purpose: str) -> int:
        """A whole number from 0 to limit - 1."""
        return one_below(self.key, salt(purpose), limit)

    def hit(self, rate: float, purpose: str) -> bool:
        """True at about the given rate."""
        return one_hit(self.key, salt(purpose), rate)

    def pick(self, options: list[T] | tuple[T, ...], purpose: str) -> T:
        """One of the options."""
        return options[self.below(len(options), purpose)]
