"""What a passage may not sound like: another language, a diagnosis, the machine's own words.

Here: conservative lists and shares of known words. Not here: numbers, citations and identities
(``validation.py``).
"""

from __future__ import annotations

import re
from typing import Final

from fisio_ayida.insights.dictionaries import is_known
from fisio_ayida.insights.narrative.lines import bare

#: Share of a passage's words that a Portuguese dictionary knows; names of exercises and drugs are unknown to it.
KNOWN_PORTUGUESE: Final = 0.6
_WORD = re.compile(r"[^\W\d_]+")

# Compared without accents, in lower case. A diagnosis that the record has is the professional's to repeat.
_DIAGNOSES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bdiagnos\w*",
        r"\b(?:confirma|confirmam|confirmando|confirmou|comprova|comprovam)(?: \w+){0,3} "
        r"(?:lesao|ruptura|hernia|sindrome|doenca|patologia|fratura|\w+(?:ite|ose|patia))\b",
        r"\b(?:sofre de|sofrendo de|portador(?:a)? de|acometid[oa] (?:de|por)|padece de)\b",
        r"\btrata-se de (?:um |uma )?(?:caso|quadro|lesao|hernia|sindrome|doenca|patologia|ruptura)\b",
        r"\b(?:tem|possui|apresenta|desenvolveu) (?:um |uma )?"
        r"(?:doenca|sindrome|hernia|ruptura|patologia|fratura)\b",
        r"\bcid\b(?:[ -]?1[01])?",
        # ICD codes; a letter and two figures alone may be a vertebra (T12).
        r"\b[a-z]\d{2}\.\d",
        r"\b[fgm]\d{2}\b",
    )
)
# Refs and fields, what stands for scrubbed texts, mark-up.
_MACHINE: Final = re.compile(r"\bsessao\.\d|\b[a-z0-9]+_[a-z0-9_.]+\b|[\[\]<>{}`]|\*\*|^#|^[-*•]\s")


def is_portuguese(text: str) -> bool:
    """Whether most words of a passage are Portuguese, and no more of them are Spanish alone than Portuguese alone.

    Half of all Spanish words are Portuguese too, so that a share by itself does not tell the two apart. English is
    told by the share: exercises have English names.
    """
    words = [word.lower() for word in _WORD.findall(text)]
    if not words:
        return False
    portuguese = {word for word in words if is_known(word, "pt")}
    spanish = {word for word in words if is_known(word, "es")}
    english_too = {word for word in spanish - portuguese if is_known(word, "en")}
    share = sum(word in portuguese for word in words) / len(words)
    return share >= KNOWN_PORTUGUESE and len(portuguese - spanish) >= len(spanish - portuguese - english_too)


def is_diagnosis(text: str) -> bool:
    """Whether a passage names a disease as found, or a code of one."""
    plain = bare(text)
    return any(pattern.search(plain) for pattern in _DIAGNOSES)


def is_machine(text: str) -> bool:
    """Whether a passage has refs, placeholders or mark-up in it."""
    return _MACHINE.search(bare(text)) is not None
