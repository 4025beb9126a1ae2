"""What an answer means (CONTRACT clinic §16), whatever its case, accents, punctuation and skin tone.

Pure and careful: only words that can mean nothing else are acted on, the rest is for people. Not here: which
message is answered, and what follows (``replies.py``).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["confirm", "reschedule", "stop", "start", "ambiguous_cancel", "score", "other"]


@dataclass(frozen=True, slots=True)
class Intent:
    """All readings of an answer: "1" confirms a visit, and is a poor score where a score was asked for.

    Args:
        score: 0 to 10, if it could be one; the kind is ``score`` if it can be nothing else.
    """

    kind: Kind
    score: int | None = None


# What buttons send, whatever is written on them.
_BUTTONS: Final[tuple[tuple[str, Kind], ...]] = (("confirm_appt_", "confirm"), ("reschedule_appt_", "reschedule"))

_THUMB = "👍"
_SIGNS: Final = {ord("👌"): " ok ", ord("✅"): " ok ", ord("✔"): " ok ", ord(_THUMB): f" {_THUMB} "}
# Politeness changes nothing.
_COURTESY: Final = re.compile(
    r"\b(?:oi|ola|bom dia|boa tarde|boa noite|por favor|pfv?|por gentileza|(?:muito )?obrigad[oa]|obg|grat[oa]|"
    r"valeu|tudo bem|ate (?:la|amanha|logo|mais))\b"
)
_VISIT = r"(?:(?:a|o|minha|meu|essa|esta|esse|este)? ?(?:presenca|consulta|sessao|visita|horario|atendimento))"
_YES = r"(?:1|sim|ss?|confirmo|confirmar|confirmad[oa]|ok(?:ay)?|👍)"
_MAIL = r"(?:(?:as|essas|estas|os|esses|suas)? ?(?:mensage(?:m|ns)|msgs?|lembretes?|avisos?))"
_RULES: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    (
        "stop",
        re.compile(
            r"(?:quero )?(?:parar?|pare|sair|stop|descadastrar)"
            rf"(?: (?:com|de receber|de mandar|de enviar))?(?: {_MAIL})?"
            rf"|(?:quero )?sair da lista|(?:quero )?cancel(?:ar|e|a) (?:de receber )?{_MAIL}"
            rf"|nao (?:quero|desejo) (?:mais )?(?:receber )?(?:mais )?{_MAIL}(?: mais)?"
            rf"|nao (?:me )?(?:mand|envi)(?:e|em|a|ar) (?:mais )?{_MAIL}(?: mais)?"
        ),
    ),
    ("start", re.compile(rf"voltar|start|(?:quero )?(?:voltar a )receber(?: {_MAIL})?")),
    ("ambiguous_cancel", re.compile(r"(?:quero |preciso |pode |gostaria de )?cancel(?:ar|a|e|amento)")),
    ("confirm", re.compile(rf"(?:eu )?(?:quero )?{_YES}(?: {_YES})*(?: {_VISIT})?")),
    (
        "reschedule",
        re.compile(
            r"(?:2 )?(?:(?:eu )?(?:quero|queria|preciso|precisava|gostaria de|posso|podemos|pode|vamos|vou) )?"
            rf"(?:re(?:marcar|agendar)|re(?:marque|agende)|trocar de horario|mudar (?:o|de) horario)(?: {_VISIT})?"
            r"|2|(?:eu )?nao (?:posso|vou poder|poderei|consigo|vou conseguir)(?: (?:ir|comparecer))?"
            r"(?: (?:e )?(?:quero |preciso )?re(?:marcar|agendar))?"
        ),
    ),
)  # fmt: skip
_NUMBERS: Final = ("zero", "um", "dois", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez")
_SCORE: Final = re.compile(
    rf"(?:(?:minha )?nota(?: e)?|dou(?: nota)?)? ?(10|[0-9]|{'|'.join(_NUMBERS)})(?: (?:de|em)? ?10)?(?: \D.*)?"
)
_FRACTION: Final = re.compile(r"\d\s*[.,]\s*\d")


def read(text: str, button: str | None = None) -> Intent:
    """The readings of somebody's words, or of the button that was pressed."""
    for prefix, kind in _BUTTONS:
        if (button or "").startswith(prefix):
            return Intent(kind)
    words = " ".join(_COURTESY.sub(" ", _plain(text)).split())
    score = None if _FRACTION.search(text) else _score(words)
    kind = _kind(words, asks="?" in text)
    if kind == "other" and score is not None:
        kind = "score"
    return Intent(kind, score)


def _kind(words: str, *, asks: bool) -> Kind:
    for kind, pattern in _RULES:
        if pattern.fullmatch(words):
            # Who asks "ok?" has not said yes.
            return "other" if asks and kind == "confirm" else kind
    return "other"


def _score(words: str) -> int | None:
    found = _SCORE.fullmatch(words)
    if found is None:
        return None
    number = found[1]
    return _NUMBERS.index(number) if number in _NUMBERS else int(number)


def _plain(text: str) -> str:
    """Lower-case words and numbers with one blank between, without accents; the thumb is a word."""
    parts = unicodedata.normalize("NFKD", text.translate(_SIGNS)).casefold()
    kept = []
    for char in parts:
        category = unicodedata.category(char)
        if char == _THUMB or category[0] in "LN":
            kept.append(char)
        elif category[0] != "M" and category != "Cf":
            kept.append(" ")
    return " ".join("".join(kept).split())
