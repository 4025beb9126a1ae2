"""Which words a language has: the dictionaries of ``simplemma``, in as little memory as it can do.

Here: looking up, from several threads. Not here: what follows from a word being known (``privacy/``,
``narrative/speech.py``).
"""

from __future__ import annotations

import threading
from typing import Literal

import simplemma

Language = Literal["pt", "es", "en"]

# Threads that begin at once would each load the same dictionary, which takes most of a second.
_LOADING = threading.Lock()


def is_known(word: str, language: Language) -> bool:
    """Whether the language's dictionary has the word, as it is spelled here."""
    with _LOADING:
        return simplemma.is_known(word, language, low_memory=True)


def lemma(word: str) -> str:
    """The form under which a Portuguese dictionary lists a word."""
    with _LOADING:
        return simplemma.lemmatize(word, "pt", low_memory=True)
