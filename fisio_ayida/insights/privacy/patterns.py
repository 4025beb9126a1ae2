"""What tells who somebody is by its shape: addresses of e-mail and pages, documents, telephones, plates.

Here: one row for each shape, in the order in which they are looked for. All but plates are looked for in the
folded text, so none knows an accent or a capital. Not here: what a certain patient is known by (``known.py``), and
words (``walk.py``), dates and ages (``dates.py``). The second detector (``detector.py``) uses none of these.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from fisio_ayida.insights.privacy.dates import AGES, DATES, YEARS
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDER, PLACEHOLDERS
from fisio_ayida.insights.privacy.plain_text import fold
from fisio_ayida.insights.privacy.shape import NUMBER_WORD, SPELLED, UNITS, Shape

_SITES: Final = "com|net|org|br|gov|edu|app|info|online|site|blog|dev|xyz|pt|me|io|ly|gl|be|tv|link"
_FILES: Final = "jpe?g|png|gif|heic|webp|bmp|pdf|docx?|xlsx?|mp[34]|mov|avi|ogg|wav|opus|zip|dcm"
_AT: Final = r"(?:@|[(\[]\s?(?:at|arroba)\s?[)\]]|\barroba\b)"
_DOCUMENT: Final = (
    "cpf|rg|cns|cnpj|cnh|crefito|crm|coren|cref|crp|crn|cro|pis|nis|passaporte|carteirinha|carteira|matricula|prontuario"
    "|protocolo|inscricao|agencia|pix|cartao|rne|ctps|titulo de eleitor"
)
_PERHAPS_DOCUMENT: Final = (
    "registro|guia|senha|conta|codigo|cod|plano|convenio|id|numero|num|sus|autorizacao|contrato|boleto|nota fiscal"
)


_ROW_OF_DIGITS: Final = re.compile(r"\d[\d ./\-()+]*")
_SITE_ENDS: Final = tuple(f".{site}" for site in _SITES.split("|"))
_FILE_ENDS: Final = tuple(f".{file}" for file in ("jp", "mp", *re.findall(r"\w{3,}", _FILES)))

_HOUSE: Final = rf"(?>\d{{1,5}}|{NUMBER_WORD}(?:\se\s{NUMBER_WORD}){{0,2}})(?![\w,]*\d)"
_MEASURED: Final = (
    r"[\d.,/]|\w|\s?(?:x\b|vez|rep|ser|dia|min|sess|h\b|hora|seg|s\b|°|graus|%|kg|sem|mes|ano|pass|km|m\b|metr|exerc|ou\s\d|e\s\d)"
    r"|\s?[aà-]\s?\d"
)

SHAPES: Final = (
    Shape(
        "email",
        re.compile(
            rf"(?:[\w.+\-]{{1,64}}\s(?:ponto|underline|traco|hifen)\s){{0,4}}[\w.+\-]{{0,64}}\s?{_AT}\s?[\w\-]{{0,64}}"
            rf"(?:\s?\.\s?(?:{_SITES}|gmail|hotmail|outlook|yahoo|uol|icloud|terra|bol)\b|\.[\w\-]{{1,64}}|\s?\bponto\b\s?[\w\-]{{1,64}}){{0,6}}"
        ),
        ("@", "arroba", "(at)", "[at]", "( at", "[ at"),
    ),
    Shape("link", re.compile(r"\b\w{2,10}\s?:\s?//\s?\S*"), ("//",)),
    Shape("link", re.compile(r"\bwww\s?\.\s?\S*|\bhttps?\b\S*"), ("www", "http")),
    Shape(
        "link", re.compile(rf"\b[\w\-]{{1,63}}(?:\.[\w\-]{{1,63}}){{0,5}}\.(?:{_SITES})\b(?:/\S*)?"), _SITE_ENDS
    ),
    Shape("link", re.compile(r"\b[\w\-]{1,63}\sponto\s(?:com|org|net|br)\b(?:\sponto\s\w{2,3}\b)?"), (" ponto ",)),
    Shape("link", re.compile(rf"\S{{1,128}}\.(?:{_FILES})\b"), _FILE_ENDS),
    Shape("link", re.compile(r"\S{40,}")),
    Shape("address", re.compile(r"(?<!\d)\d{2}\.?\d{3}\s?-\s?\d{3}(?!\d)"), ("-",), digits=8),
    Shape("number", re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"), (".",), digits=4),
    *DATES,
    Shape(
        "document",
        re.compile(
            rf"(?<![\w\[])(?:{_DOCUMENT})\b[^\w\n\[]{{0,4}}(?:(?:n|no|num|numero|de|do|da|sus|final|[a-z]{{2}})\b[^\w\n\[]{{0,4}}){{0,3}}"
            r"(?P<it>(?:[a-z]{1,3}[\-/ ]?)?\d[\d./\- ]*(?<! )(?:[\-/][a-z]{1,2}\b)?)"
        ),
        digits=1,
    ),
    Shape(
        "document",
        re.compile(
            rf"(?<![\w\[])(?:{_PERHAPS_DOCUMENT})\b[^\w\n\[]{{0,4}}(?:(?:n|no|num|numero|de|do|da)\b[^\w\n\[]{{0,4}}){{0,2}}"
            r"(?P<it>(?:[a-z]{1,3}[\-/ ]?)?\d[./\- ]{0,2}\d[./\- ]{0,2}\d[\d./\- ]*(?<! ))"
        ),
        digits=2,
    ),
    Shape(
        "document", re.compile(r"(?<!\d)\d{2}[. ]?\d{3}[. ]?\d{3} ?/ ?\d{4} ?-? ?\d{2}(?!\d)"), ("/",), digits=14
    ),
    Shape("document", re.compile(r"(?<!\d)\d{3}[. ]?\d{3}[. ]?\d{3} ?[\-. ] ?\d{2}(?!\d)"), digits=11),
    Shape("document", re.compile(r"(?<!\d)[1-9]\d{2}(?:[ .]?\d{4}){3}(?!\d)"), digits=15),
    Shape("document", re.compile(r"(?<!\d)\d{1,2}\.\d{3}\.\d{3}(?: ?- ?[\dx])?(?!\w)"), (".",), digits=7),
    Shape(
        "document", re.compile(r"(?<!\w)[A-Za-z]{3} ?- ?\d[A-Za-z0-9]\d{2}(?!\w)"), ("-",), digits=1, in_text=True
    ),
    Shape("document", re.compile(r"(?<!\w)[A-Z]{3} ?\d[A-Z0-9]\d{2}(?!\w)"), digits=1, in_text=True),
    Shape(
        "phone",
        re.compile(
            r"(?<!\d)(?:\+ ?)?(?:55[ .\-]{0,2})?\(? ?0?[1-9]\d ?\)?[ .\-]{0,3}"
            r"(?:9[ .\-]{0,2})?\d{4}[ .\-]{0,3}\d{4}(?!\d)"
        ),
        digits=10,
    ),
    Shape("phone", re.compile(r"(?<!\d)(?:9[ .\-]{0,2})?[2-9]\d{3}[ .]?[-/]?[ .]?\d{4}(?!\d)"), digits=8),
    # Eight digits or more with nothing but blanks, dots, hyphens or brackets between them; commas make a list.
    Shape("number", re.compile(r"[+(]?\d(?:[ .\-()+]*\d){7,}"), digits=8),
    Shape(
        "number",
        re.compile(rf"(?:\d|\b{UNITS}\b)(?:[ .\-()+]*(?:\d|\b{UNITS}\b)){{7,}}"),
        (*SPELLED, "um ", "uma ", "meia "),
    ),
    Shape("number", re.compile(r"\d{5,}"), digits=5),
    Shape("number", re.compile(r"r\$\s?\d[\d.,]*(?<![.,])"), ("r$",)),
    Shape("number", re.compile(r"\b\d[\d.,]*\s?(?:reais|real|conto|contos)\b"), ("rea", "conto")),
    Shape(
        "number", re.compile(r"(?:\bfinal|terminado em|terminada em)\s(?P<it>\d{3,4})\b"), ("final", "terminad")
    ),
    Shape(
        "number",
        re.compile(r"(?:#\s?|(?<!sessao )(?<!atendimento )\bn[°.]{1,2}\s?)(?P<it>\d{2,})"),
        ("#", "n°", "n."),
    ),
    Shape(
        "number",
        re.compile(rf"\b{NUMBER_WORD}(?:(?:\s?[,.\-]\s?|\s)(?:(?:e|traco|hifen|ponto)\s)?{NUMBER_WORD}\b){{4,}}"),
    ),
    # Where somebody lives or lies: not "em casa 3x ao dia".
    Shape(
        "number",
        re.compile(
            rf"\b(?:(?<!em )casa|sala|quarto|leito|apto|apt|apartamento|bloco|torre|predio)\s"
            r"(?:(?:de\s)?n(?:°|o|umero)?\.?\s)?"
            rf"(?P<it>{_HOUSE})(?!{_MEASURED})"
        ),
        ("casa", "sala ", "quarto ", "leito ", "apt", "apart", "bloco", "torre", "predio"),
    ),
    Shape(
        "number",
        re.compile(
            rf"\b(?:em\scasa|mora\w{{0,3}}|resid\w+|rua|casa)(?:\s[a-z]{{1,12}}){{0,3}}?\snumero:?\s(?P<it>{_HOUSE})(?!{_MEASURED})"
        ),
        ("numero",),
    ),
    *YEARS,
    *AGES,
)


def without_shapes(text: str, hits: Counter[str]) -> str:
    """The text with a placeholder for each thing that is recognised by its shape; counts them in ``hits``."""
    folded = fold(text)
    digits = max((sum(map(str.isdigit, row)) for row in _ROW_OF_DIGITS.findall(folded)), default=0)
    for shape in SHAPES:
        if digits < shape.digits or (shape.needs and not any(needed in folded for needed in shape.needs)):
            continue
        replaced = _replace(shape, text, folded, hits)
        if replaced is not text:
            text, folded = replaced, fold(replaced)
    return text


def _replace(shape: Shape, text: str, folded: str, hits: Counter[str]) -> str:
    instead = PLACEHOLDERS[shape.kind] if shape.instead is None else shape.instead
    parts: list[str] = []
    done = 0
    for match in shape.pattern.finditer(text if shape.in_text else folded):
        start, end = match.span("it" if "it" in match.re.groupindex else 0)
        if PLACEHOLDER.search(folded, start, end):
            # Something beside what was already taken out: only what is not yet a placeholder would be replaced.
            continue
        parts += text[done:start], instead
        done = end
        hits[shape.kind] += 1
    return "".join((*parts, text[done:])) if parts else text
