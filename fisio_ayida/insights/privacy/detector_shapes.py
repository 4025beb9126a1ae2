"""What the second detector knows by its shape: dates, ages above 89, addresses, documents and plates.

Here: rules over the words and numbers of a text, none of them the scrubber's. Not here: names and what the clinic
knows of a patient (``detector.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from fisio_ayida.insights.privacy.clinical_words import UNITS
from fisio_ayida.insights.privacy.detector_tokens import Token
from fisio_ayida.insights.privacy.plain_text import words
from fisio_ayida.insights.privacy.vocabulary import SAFE, marks

#: An age from here on tells more than a band of ages.
OLDEST: Final = 90
#: Nobody is older; a larger number is something else.
_OLDER_THAN_ANYBODY: Final = 125

_MONTHS: Final = words("janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro")
_SHORT_MONTHS: Final = words("jan fev mar abr mai jun jul ago set out nov dez")
_BORN: Final = words(
    "dia data desde nasc nascido nascida nasceu nascimento dn operou operado operada cirurgia retorno"
)
_IN: Final = words("em no ate para dia desde")
_OF_DOCUMENTS: Final = words(
    "cpf rg cns cnpj cnh crefito crm coren cref passaporte carteirinha prontuario matricula"
)
_STREETS: Final = words("rua avenida av travessa alameda praca rodovia estrada ladeira bairro condominio edificio")
_JOINTS: Final = words("de da do das dos")
_COUNTED: Final = words("visitas sessoes consultas faltas atendimentos dias semanas pontos presencas exercicios")
_OF_PRESSURE: Final = words("pa pressao arterial pas pad tensao aferida")
_YEARS: Final = words("anos aninhos primaveras")
_TENS: Final = words("dez vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem cento")


def kinds(tokens: Sequence[Token]) -> set[str]:
    """Which of ``address``, ``age``, ``date``, ``document`` there are."""
    found: set[str] = set()
    for at, token in enumerate(tokens):
        if token.is_number:
            if _is_date(tokens, at) or _is_year(tokens, at):
                found.add("date")
            if _is_age(tokens, at):
                found.add("age")
        elif token.folded in _MONTHS or token.folded in _SHORT_MONTHS:
            if _is_month(tokens, at):
                found.add("date")
        elif token.folded in _STREETS:
            if _is_street(tokens, at):
                found.add("address")
        elif token.folded in _OF_DOCUMENTS:
            if _is_document(tokens, at):
                found.add("document")
        elif token.folded in ("noventa", "cem", "cento"):
            found |= {"age" for each in tokens[at + 1 : at + 4] if each.folded in _YEARS}
        if len(token.text) == 3 and token.text.isupper() and _is_plate(tokens, at):
            found.add("document")
    return found


def _is_date(tokens: Sequence[Token], at: int) -> bool:
    """Whether a day begins here: of three numbers, or of two if it can be no score and no pressure."""
    numbers = _numbers(tokens, at)
    if len(numbers) == 3:
        return _is_full_date(numbers)
    if len(numbers) != 2 or numbers[1].before not in ("/", "-", "."):
        return False
    day, month = int(numbers[0].folded), int(numbers[1].folded)
    if not (len(numbers[0].text) <= 2 and len(numbers[1].text) <= 2 and 1 <= day <= 31 and 1 <= month <= 12):
        return False
    before = [token.folded for token in tokens[max(0, at - 2) : at] if "|" not in token.before]
    after = tokens[at + 2] if at + 2 < len(tokens) else None
    if after is not None and (after.folded in _COUNTED or after.folded in UNITS) and after.before in ("", " "):
        return False
    # "Pós cirurgia, EVA 5/10": only what stands directly before, or before a word like "em", announces a day.
    is_cued = before[-1:] != [] and (before[-1] in _BORN or (before[-1] in _IN and before[0] in _BORN))
    if numbers[1].before != "/":
        return is_cued and day > 12
    if is_cued or (before[-1:] and before[-1] in _IN and day > month):
        return True
    if not _OF_PRESSURE.isdisjoint(token.folded for token in tokens[max(0, at - 5) : at]):
        return False
    # Scores are no greater than what they are of: 7/10, 4/5, 10/12.
    return numbers[1].text[0] == "0" or (day > 12 and month == 12) or day > 18


def _is_full_date(numbers: Sequence[Token]) -> bool:
    first, second, third = numbers
    if second.before != third.before or second.before.strip() not in ("/", "-", "."):
        return False
    day, month, year = first.folded, second.folded, third.folded
    if len(day) == 4:
        day, year = year, day
    # 12-10-08 are repetitions as well; with strokes it is a date.
    is_year = len(year) == 4 or (len(year) == 2 and second.before.strip() == "/")
    return is_year and 1 <= int(day) <= 31 and 1 <= int(month) <= 12


def _numbers(tokens: Sequence[Token], at: int) -> list[Token]:
    """The numbers from here on with only a stroke, a hyphen or a dot between them; none if one stands before."""
    if at > 0 and tokens[at - 1].is_number and tokens[at].before in ("/", "-", ".", ","):
        return []
    rest = takewhile(
        lambda each: each.is_number and each.before.strip() in ("/", "-", "."), tokens[at + 1 : at + 5]
    )
    return [tokens[at], *rest]


def _is_year(tokens: Sequence[Token], at: int) -> bool:
    token = tokens[at]
    if not (len(token.text) == 4 and "1900" <= token.folded <= "2099") or at == 0 or token.before != " ":
        return False
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if after is not None and (after.is_number or _is_unit(after)):
        return False
    return tokens[at - 1].folded in ("em", "desde", "ano")


def _is_unit(token: Token) -> bool:
    return token.folded in UNITS or token.folded in ("metros", "passos")


def _is_month(tokens: Sequence[Token], at: int) -> bool:
    token = tokens[at]
    before = [] if "|" in token.before else tokens[max(0, at - 2) : at]
    rest = tokens[at + 1 : at + 3]
    if token.folded in _SHORT_MONTHS:
        return bool(rest) and rest[0].is_number and rest[0].before == "/" and len(rest[0].text) in (2, 4)
    # "Marco de 3 visitas" is none.
    if len(before) == 2 and before[1].folded == "de" and (before[0].is_number or _is_number_word(before[0])):
        return True
    if rest and rest[0].is_number and rest[0].before.strip() in ("/", "-", "") and len(rest[0].text) in (2, 4):
        return True
    return len(rest) == 2 and rest[0].folded == "de" and rest[1].is_number and len(rest[1].text) == 4


def _is_number_word(token: Token) -> bool:
    units = "primeiro dois tres quatro cinco seis sete oito nove onze doze treze quatorze catorze quinze dezesseis"
    return token.folded in _TENS or token.folded in f"{units} dezessete dezoito dezenove".split()


def _is_age(tokens: Sequence[Token], at: int) -> bool:
    number = int(tokens[at].folded) if len(tokens[at].text) <= 3 else 0
    if not OLDEST <= number <= _OLDER_THAN_ANYBODY or (at > 0 and tokens[at].before in ("/", "-", ".", ",")):
        return False
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if after is not None and after.before in ("", " ", "-") and after.folded in _YEARS:
        return True
    if after is not None and after.folded == "a" and after.before == "":
        return True
    if "|" in tokens[at].before:
        return False
    before = [token.folded for token in tokens[max(0, at - 2) : at]]
    if "idade" in before:
        return True
    is_measured = after is not None and ("°" in after.before or "%" in after.before or _is_unit(after))
    return before[-1:] == ["aos"] and not is_measured


def _is_street(tokens: Sequence[Token], at: int) -> bool:
    if tokens[at].text.isupper():
        return False
    for token in tokens[at + 1 : at + 5]:
        is_abbreviated = tokens[at].folded == "av" and token is tokens[at + 1] and token.before == ". "
        if token.before != " " and not is_abbreviated:
            return False
        if token.has_capital and not marks(token.folded) & SAFE:
            return True
        if token.folded not in _JOINTS and not (token.has_capital or marks(token.folded) & SAFE):
            return False
    return False


def _is_document(tokens: Sequence[Token], at: int) -> bool:
    digits = 0
    for token in tokens[at + 1 : at + 7]:
        if "|" in token.before or "\n" in token.before:
            break
        digits += len(token.text) if token.is_number else 0
        if not token.is_number and len(token.text) > 3:
            break
    return digits >= 3


def _is_plate(tokens: Sequence[Token], at: int) -> bool:
    rest = tokens[at + 1 : at + 4]
    if not rest or not rest[0].is_number or rest[0].before not in ("", "-"):
        return False
    if len(rest[0].text) == 4:
        return True
    return (
        len(rest) == 3
        and [len(each.text) for each in rest] == [1, 1, 2]
        and rest[1].text.isupper()
        and rest[2].is_number
        and rest[1].before == rest[2].before == ""
    )
