"""Invented words: names, surnames, places, topics and sentence moulds in Spanish and Catalan.

Only text; how it is put together is decided by people.py, organs.py and calls.py.
"""

from __future__ import annotations

from typing import Final

_NOMBRES = (
    "MARÍA JOSÉ LUCÍA MARTÍN SOFÍA ANDRÉS INÉS RAÚL BEGOÑA IÑAKI MONTSERRAT JORDI NÚRIA XAVIER AÍDA HÉCTOR "
    "ÁNGELA TOMÁS NOELIA ÓSCAR ROCÍO DAVID CARMEN LUIS TERESA PABLO ELENA ALBERTO SARA JULIÁN IRENE SERGIO "
    "CRISTÓBAL FERMÍN AMPARO NIEVES RAMÓN CLARA VÍCTOR ESTÍBALIZ UXÍA BREOGÁN LEIRE ASIER AGUSTÍN BELÉN"
)

_APELLIDOS = (
    "FICTICIO GARCÍA LÓPEZ NÚÑEZ PEÑA AGÜERO MUÑOZ SÁNCHEZ PÉREZ GÓMEZ RUIZ DÍAZ ÁLVAREZ ROMERO TORRES VÁZQUEZ "
    "CASTRO ORTEGA IBÁÑEZ CAÑADAS FERRÀ SOLÉ BOSCH PUIG VIDAL OTERO SEOANE ETXEBERRIA GOIKOETXEA ARGÜELLES "
    "MÁRQUEZ LEÓN CRESPO BÁEZ QUIÑONES YÁÑEZ ZÚÑIGA MONTES RÍOS DEL-VALLE HIDALGO SERRA CLIMENT BAÑOS LUENGO "
    "PRIETO CANO ROLDÁN SIERRA VEGA MACÍAS TOLEDO CUENCA HARO ARANDA SORIA BURGOS LEIVA PAREDES MENÉNDEZ"
)

_OFICIOS = (
    "TALLERES TRANSPORTES PANADERÍA CONSTRUCCIONES HOSTELERÍA CARPINTERÍA FRUTAS GANADERÍA DISEÑOS CONSULTORÍA "
    "ELECTRICIDAD BODEGAS CERÁMICAS VIVEROS FARMACIA AUTOMOCIÓN CLÍNICA ACADEMIA LIBRERÍA CONSERVAS"
)

_LUGARES = (
    "VILLAFICCIÓN ALDEANUEVA PEÑASCAL FUENTEMAYOR RIBERAVIEJA MONTAÑUELA CAÑAVERAL SOTOBLANCO VALDERRÍO "
    "TORREQUEMADA ALMENDRERA PINARLLANO RÍOSECO GUIJARRAL SANT-FICTICI PUIGVERD VILANOVETA ARENYOLA PORTÁLEZ "
    "CASTROVELLO ERREKALDEA MENDIZURI OLIVARES MOLINILLO CARDEÑUELA ZARZALEJA ENCINARES LAGUNALTA"
)

NOMBRES: Final = tuple(_NOMBRES.split())
APELLIDOS: Final = tuple(_APELLIDOS.split())
OFICIOS: Final = tuple(_OFICIOS.split())
LUGARES: Final = tuple(_LUGARES.split())

COMPLEMENTOS: Final = (
    "",
    " DEL RÍO",
    " DE ARRIBA",
    " DE ABAJO",
    " DEL CAMPO",
    " LA REAL",
    " DE LA SIERRA",
    " DEL MAR",
    " DE LOS MONTES",
    " VIEJO",
    " NUEVO",
    " DE LA VEGA",
)

REGIONES_NOMBRE: Final = tuple(
    f"COMUNIDAD {name}"
    for name in (
        "DE EJEMPLO",
        "FICTICIA DEL NORTE",
        "FICTICIA DEL SUR",
        "DE LEVANTE INVENTADO",
        "DEL EBRO IMAGINARIO",
        "DE LAS ISLAS SUPUESTAS",
        "DE LA MESETA ALTA",
        "DE LA MESETA BAJA",
        "DEL CANTÁBRICO",
        "DE MONTAÑA",
        "DE CAÑADAS",
        "DE RIBERA",
        "DE VALLES",
        "DE PUERTOS",
        "DE DEHESAS",
        "DE PINARES",
        "DE OLIVARES",
        "AUTÓNOMA DE ESTE",
        "AUTÓNOMA DE OESTE",
    )
)

MATERIAS: Final = (
    "INNOVACIÓN",
    "EDUCACIÓN",
    "AGRICULTURA",
    "DEPORTES",
    "CULTURA",
    "EMPLEO",
    "VIVIENDA",
    "TURISMO",
    "COMERCIO",
    "INDUSTRIA",
    "IGUALDAD",
    "JUVENTUD",
    "ENERGÍA",
    "PESCA",
    "SANIDAD",
    "TRANSPORTE",
    "CIENCIA",
    "MEDIO AMBIENTE",
    "COOPERACIÓN",
    "HACIENDA",
    "PATRIMONIO",
    "SERVICIOS SOCIALES",
)

OBJETOS: Final = (
    "el comercio de proximidad",
    "la formación profesional",
    "la investigación aplicada",
    "la rehabilitación de viviendas",
    "el deporte escolar",
    "entidades culturales sin ánimo de lucro",
    "la contratación de personas jóvenes",
    "la modernización de regadíos",
    "la eficiencia energética",
    "asociaciones de vecinos y vecinas",
    "la cooperación al desarrollo",
    'el programa "Impulso Ficticio"',
    "el transporte de viajeros",
    "guarderías y escuelas infantiles",
    "la pequeña y mediana empresa",
    "la lengua y la cigüeña blanca",
)

MOLDES: Final = (
    "Orden de prueba de subvenciones para {objeto} {year}",
    "CONVOCATORIA FICTICIA DE AYUDAS PARA {OBJETO} {year} ",
    "Resolución inventada por la que se convocan ayudas a {objeto}, ejercicio {year}",
    "Bases y convocatoria supuesta: {objeto} ({year})",
    "Concesión directa imaginaria a {objeto}\u00a0{year}",
    "Plan ficticio de apoyo a {objeto} {year}",
)

MOLDES_CATALAN: Final = (
    "Ordre de prova de subvencions per a {objeto} {year}",
    "CONVOCATÒRIA FICTÍCIA D'AJUDES AL COMERÇ DE PROXIMITAT {year}",
    "Resolució inventada per la qual es convoquen ajudes a l'educació, exercici {year}",
)

PARTIDOS: Final = tuple(
    f"PARTIDO {name}"
    for name in (
        "FICTICIO DE EJEMPLO",
        "INVENTADO DEL CENTRO",
        "IMAGINARIO DE LA MONTAÑA",
        "SUPUESTO DEL RÍO",
        "DE PRUEBA UNIDO",
        "DEMOSTRATIVO POPULAR DE MENTIRA",
        "VECINAL FICTICIO",
    )
)
