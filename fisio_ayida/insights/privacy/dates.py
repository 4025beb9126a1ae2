"""Dates and ages: in digits and in words, with a year or without, and holidays.

Here: a row for each way to write them, in the order in which they are looked for. Not here: other shapes
(``patterns.py``). Strength (3/5), pain (7/10) and sessions (8/12) are no dates: day and month alone are one
only where the month has two digits or a word tells that a date follows.
"""

from __future__ import annotations

import re
from typing import Final

from fisio_ayida.insights.privacy.shape import NUMBER_WORD, Shape

_MONTHS: Final = "janeiro|fevereiro|marco|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro"
_MONTH: Final = f"(?:{_MONTHS}|jan|fev|mar|abr|mai|jun|jul|ago|set|out|nov|dez)"
#: A date follows at once, or behind "em", "dia" ...
_CUE: Final = (
    r"(?:nasc\w*|dn|data|desde|operou|operad[oa]s?|cirurgia|cx|retorn(?:o|a|ar)|volta|voltar|consulta|marcad[oa]"
    r"|agendad[oa]|remarcad[oa])"
)
#: Behind these, only with "em" or "dia".
_WEAK_CUE: Final = (
    r"(?:alta|exame|avaliacao|queda|caiu|acidente|internad[oa]|internou|atestado|pericia|parto|retirou)"
)
_LINKS: Final = r"(?:\s?:?\s?\b(?:em|no|na|dia|de|foi|ano)\b){0,3}"
_UNIT: Final = (
    r"\s?(?:x\b|vez|rep|ser|sess|atend|aula|min|h\b|hr|hora|dia|sem|mes|ano|seg|s\b|kg|quil|gram|cm|m\b|mm|mts?\b|km"
    r"|metr|pass|puls|irm|°|%|graus|w\b|et|temp|pont|real|reais|fil)"
)
_DAY_MONTH: Final = rf"(?:0?[1-9]|[12]\d|3[01])\s?[/.\-]\s?(?:0?[1-9]|1[0-2])(?!\d|[/.,\-]\d|{_UNIT})"
#: "quinze do quatro de oitenta e dois", "15 do 4".
_IN_WORDS: Final = (
    rf"(?>(?:{NUMBER_WORD}|primeiro)(?:\s(?:e|d[oea]|barra)\s(?:{NUMBER_WORD}|\d{{1,4}}\b))*)(?!{_UNIT}|\w)"
)
#: No score is greater than what it is of.
_NO_SCORE: Final = "|".join(
    rf"(?:{'|'.join(f'0?{day}' for day in range(31, month, -1))})/0?{month}(?![\d/])" for month in range(12, 0, -1)
)
_LENGTHS: Final = (
    r"m|mt|mts|metros|passos|ml|l|kg|g|n|w|j|v|mv|kcal|cal|calorias|mg|ui|ms|us|mcg|hz|khz|kj|lb|lbs|rpm|ppm|pts|pontos"
    r"|(?:im)?pulsos|disparos|choques|tiros|toques|saltos|rep|reps|repeticoes|joules|watts|volts"
)
_NO_SESSION: Final = r"(?<!sessao )(?<!sessao: )(?<!sessoes )(?<!atendimento )(?<!aula )"

DATES: Final = (
    Shape("date", re.compile(r"(?<!\d)\d{1,2}\s?[/.\-]\s?\d{1,2}\s?[/.\-]\s?(?:\d{4}|\d{2})(?!\d)"), digits=4),
    Shape("date", re.compile(r"(?<!\d)\d{4}\s?[/.\-]\s?\d{1,2}\s?[/.\-]\s?\d{1,2}(?!\d)"), digits=6),
    Shape(
        "date",
        re.compile(
            rf"\b(?:(?:dia\s)?(?:\d{{1,2}}°?|primeiro|{NUMBER_WORD}(?:\se\s{NUMBER_WORD})?)\s?(?:de\s|/|-)\s?)?"
            rf"(?:{_MONTHS})\b(?:\s?(?:de\s|/|-|,)?\s?(?:19|20)?\d{{2}}(?!\d))?"
        ),
        ("janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "bro"),
    ),
    Shape(
        "date",
        re.compile(
            rf"(?<![\w\[])\d{{1,2}}\s?[/\-.]?\s?(?:de\s)?{_MONTH}\b(?:\s?[/\-.]\s?\d{{2,4}}|\s(?:19|20)\d{{2}})?"
        ),
        digits=1,
    ),
    Shape("date", re.compile(rf"\b{_MONTH}\s?[/.]\s?\d{{2,4}}(?!\d)"), digits=2),
    Shape(
        "date",
        re.compile(rf"\b(?:{_CUE}{_LINKS}|{_WEAK_CUE}\s(?:em|dia|no\sdia))\s?:?\s?(?P<it>{_DAY_MONTH})"),
        digits=2,
    ),
    Shape(
        "date",
        re.compile(rf"\b{_CUE}(?:\s\w+){{1,4}}?\s(?:em|dia)\s(?P<it>{_DAY_MONTH})"),
        (" em ", " dia "),
        digits=2,
    ),
    Shape("date", re.compile(rf"\b(?:em|ate|para|desde)\s(?P<it>{_NO_SCORE})"), ("/",), digits=2),
    # Day and month alone: not pain (7/10), strength (4/5), pressure (12/8, behind its name) or sessions (8/12).
    Shape(
        "date",
        re.compile(
            r"(?=\d)(?<![\d/.,])(?<!pa )(?<!pa: )(?!(?:0?\d|10)/10(?!\d))"
            rf"(?:{_NO_SESSION}(?:0?[1-9]|1[0-2])|1[3-9]|2\d|3[01])/(?:0[1-9]|1[0-2])(?![\d/])"
            r"(?!\s?(?:sess|atend|aulas|visitas|semanas|pontos))"
        ),
        ("/0", "/1"),
        digits=3,
    ),
    Shape(
        "date",
        re.compile(rf"dia(?<!\wdia)(?<!ao dia)(?<!por dia)(?<!/dia)\s?:?\s?(?P<it>{_DAY_MONTH})"),
        ("dia",),
        digits=2,
    ),
    Shape(
        "date",
        re.compile(
            r"dia(?<!\wdia)(?<!ao dia)(?<!por dia)(?<!/dia)(?<!todo dia)(?<!cada dia)"
            rf"\s(?P<it>\d{{1,2}}|{NUMBER_WORD}(?:\se\s{NUMBER_WORD})?)\b"
            r"(?!\s?(?:x\b|vez|rep|ser|min|h\b|de\s))"
        ),
        ("dia",),
    ),
    Shape("date", re.compile(rf"\bnasc\w*{_LINKS}\s(?P<it>{_IN_WORDS})"), ("nasc",)),
    Shape(
        "date",
        re.compile(
            rf"\b{_CUE}{_LINKS}\s(?P<it>\d{{1,2}}\sd[oe]\s(?:\d{{1,2}}\b|{NUMBER_WORD}\b)(?:\sd[oe]\s\d{{2,4}}\b)?)(?!{_UNIT})"
        ),
        (" do ", " de "),
        digits=1,
    ),
    Shape("date", re.compile(r"\b\d{1,2}\sd[oe]\s\d{1,2}\sd[oe]\s\d{2,4}\b"), (" do ", " de "), digits=1),
    # Years of two digits.
    Shape(
        "date", re.compile(rf"\b(?:nasc\w*{_LINKS}|ano(?:\sde)?)\s(?P<it>\d{{2}})(?!\d|[/.,]\d|{_UNIT})"), digits=2
    ),
    Shape(
        "date",
        re.compile(
            r"\b(?:operou|operad[oa]|cirurgia|cx|desde)\s(?:em\s)?(?P<it>\d{2})(?=\s*(?:[,;)\n]|\.(?!\d)|$))"
        ),
        digits=2,
    ),
    Shape(
        "date",
        re.compile(
            rf"\b(?>(?:mil\s(?:e\s)?novecentos(?:\se\s{NUMBER_WORD}){{0,3}}|dois\smil(?:\se\s{NUMBER_WORD}){{1,3}}))"
            rf"(?!{_UNIT}|\w)"
        ),
        ("novecentos", "dois mil"),
    ),
    Shape("date", re.compile(rf"\b(?:em|ano|de|desde)\s(?P<it>dois\smil)\b(?!{_UNIT}|\se\s)"), ("dois mil",)),
    # Feasts: "desde o natal"; "pré-natal" is none.
    Shape(
        "date",
        re.compile(
            r"(?<![\w\[])(?<!pre-)(?<!pre )(?<!pos-)(?<!pos )(?:vesperas? d[eo] )?"
            r"(?:natal|carnaval|pascoa|reveillon"
            r"|ano[ -]novo|festas? juninas?|sao joao|semana santa|sexta[ -](?:feira )?santa|corpus christi|finados"
            r"|quarta(?:-feira)? de cinzas|tiradentes|oktoberfest|halloween|black friday|rock in rio|copa do mundo"
            r"|olimpiadas|dia d(?:as (?:maes|criancas|mulheres)|os (?:pais|namorados|professores)"
            r"|[oa] (?:trabalho|trabalhador|mulher|independencia|crianca)))(?!\w)"
        ),
        (
            "natal",
            "carnaval",
            "pascoa",
            "reveillon",
            "ano novo",
            "ano-novo",
            "junina",
            "sao joao",
            "santa",
            "corpus",
            "finados",
            "cinzas",
            "tiradentes",
            "oktober",
            "halloween",
            "friday",
            "rock in",
            "copa",
            "olimpiadas",
            "dia d",
        ),
    ),
)

#: Looked for after all numbers that are no dates.
YEARS: Final = (
    Shape(
        "date",
        re.compile(rf"(?<![\d.,/x\-])(?:19|20)\d{{2}}(?![\dx]|[.,]\d|\s?(?:{_LENGTHS})\b)"),
        ("19", "20"),
        digits=4,
    ),
)

_OLD: Final = r"(?:9\d|1[01]\d|120)"
_YEARS_OLD: Final = r"(?:anos|aninhos|anitos|primaveras|aa\b)"
_SAID_OLD: Final = rf"(?:(?:noventa|cento)(?:\se\s{NUMBER_WORD}){{0,2}}|cem)"
_IN_DIGITS: Final = tuple(f"{age}{end}" for age in range(90, 121) for end in ("a", " a"))
#: CONTRACT §9.4: an age above 89 is told as "90+".
AGES: Final = tuple(
    Shape("age", re.compile(pattern), needs, instead=instead)
    for pattern, needs, instead in (
        (rf"(?<![\d.,])(?:9\d|1[0-4]\d)(?= ?{_YEARS_OLD})", ("anos", "anin", "anit", "primav", "aa"), "90+"),
        # "95a", "95 a, dor"; not "FC 95 a 110".
        (
            rf"(?<![\d.,/])(?<!\d[ax] ){_OLD}(?:a(?!\w)| a(?=[,;)\n]|\.(?!\d)|$))",
            _IN_DIGITS,
            "90+ anos",
        ),
        (rf"(?<=[, ]){_OLD} a(?= (?:viuv|casad|aposent|sexo|masc|fem|dor\b|com\b))", _IN_DIGITS, "90+ anos"),
        (
            rf"\bidade[: ]{{1,2}}(?:de )?{_OLD}(?:a\b| a(?=[,;.)\n]|$))?(?![\d+%°]|[.,]\d|{_UNIT})",
            ("idade",),
            "90+ anos",
        ),
        (
            rf"\b(?:completou|completa|completando) {_OLD}(?![\d+%°]|[.,]\d|{_UNIT})",
            ("complet",),
            "90+ anos",
        ),
        (
            rf"\baos {_OLD}(?![\d+%°]|[.,]\d| de \w|{_UNIT}| ?(?:bpm|mmhg|watts|w\b))",
            ("aos 9", "aos 1"),
            "com 90+ anos",
        ),
        (rf"\b{_SAID_OLD}(?=\s{_YEARS_OLD})", ("noventa", "cento", "cem "), "90+"),
        (rf"\bidade(?: de)? {_SAID_OLD}\b(?! e |{_UNIT})", ("idade",), "90+ anos"),
        (rf"\baos {_SAID_OLD}\b(?! e | de |{_UNIT})", ("aos noventa", "aos cem", "aos cento"), "com 90+ anos"),
        (r"\b(?:centenari|nonagenari)[oa]s?\b", ("tenari", "genari"), "90+ anos"),
    )
)
