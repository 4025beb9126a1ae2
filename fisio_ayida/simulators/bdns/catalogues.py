"""The flat catalogues and the tree of regions, with the odd texts that the source keeps.

Constant facts and one builder for the tree. Bodies (órganos) have their own module, organs.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

AMBITOS: Final = ("C", "A", "M", "S", "P", "G")

Entry = tuple[int, str]

FINALIDADES: Final[tuple[Entry, ...]] = (
    (1, "JUSTICIA"),
    (2, "DEFENSA"),
    (3, "SEGURIDAD CIUDADANA E INSTITUCIONES PENITENCIARIAS"),
    (4, "POLÍTICA EXTERIOR"),
    (5, "SERVICIOS SOCIALES Y PROMOCIÓN SOCIAL"),
    (6, "FOMENTO DEL EMPLEO"),
    (7, "DESEMPLEO"),
    (8, "ACCESO A LA VIVIENDA Y FOMENTO DE LA EDIFICACIÓN"),
    (9, "SANIDAD"),
    (10, "EDUCACIÓN"),
    (11, "CULTURA"),
    (12, "AGRICULTURA, PESCA Y ALIMENTACIÓN"),
    (13, "INDUSTRIA Y ENERGÍA"),
    (14, "COMERCIO, TURISMO Y PYMES"),
    (15, "SUBVENCIONES AL TRANSPORTE"),
    (16, "INFRAESTRUCTURAS"),
    (17, "INVESTIGACIÓN, DESARROLLO E INNOVACIÓN"),
    (18, "OTRAS ACTUACIONES DE CARÁCTER ECONÓMICO"),
    (20, "COOPERACIÓN INTERNACIONAL PARA EL DESARROLLO Y CULTURAL"),
)
TIPOS_BENEFICIARIO: Final[tuple[Entry, ...]] = (
    (1, "PERSONAS FÍSICAS QUE NO DESARROLLAN ACTIVIDAD ECONÓMICA"),
    (2, "PERSONAS JURÍDICAS QUE NO DESARROLLAN ACTIVIDAD ECONÓMICA"),
    (3, "PYME Y PERSONAS FÍSICAS QUE DESARROLLAN ACTIVIDAD ECONÓMICA"),
    (4, "GRAN EMPRESA"),
    (5, "SIN INFORMACION ESPECIFICA"),
)
INSTRUMENTOS: Final[tuple[Entry, ...]] = (
    (1, "SUBVENCIÓN Y ENTREGA DINERARIA SIN CONTRAPRESTACIÓN"),
    (2, "PRÉSTAMOS"),
    (4, "GARANTÍA"),
    (5, "VENTAJA FISCAL"),
    (6, "APORTACIÓN DE FINANCIACIÓN RIESGO"),
    (7, "OTROS INSTRUMENTOS DE AYUDA "),
)
# The same instruments as the award datasets spell them: lower-case y, trailing blanks.
INSTRUMENTO_EN_DATOS: Final = {
    1: "SUBVENCIÓN y ENTREGA DINERARIA SIN CONTRAPRESTACIÓN ",
    2: "PRÉSTAMOS ",
    4: "GARANTÍA",
    5: "VENTAJA FISCAL",
    6: "APORTACIÓN DE FINANCIACIÓN RIESGO ",
    7: "OTROS INSTRUMENTOS DE AYUDA ",
}
SECTORES_PRODUCTO: Final[tuple[Entry, ...]] = (
    (24, "Todos"),
    (1, "Cereales"),
    (2, "Arroz"),
    (3, "Azúcar"),
    (4, "Forrajes desecados"),
    (5, "Semillas"),
    (6, "Lúpulo"),
    (7, "Aceite de oliva y aceitunas de mesa"),
    (8, "Lino y cáñamo"),
    (9, "Frutas y hortalizas"),
    (10, "Plátanos"),
    (11, "Vino"),
    (12, "Carne de vacuno"),
    (13, "Leche y productos lácteos"),
    (14, "Apicultura"),
)
# (id, code, text); three texts carry their own semicolon (CONTRACT §3.7, splitting trap).
ACTIVIDADES_CNAE: Final[tuple[tuple[int, str, str], ...]] = (
    (1, "A", "Agricultura, ganadería, silvicultura y pesca"),
    (2, "01", "Agricultura, ganadería, caza y servicios relacionados"),
    (3, "01.1", "Cultivos ficticios no perennes"),
    (5, "03", "Pesca y acuicultura"),
    (19, "C", "Industria manufacturera"),
    (22, "10", "Industria ficticia de la alimentación"),
    (23, "11", "Fabricación ficticia de bebidas"),
    (31, "25.6", "Tratamiento ficticio de metales"),
    (40, "D", "Suministro de energía eléctrica, gas, vapor y aire acondicionado"),
    (44, "F", "Construcción"),
    (47, "G", "Comercio al por mayor y al por menor; reparación de vehículos inventados"),
    (50, "47", "Comercio ficticio al por menor"),
    (53, "49.4", "Transporte por carretera de mercancías; mudanzas supuestas"),
    (56, "52.3", "Actividad ficticia de intermediación"),
    (58, "I", "Hostelería"),
    (59, "55", "Servicios ficticios de alojamiento"),
    (60, "56", "Servicios de comidas y bebidas"),
    (66, "J", "Información y comunicaciones"),
    (68, "62", "Programación y consultoría inventadas"),
    (75, "M", "Actividades profesionales, científicas y técnicas"),
    (78, "72", "Investigación y desarrollo"),
    (84, "O", "Administración pública y defensa; seguridad social obligatoria"),
    (86, "P", "Educación"),
    (88, "Q", "Actividades sanitarias y de servicios sociales"),
    (91, "R", "Actividades artísticas, deportivas y de entretenimiento"),
    (95, "95.2", "Reparación de efectos personales y artículos de uso doméstico"),
    (96, "S", "Otros servicios"),
)
ACTIVIDADES: Final[tuple[Entry, ...]] = tuple((id_, f"{code} - {text}") for id_, code, text in ACTIVIDADES_CNAE)
OBJETIVOS: Final[tuple[Entry, ...]] = (
    (1, "ART. 14 AYUDAS REGIONALES A LA INVERSIÓN."),
    (2, "ART. 17 AYUDAS A LA INVERSIÓN EN FAVOR DE LAS PYME."),
    (3, "ART. 25 AYUDAS DE I+D+I."),
    (7, "ART. 31 AYUDAS A LA FORMACIÓN."),
    (8, "ART. 36 PROTECCIÓN DEL MEDIO AMBIENTE."),
    (15, "ART. 25 AYUDAS DE I+D+I."),  # the same text under another id
    (16, "ART. 53 CULTURA Y CONSERVACIÓN DEL PATRIMONIO."),
)
SIN_REGLAMENTO: Final = "SIN REGLAMENTO - NOTIFICACIÓN PREVIA"
REGLAMENTOS_AYUDA: Final[tuple[Entry, ...]] = (
    (0, SIN_REGLAMENTO),
    (6, "REG (UE) 651/2014, DE 17 DE JUNIO, DE EXENCIÓN DE NOTIFICACIÓN"),
    (7, "REG (UE) 2022/2472, DE 14 DE DICIEMBRE, DE EXENCIÓN AGRARIA"),
    (9, "REG (UE) 2022/2473, DE 14 DE DICIEMBRE, DE EXENCIÓN PESQUERA"),
)
REGLAMENTOS_MINIMIS: Final[tuple[Entry, ...]] = (
    (11, "REG (UE) 2023/2831 de minimis, General"),
    (12, "REG (UE) 1408/2013, DE 18 DE DICIEMBRE, de minimis"),
    (13, "REG (UE) 717/2014, DE 27 DE JUNIO, de minimis pesca"),
)
REGLAMENTOS: Final[dict[str, tuple[Entry, ...]]] = {
    "C": (*REGLAMENTOS_AYUDA, *REGLAMENTOS_MINIMIS),
    "A": REGLAMENTOS_AYUDA,
    "M": REGLAMENTOS_MINIMIS,
    "S": REGLAMENTOS_AYUDA[:2],
    "P": (),
    "G": REGLAMENTOS_MINIMIS[:1],
}
FLAT: Final[dict[str, tuple[Entry, ...]]] = {
    "finalidades": FINALIDADES,
    "tipos_beneficiario": TIPOS_BENEFICIARIO,
    "instrumentos": INSTRUMENTOS,
    "sectores": SECTORES_PRODUCTO,
    "actividades": ACTIVIDADES,
    "objetivos": OBJETIVOS,
}


@dataclass(frozen=True)
class Node:
    """A node of a tree; `children` None means that the key is absent in the answer."""

    id: int
    descripcion: str
    children: tuple[Node, ...] | None = None


# Known ids of CONTRACT §3.14; the rest is counted on.
_REGIONS: Final = (
    ("ES1 - NOROESTE", 2, (("ES11 - GALICIA", 3, ("ES111 - A Coruña", "ES112 - Lugo")),)),
    ("ES2 - NORESTE", 10, (("ES21 - PAÍS VASCO", 11, ("ES211 - Araba/Álava", "ES212 - Gipuzkoa")),)),
    ("ES3 - COMUNIDAD DE MADRID ", 20, (("ES30 - COMUNIDAD DE MADRID", 21, ("ES300 - Madrid",)),)),
    ("ES4 - CENTRO (ES)", 30, (("ES41 - CASTILLA Y LEÓN", 31, ("ES411 - Ávila", "ES415 - Salamanca")),)),
    (
        "ES5 - ESTE",
        48,
        (
            ("ES51 - CATALUÑA", 49, ("ES511 - Barcelona", "ES512 - Girona")),
            ("ES52 - COMUNIDAD VALENCIANA", 54, ("ES521 - Alicante / Alacant", "ES522 - Castellón / Castelló")),
        ),
    ),
    ("ES6 - SUR", 60, (("ES61 - ANDALUCÍA", 61, ("ES611 - Almería", "ES618 - Sevilla")),)),
    ("ES7 - CANARIAS", 78, (("ES70 - CANARIAS", 79, ("ES703 - El Hierro", "ES709 - Tenerife")),)),
)


@lru_cache(maxsize=1)
def region_tree() -> tuple[Node, ...]:
    """Spain with its regions and provinces, and two other countries."""
    groups = []
    for text, id_, communities in _REGIONS:
        nodes = tuple(
            Node(cid, ctext, tuple(Node(cid + 1 + at, leaf, ()) for at, leaf in enumerate(leaves)))
            for ctext, cid, leaves in communities
        )
        groups.append(Node(id_, text, nodes))
    return (
        Node(1, "ES - ESPAÑA ", tuple(groups)),
        Node(90, "BE - BÉLGICA ", (Node(91, "BE1 - RÉGION DE BRUXELLES-CAPITALE", ()),)),
        Node(130, "PT - PORTUGAL ", ()),
    )


@lru_cache(maxsize=1)
def region_list() -> tuple[tuple[int, str, frozenset[int]], ...]:
    """Every region as (id, text, ids of itself and all above it)."""
    found: list[tuple[int, str, frozenset[int]]] = []

    def walk(nodes: tuple[Node, ...], above: frozenset[int]) -> None:
        for node in nodes:
            path = above | {node.id}
            found.append((node.id, node.descripcion, path))
            walk(node.children or (), path)

    walk(region_tree(), frozenset())
    return tuple(found)
