"""Awards as JSON: a page of rows with one bytes format per row.

Columns come from awards.py as arrays, so that a page of 10,000 rows costs milliseconds. Which rows is
decided elsewhere.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fisio_ayida.simulators.bdns import awards as columns
from fisio_ayida.simulators.bdns import catalogues as cat
from fisio_ayida.simulators.bdns import people
from fisio_ayida.simulators.bdns.awards import Awards
from fisio_ayida.simulators.bdns.hashing import I64, Flags, below, hits
from fisio_ayida.simulators.bdns.population import Rows
from fisio_ayida.simulators.bdns.text import amounts, days, quoted


def write(awards: Awards, rows: Rows, order: int, blank: Flags | None = None) -> list[bytes]:
    """JSON rows.

    Args:
        awards: the dataset.
        rows: what to write.
        order: purpose that decides the order of listed activities.
        blank: rows whose flapping field is null on this call (Q24).
    """
    if not len(rows):
        return []
    match awards.dataset:
        case "concesiones":
            return _concesiones(awards, rows)
        case "ayudas_estado":
            return _ayudas(awards, rows, order)
        case "minimis":
            return _minimis(awards, rows, order, blank)
        case _:
            return _partidos(awards, rows)


def _call_parts(awards: Awards, rows: Rows, cooficial: bool) -> list[bytes]:
    unique, where = np.unique(awards.call_ordinals(rows), return_inverse=True)
    texts = [b"" if g < 0 else awards.calls.award_part(g, cooficial) for g in unique.tolist()]
    parts = [texts[at] for at in where.tolist()]
    if len(unique) and unique[0] < 0:
        for at in np.nonzero(where == 0)[0].tolist():
            parts[at] = _dangling_part(int(rows.keys[at]) % 10_000, cooficial)
    return parts


def _concesiones(awards: Awards, rows: Rows) -> list[bytes]:
    step = awards.timeline.now
    cents, kinds = awards.cents(rows, step), awards.instruments(rows)
    paid = amounts(cents)
    prefixes, texts = _prefixes(), _instrument_texts()
    template = (
        b'{"id":%d,"codConcesion":"%b%d","fechaConcesion":"%b","beneficiario":"%b","instrumento":%b,'
        b'"importe":%b,"ayudaEquivalente":%b,%b,"idPersona":%d,"fechaAlta":"%b"}'
    )
    return [
        template % (i, prefixes[k], i, d, b, texts[k], m, e, c, p, r)
        for i, k, d, b, m, e, c, p, r in zip(
            awards.ids(rows).tolist(),
            kinds.tolist(),
            days(awards.award_days(rows)),
            awards.names(rows, step),
            paid,
            _where_different(paid, cents, awards.equivalents(rows, cents, kinds)),
            _call_parts(awards, rows, True),
            awards.persons(rows).tolist(),
            days(rows.parts),
            strict=True,
        )
    ]


def _partidos(awards: Awards, rows: Rows) -> list[bytes]:
    step = awards.timeline.now
    cents = awards.cents(rows, step)
    template = (
        b'{"id":%d,"codConcesion":"SB%d","fechaConcesion":"%b","beneficiario":"%b","instrumento":%b,'
        b'"importe":%b,"ayudaEquivalente":%b,%b}'
    )
    text = _instrument_texts()[1]
    return [
        template % (i, i, d, b, text, m, m, c)
        for i, d, b, m, c in zip(
            awards.ids(rows).tolist(),
            days(awards.award_days(rows)),
            awards.names(rows, step),
            amounts(cents),
            _call_parts(awards, rows, False),
            strict=True,
        )
    ]


def _conveners(awards: Awards, rows: Rows) -> list[tuple[bytes, int, bytes, bytes]]:
    """Code, id, title and joined levels of the call of each row."""
    unique, where = np.unique(awards.call_ordinals(rows), return_inverse=True)
    found = []
    places = awards.calls.place(np.maximum(unique, 0), awards.timeline.today)
    for ordinal, day, index in zip(unique.tolist(), *(place.tolist() for place in places), strict=True):
        if ordinal < 0:
            found.append((b'"99000001"', 990_000_001, quoted("Convocatoria supuesta"), b'"OTROS"'))
            continue
        call = awards.calls.get(day, index)
        joined = " ".join(level for level in (call.organ.nivel1, call.organ.nivel2, call.organ.nivel3) if level)
        blank = " " if call.key % 2 else ""
        found.append((quoted(call.code), call.id, quoted(call.title), quoted(joined + blank)))
    return [found[at] for at in where.tolist()]


def _ayudas(awards: Awards, rows: Rows, order: int) -> list[bytes]:
    step = awards.timeline.now
    cents, kinds = awards.cents(rows, step), awards.instruments(rows)
    texts, prefixes = _instrument_texts(), _prefixes()
    rules = below(rows.keys, columns.RULE, len(cat.REGLAMENTOS_AYUDA)).tolist()
    goals = np.where(
        hits(rows.keys, columns.OBJECTIVE, 0.2), -1, below(rows.keys, columns.OBJECTIVE ^ 1, len(cat.OBJETIVOS))
    )
    types = below(rows.keys, columns.TYPE, len(cat.TIPOS_BENEFICIARIO)).tolist()
    regions = below(rows.keys, columns.REGION, len(cat.region_list())).tolist()
    rule_texts = [quoted(text) for _, text in cat.REGLAMENTOS_AYUDA]
    goal_texts = [*(quoted(text) for _, text in cat.OBJETIVOS), b"null"]  # -1 is none
    type_texts = [quoted(text) for _, text in cat.TIPOS_BENEFICIARIO]
    region_texts = [quoted(text) for _, text, _ in cat.region_list()]
    middlemen = np.where(
        hits(rows.keys, columns.MIDDLEMAN, 0.05), below(rows.keys, columns.MIDDLEMAN ^ 1, 500), -1
    ).tolist()
    template = (
        b'{"idConcesion":%d,"numeroConvocatoria":%b,"idConvocatoria":%d,"convocatoria":%b,"idPersona":%d,'
        b'"codConcesion":"%b%d","convocante":%b,"reglamento":%b,"objetivo":%b,"instrumento":%b,'
        b'"tipoBeneficiario":%b,"fechaConcesion":"%b","fechaAlta":"%b","beneficiario":"%b","importe":%b,'
        b'"ayudaEquivalente":%b,"region":%b,"sectores":%b,%b}'
    )
    return [
        template
        % (
            i,
            code,
            call_id,
            title,
            p,
            b"VF" if k == columns.TAX else prefixes[k],
            i,
            convener,
            rule_texts[rule],
            goal_texts[goal],
            texts[k],
            type_texts[kind],
            d,
            r,
            b,
            m,
            e,
            region_texts[region],
            s,
            _state_aid(i % 9000, middleman),
        )
        for i, (
            code,
            call_id,
            title,
            convener,
        ), p, k, rule, goal, kind, d, r, b, m, e, region, s, middleman in zip(
            awards.ids(rows).tolist(),
            _conveners(awards, rows),
            awards.persons(rows).tolist(),
            kinds.tolist(),
            rules,
            goals.tolist(),
            types,
            days(awards.award_days(rows)),
            days(rows.parts),
            awards.names(rows, step),
            amounts(np.where(kinds == columns.TAX, 0, cents)),
            amounts(awards.equivalents(rows, cents, kinds)),
            regions,
            awards.sector_texts(rows, order, "#"),
            middlemen,
            strict=True,
        )
    ]


def _minimis(awards: Awards, rows: Rows, order: int, blank: Flags | None) -> list[bytes]:
    step = awards.timeline.now
    cents, kinds = awards.cents(rows, step), awards.instruments(rows)
    texts, prefixes = _instrument_texts(), _prefixes()
    empty = awards.without_sector(rows) if blank is None else awards.without_sector(rows) | blank
    products = np.where(
        hits(rows.keys, columns.PRODUCT, 0.8), -1, below(rows.keys, columns.PRODUCT ^ 1, 15)
    ).tolist()
    rules = below(rows.keys, columns.RULE, len(cat.REGLAMENTOS_MINIMIS)).tolist()
    template = (
        b'{"idConcesion":%d,"numeroConvocatoria":%b,"idConvocatoria":%d,"idPersona":%d,"codigoConcesion":"%b%d",'
        b'"convocante":%b,"reglamento":%b,"sectorProducto":%b,"instrumento":%b,"fechaConcesion":"%b",'
        b'"fechaRegistro":"%b","beneficiario":"%b","sectorActividad":%b,"ayudaEquivalente":%b}'
    )
    return [
        template
        % (
            i,
            code,
            call_id,
            p,
            prefixes[k],
            i,
            convener,
            quoted(cat.REGLAMENTOS_MINIMIS[rule][1]),
            quoted(cat.SECTORES_PRODUCTO[product][1] if product >= 0 else None),
            texts[k],
            d,
            r,
            b,
            b"null" if none else s,
            e,
        )
        for i, (code, call_id, _, convener), p, k, rule, product, d, r, b, none, s, e in zip(
            awards.ids(rows).tolist(),
            _conveners(awards, rows),
            awards.persons(rows).tolist(),
            kinds.tolist(),
            rules,
            products,
            days(awards.award_days(rows)),
            days(rows.parts),
            awards.names(rows, step),
            empty.tolist(),
            awards.sector_texts(rows, order, "; "),
            amounts(awards.equivalents(rows, cents, kinds)),
            strict=True,
        )
    ]


def _where_different(texts: list[bytes], cents: I64, others: I64) -> list[bytes]:
    at = np.nonzero(cents != others)[0]
    found = texts.copy()
    for place, text in zip(at.tolist(), amounts(others[at]), strict=True):
        found[place] = text
    return found


@lru_cache(maxsize=1)
def _instrument_texts() -> dict[int, bytes]:
    return {id_: quoted(text) for id_, text in cat.INSTRUMENTO_EN_DATOS.items()}


@lru_cache(maxsize=1)
def _prefixes() -> dict[int, bytes]:
    return {id_: b"GR" if id_ == columns.GUARANTEE else b"SB" for id_ in cat.INSTRUMENTO_EN_DATOS}


@lru_cache(maxsize=10_000)
def _dangling_part(number: int, cooficial: bool) -> bytes:
    extra = b',"descripcionCooficial":null' if cooficial else b""
    tail = b',"codigoInvente":null' if cooficial else b""
    return (
        b'"urlBR":null,"tieneProyecto":false,"numeroConvocatoria":"99%06d","idConvocatoria":%d,'
        b'"convocatoria":"Convocatoria supuesta que no se encuentra"%b,"nivel1":"OTROS",'
        b'"nivel2":"CONSORCIO DE EJEMPLO","nivel3":null%b'
    ) % (number, 990_000_000 + number, extra, tail)


def _state_aid(number: int, middleman: int) -> bytes:
    case = b'"SA.99%04d"' % number if number % 4 else b"null"
    url = b'"https://competition-cases.ec.europa.eu/cases/SA.99%04d"' % number if number % 4 else b"null"
    who = quoted(people.identifier(people.ENTITY_BASE + middleman)) if middleman >= 0 else b"null"
    return b'"ayudaEstado":%b,"urlAyudaEstado":%b,"entidad":null,"intermediario":%b' % (case, url, who)
