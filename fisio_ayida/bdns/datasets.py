"""The registry: one declaration for each BDNS dataset. Adding a dataset is adding a row here.

Facts come from the API's contract (the ``section`` of each row names the paragraph). How a row is
fetched, compared and stored is in ``sweep.py``, ``codec.py`` and ``merge.py``, never here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from fisio_ayida.bdns.registry import (
    CALL_DATES,
    REG_DATES,
    Cadence,
    Canon,
    Child,
    Column,
    Dataset,
    Detail,
    Grain,
    Index,
    Retention,
    Sweep,
)

EUR = "EUR"
_PAGE = ("page", "pageSize", "order", "direccion")
_TEXT = ("descripcion", "descripcionTipoBusqueda")
_AWARD_FILTERS = (
    *_PAGE, "vpd", *_TEXT, "numeroConvocatoria", "codConcesion", "fechaDesde", "fechaHasta",
    "fechaRegInicio", "fechaRegFin", "tipoAdministracion", "organos", "nifCif", "beneficiario",
)  # fmt: skip


def _beneficiary(name: str = "beneficiario", *, required: bool = True) -> tuple[Column, ...]:
    """The identifier-and-name string, raw, and what it says once split (CONTRACT §5.2)."""
    return (
        Column(name, "text", "Identifier and name as published; re-spelled at random by the source",
               required=required, canon=Canon.NAME, personal=True),
        Column("identificador", "text", "Identifier alone; masked with asterisks for natural persons",
               canon=Canon.OFF, derived_from=name, derive="identifier", index=Index.ORGANISATIONS),
        Column("nombre", "text", "Name alone, without the identifier and its separator",
               canon=Canon.OFF, derived_from=name, derive="name", personal=True),
        Column("persona_fisica", "boolean", "Masked identifier, DNI, NIE or K/L/M number",
               canon=Canon.OFF, derived_from=name, derive="natural_person"),
        Column("dato_personal", "boolean", "A public product must hide or aggregate the row (RD 130/2019)",
               canon=Canon.OFF, derived_from=name, derive="personal"),
    )  # fmt: skip


def _levels() -> tuple[Column, ...]:
    return (
        Column("nivel1", "text", "Administration type: ESTADO, AUTONOMICA, LOCAL, OTROS"),
        Column("nivel2", "text", "Ministry, region, municipality or body"),
        Column("nivel3", "text", "Body; null where the administration has two levels"),
    )


def _text(name: str, source: str, description: str, **more: object) -> Column:
    return Column(name, "text", description, source=source, **more)  # type: ignore[arg-type]


NUMERO_CONVOCATORIA = Column(
    "numero_convocatoria", "text", "BDNS code of the call (convocatorias.codigo_bdns)",
    source="numeroConvocatoria", required=True, index=Index.ALL,
)  # fmt: skip
ID_CONVOCATORIA = Column("id_convocatoria", "bigint", "Internal id of the call", source="idConvocatoria")
ID_PERSONA = Column(
    "id_persona", "bigint", "The source's beneficiary id, stable across spellings; internal",
    source="idPersona",
)  # fmt: skip
FECHA_CONCESION = Column("fecha_concesion", "date", "Award date", source="fechaConcesion")
INSTRUMENTO = Column("instrumento", "text", "Aid instrument, raw: odd case and trailing blanks")
AYUDA_EQUIVALENTE = Column(
    "ayuda_equivalente", "numeric", "Gross grant equivalent; differs from importe for loans and guarantees",
    source="ayudaEquivalente", unit=EUR, required=True,
)  # fmt: skip
IMPORTE = Column("importe", "numeric", "Amount awarded", unit=EUR, required=True)


def _listed(name: str, description: str) -> tuple[Column, ...]:
    return (Column(name, "text", description, source="descripcion", required=True),)


CONVOCATORIAS = Dataset(
    name="convocatorias",
    title="Convocatorias",
    description="Calls for grants: the listing completed by the detail of each call.",
    section="3.1, 3.2",
    path="/convocatorias/busqueda",
    sweep=Sweep.PAGES_AND_DETAIL,
    grain=Grain.DAY,
    key=("codigo_bdns",),
    partition_column="fecha_recepcion",
    dates=CALL_DATES,
    first_day=dt.date(2013, 1, 1),
    order="numeroConvocatoria",
    amount="presupuesto_total",
    cadence=Cadence.DAILY,
    detail=Detail("/convocatorias", "numConv", "numeroConvocatoria"),
    parameters=(
        *_PAGE, "vpd", *_TEXT, "numeroConvocatoria", "mrr", "contribucion", "fechaDesde", "fechaHasta",
        "tipoAdministracion", "organos", "regiones", "tiposBeneficiario", "instrumentos", "finalidad",
        "ayudaEstado",
    ),
    retention=Retention(None, note="Calls are kept by the source."),
    quirks=(
        "The application window and the co-official title vanish and return; a null is believed the second "
        "time. A call whose detail answers HTML keeps its listing fields (con_detalle is false)."
    ),
    columns=(
        _text("codigo_bdns", "codigoBDNS", "BDNS code; text, up to 16 digits", required=True),
        Column("id", "bigint", "Internal call id (id_convocatoria in the award datasets)"),
        Column("fecha_recepcion", "date", "Registration date in the BDNS", source="fechaRecepcion",
               required=True, index=Index.ALL),
        Column("con_detalle", "boolean", "The detail call answered; false: listing fields only",
               source="conDetalle"),
        *_levels(),
        _text("codigo_invente", "codigoInvente", "INVENTE code of the body (listing only)"),
        _text("sede_electronica", "sedeElectronica", "Application site, free text", flaps=True),
        _text("tipo_convocatoria", "tipoConvocatoria", "Competitive or direct award, canonical or not"),
        Column("presupuesto_total", "numeric", "Budget; 0 may mean none", source="presupuestoTotal", unit=EUR),
        Column("mrr", "boolean", "Recovery and resilience mechanism funds"),
        Column("descripcion", "text", "Title in Spanish; a leading ANULADA marks an annulled call"),
        _text("descripcion_leng", "descripcionLeng", "Title in the co-official language", flaps=True),
        _text("descripcion_finalidad", "descripcionFinalidad", "Policy area, text only"),
        _text("descripcion_bases_reguladoras", "descripcionBasesReguladoras", "Title of the regulatory bases"),
        _text("url_bases_reguladoras", "urlBasesReguladoras", "Address or prose; validate before publishing"),
        Column("se_publica_diario_oficial", "boolean", "An extract goes to an official gazette",
               source="sePublicaDiarioOficial"),
        Column("abierto", "boolean", "May be requested indefinitely; not 'open today'"),
        Column("fecha_inicio_solicitud", "date", "Application window, first day", source="fechaInicioSolicitud",
               flaps=True),
        Column("fecha_fin_solicitud", "date", "Application window, last day", source="fechaFinSolicitud",
               flaps=True),
        _text("text_inicio", "textInicio", "Free-text start of the application window", flaps=True),
        _text("text_fin", "textFin", "Free-text end of the application window", flaps=True),
        _text("ayuda_estado", "ayudaEstado", "State-aid case, SA.nnnnnn"),
        _text("url_ayuda_estado", "urlAyudaEstado", "EU page of the state-aid case"),
        _text("reglamento", "reglamentoDescripcion", "EU regulation"),
        _text("reglamento_orden", "reglamentoOrden", "The regulation's orden (autorizacion in the specification)"),
    ),
    children=(
        Child("documentos", "documentos", "codigo_bdns", ("id",), (
            Column("id", "bigint", "Document id, for /convocatorias/documentos", required=True),
            Column("descripcion", "text", "What the document is"),
            _text("nombre_fic", "nombreFic", "File name as uploaded"),
            Column("long", "bigint", "Expected size", unit="bytes"),
            Column("dat_mod", "date", "Last change", source="datMod"),
            Column("dat_publicacion", "date", "Publication", source="datPublicacion"),
        ), "Attachments of a call"),
        Child("anuncios", "anuncios", "codigo_bdns", ("num_anuncio",), (
            Column("num_anuncio", "bigint", "Number of the announcement", source="numAnuncio", required=True),
            Column("titulo", "text", "Title"),
            _text("titulo_leng", "tituloLeng", "Title in the co-official language"),
            Column("texto", "text", "Extract, HTML"),
            _text("texto_leng", "textoLeng", "Extract in the co-official language, HTML"),
            Column("url", "text", "Address of the announcement"),
            Column("cve", "text", "Verification code of the gazette"),
            _text("des_diario_oficial", "desDiarioOficial", "Gazette"),
            Column("dat_publicacion", "date", "Publication", source="datPublicacion"),
        ), "Extracts published in official gazettes"),
        Child("objetivos", "objetivos", "codigo_bdns", ("descripcion",),
              _listed("descripcion", "State-aid objective"), "State-aid objectives"),
        Child("sectores", "sectores", "codigo_bdns", ("codigo", "descripcion"), (
            Column("codigo", "text", "CNAE section or division", required=True),
            Column("descripcion", "text", "CNAE text", required=True),
        ), "Economic sectors (CNAE)"),
        Child("sectores_productos", "sectoresProductos", "codigo_bdns", ("descripcion",),
              _listed("descripcion", "Agricultural product sector"), "Agricultural product sectors"),
        Child("regiones", "regiones", "codigo_bdns", ("descripcion",), (
            *_listed("descripcion", "NUTS text, ESxx - NAME"),
            Column("codigo_nuts", "text", "NUTS code parsed from the text", canon=Canon.OFF,
                   derived_from="descripcion", derive="nuts"),
        ), "Regions that a call covers"),
        Child("instrumentos", "instrumentos", "codigo_bdns", ("descripcion",),
              _listed("descripcion", "Aid instrument"), "Aid instruments"),
        Child("tipos_beneficiario", "tiposBeneficiarios", "codigo_bdns", ("descripcion",),
              _listed("descripcion", "Type of beneficiary"), "Eligible types of beneficiary"),
        Child("fondos", "fondos", "codigo_bdns", ("descripcion",),
              _listed("descripcion", "EU fund"), "EU funds"),
    ),
)  # fmt: skip

CONCESIONES = Dataset(
    name="concesiones",
    title="Concesiones",
    description="Awards of grants and aid: who received how much under which call.",
    section="3.5",
    path="/concesiones/busqueda",
    sweep=Sweep.PAGES,
    grain=Grain.DAY,
    key=("id",),
    partition_column="fecha_alta",
    dates=REG_DATES,
    first_day=dt.date(2020, 1, 1),
    order="codConcesion",
    amount="importe",
    cadence=Cadence.DAILY,
    parameters=(*_AWARD_FILTERS, "regiones", "instrumentos", "actividad", "finalidad"),
    retention=Retention(4, 1, "Every January the source withdraws whole years; allow it by run config."),
    quirks="Names are re-spelled at random for one idPersona; a spelling is not a change.",
    columns=(
        Column("id", "bigint", "Award id", required=True),
        _text("cod_concesion", "codConcesion", "Public award code"),
        FECHA_CONCESION,
        *_beneficiary(),
        INSTRUMENTO,
        IMPORTE,
        AYUDA_EQUIVALENTE,
        _text("url_br", "urlBR", "Regulatory bases; validate before publishing"),
        Column("tiene_proyecto", "boolean", "The award is for a project", source="tieneProyecto"),
        NUMERO_CONVOCATORIA,
        ID_CONVOCATORIA,
        Column("convocatoria", "text", "Title of the call, sometimes truncated"),
        _text("descripcion_cooficial", "descripcionCooficial", "Title in the co-official language"),
        *_levels(),
        _text("codigo_invente", "codigoInvente", "INVENTE code of the body"),
        ID_PERSONA,
        Column("fecha_alta", "date", "Registration date; never changes", source="fechaAlta", required=True,
               index=Index.ALL),
    ),
)  # fmt: skip

AYUDAS_ESTADO = Dataset(
    name="ayudas_estado",
    title="Ayudas de Estado",
    description="Awards that are State aid under EU law.",
    section="3.6",
    path="/ayudasestado/busqueda",
    sweep=Sweep.PAGES,
    grain=Grain.DAY,
    key=("id_concesion",),
    partition_column="fecha_alta",
    dates=REG_DATES,
    first_day=dt.date(2015, 1, 1),
    order="codConcesion",
    amount="importe",
    cadence=Cadence.DAILY,
    parameters=(*_AWARD_FILTERS, "regiones", "objetivos", "instrumentos", "actividad", "ayudaEstado",
                "reglamento"),
    retention=Retention(10),
    quirks="sectores is a '#' list in a new order at each call; sorted before it is compared.",
    columns=(
        Column("id_concesion", "bigint", "Award id", source="idConcesion", required=True),
        NUMERO_CONVOCATORIA,
        ID_CONVOCATORIA,
        Column("convocatoria", "text", "Title of the call"),
        ID_PERSONA,
        _text("cod_concesion", "codConcesion", "Public award code"),
        Column("convocante", "text", "The three organ levels joined; cannot be split reliably"),
        Column("reglamento", "text", "EU regulation"),
        Column("objetivo", "text", "State-aid objective"),
        INSTRUMENTO,
        _text("tipo_beneficiario", "tipoBeneficiario", "Type of beneficiary"),
        FECHA_CONCESION,
        Column("fecha_alta", "date", "Registration date; never changes", source="fechaAlta", required=True,
               index=Index.ALL),
        *_beneficiary(),
        IMPORTE,
        AYUDA_EQUIVALENTE,
        Column("region", "text", "NUTS text, trailing blank on roots"),
        Column("sectores", "text", "CNAE 'code - text' joined with '#', as received", canon=Canon.HASH_LIST),
        _text("ayuda_estado", "ayudaEstado", "State-aid case, SA.nnnnnn"),
        _text("url_ayuda_estado", "urlAyudaEstado", "EU page of the case"),
        Column("entidad", "text", "Financial entity"),
        Column("intermediario", "text", "Tax id of the financial intermediary"),
    ),
)  # fmt: skip

MINIMIS = Dataset(
    name="minimis",
    title="Minimis",
    description="De minimis aid.",
    section="3.7",
    path="/minimis/busqueda",
    sweep=Sweep.PAGES,
    grain=Grain.DAY,
    key=("id_concesion",),
    partition_column="fecha_registro",
    dates=REG_DATES,
    first_day=dt.date(2015, 1, 1),
    amount="ayuda_equivalente",
    cadence=Cadence.DAILY,
    parameters=(*_AWARD_FILTERS, "instrumentos", "actividad", "finalidad", "reglamento", "producto"),
    retention=Retention(10),
    quirks=(
        "sectorActividad is a '; ' list in a new order at each call, its texts have semicolons of their own, "
        "and it vanishes and returns. No unique order exists for deep paging: windows stay small."
    ),
    columns=(
        Column("id_concesion", "bigint", "Award id", source="idConcesion", required=True),
        NUMERO_CONVOCATORIA,
        ID_CONVOCATORIA,
        ID_PERSONA,
        _text("codigo_concesion", "codigoConcesion", "Public award code"),
        Column("convocante", "text", "The three organ levels joined"),
        Column("reglamento", "text", "EU regulation"),
        _text("sector_producto", "sectorProducto", "Agricultural product sector"),
        INSTRUMENTO,
        FECHA_CONCESION,
        Column("fecha_registro", "date", "Registration date; never changes", source="fechaRegistro",
               required=True, index=Index.ALL),
        *_beneficiary(),
        _text("sector_actividad", "sectorActividad", "CNAE 'code - text' joined with '; ', as received",
              canon=Canon.CODED_LIST, flaps=True),
        AYUDA_EQUIVALENTE,
    ),
)  # fmt: skip

PARTIDOS_POLITICOS = Dataset(
    name="partidos_politicos",
    title="Partidos políticos",
    description="Awards to political parties.",
    section="3.8",
    path="/partidospoliticos/busqueda",
    sweep=Sweep.PAGES,
    grain=Grain.WHOLE,
    key=("id",),
    order="codConcesion",
    amount="importe",
    cadence=Cadence.DAILY,
    parameters=tuple(p for p in _AWARD_FILTERS),
    retention=Retention(4),
    quirks="No registration date is exposed, so withdrawals show only in a sweep of the whole.",
    columns=(
        Column("id", "bigint", "Award id", required=True),
        _text("cod_concesion", "codConcesion", "Public award code"),
        FECHA_CONCESION,
        *_beneficiary(),
        INSTRUMENTO,
        IMPORTE,
        AYUDA_EQUIVALENTE,
        _text("url_br", "urlBR", "Regulatory bases"),
        Column("tiene_proyecto", "boolean", "The award is for a project", source="tieneProyecto"),
        NUMERO_CONVOCATORIA,
        ID_CONVOCATORIA,
        Column("convocatoria", "text", "Title of the call"),
        *_levels(),
    ),
)  # fmt: skip

GRANDES_BENEFICIARIOS = Dataset(
    name="grandes_beneficiarios",
    title="Grandes beneficiarios",
    description="Beneficiaries of large yearly totals.",
    section="3.9",
    path="/grandesbeneficiarios/busqueda",
    sweep=Sweep.PAGES,
    grain=Grain.YEAR,
    key=("id_persona", "ejercicio"),
    partition_column="ejercicio",
    partition_parameter="anios",
    amount="ayuda_e_total",
    parameters=(*_PAGE, "anios", "nifCif", "beneficiario"),
    quirks="Names are re-aggregated in bulk several times a day; a spelling is not a change.",
    columns=(
        Column("id_persona", "bigint", "The source's beneficiary id", source="idPersona", required=True),
        *_beneficiary(),
        Column("ejercicio", "integer", "Year", required=True),
        Column("ayuda_e_total", "numeric", "Total aid of the year", source="ayudaETotal", unit=EUR,
               required=True),
    ),
)  # fmt: skip

PLANES_ESTRATEGICOS = Dataset(
    name="planes_estrategicos",
    title="Planes estratégicos",
    description="Strategic plans of subsidies and their follow-up documents.",
    section="3.10",
    path="/planesestrategicos/busqueda",
    sweep=Sweep.PAGES_AND_DETAIL,
    grain=Grain.WHOLE,
    key=("id",),
    detail=Detail("/planesestrategicos", "idPES", "id"),
    parameters=(*_PAGE, *_TEXT, "tipoAdministracion", "organos", "vigenciaDesde", "vigenciaHasta"),
    quirks=(
        "Some ids answer an HTML page for weeks: their listing row is kept (con_detalle is false) and they "
        "are never taken for a withdrawal."
    ),
    columns=(
        Column("id", "bigint", "Plan id (idPES)", required=True),
        Column("con_detalle", "boolean", "The detail call answered; false: listing fields only",
               source="conDetalle"),
        Column("descripcion", "text", "Title"),
        _text("descripcion_cooficial", "descripcionCooficial", "Title in the co-official language"),
        _text("tipo_plan", "tipoPlan", "Plan, follow-up report, general report…"),
        Column("vigencia_desde", "integer", "First year", source="vigenciaDesde"),
        Column("vigencia_hasta", "integer", "Last year", source="vigenciaHasta"),
        Column("fecha_aprobacion", "date", "Approval", source="fechaAprobacion"),
        Column("ambitos", "text[]", "Bodies that the plan covers", canon=Canon.SET),
    ),
    children=(
        Child("documentos", "documentos", "id_plan", ("id",), (
            Column("id", "bigint", "Document id, for /planesestrategicos/documentos", required=True),
            Column("ejercicio", "integer", "Year"),
            _text("nombre_fic", "nombreFic", "File name as uploaded"),
            _text("tipo_documento", "tipoDocumento", "What the document is"),
        ), "Documents of a plan"),
    ),
)  # fmt: skip

PLANES_VIGENCIA = Dataset(
    name="planes_estrategicos_vigencia",
    title="Vigencia de los planes estratégicos",
    description="The years in which strategic plans may begin and end: the portal's two selectors.",
    section="3.10",
    path="/planesestrategicos/vigencia",
    sweep=Sweep.LIST,
    grain=Grain.WHOLE,
    key=("extremo", "id"),
    sections=(("vigDesde", "desde"), ("vigHasta", "hasta")),
    columns=(
        Column("extremo", "text", "desde or hasta", source="seccion", required=True),
        Column("id", "bigint", "Year", required=True),
        Column("descripcion", "integer", "Year as shown"),
    ),
)

SANCIONES = Dataset(
    name="sanciones",
    title="Sanciones",
    description="Penalties imposed on beneficiaries.",
    section="3.11",
    path="/sanciones/busqueda",
    sweep=Sweep.PAGES,
    grain=Grain.WHOLE,
    key=("clave", "ordinal"),
    order="fechaSancion",
    amount="importe_multa",
    ordinal=True,
    cadence=Cadence.DAILY,
    parameters=(*_PAGE, "vpd", *_TEXT, "fechaDesde", "fechaHasta", "tipoAdministracion", "organos",
                "regiones", "nifCif", "beneficiario", "instrumentos", "actividad"),
    quirks=(
        "No id: clave is a digest of call, penalised (spelling-blind), both dates and infringement. Penalties "
        "that share it are told apart by ordinal; byte-identical ones are counted in repeticiones."
    ),
    columns=(
        Column("clave", "text", "Digest of what identifies the penalty", canon=Canon.OFF, required=True,
               derive="penalty_key"),
        Column("ordinal", "integer", "Tells apart penalties with one clave", canon=Canon.OFF, required=True),
        Column("repeticiones", "integer", "Byte-identical copies that the source publishes",
               required=True),
        NUMERO_CONVOCATORIA,
        Column("convocatoria", "text", "Title of the call"),
        *_levels(),
        _text("codigo_invente", "codigoInvente", "INVENTE code of the body"),
        FECHA_CONCESION,
        Column("infraccion", "text", "Article and text"),
        Column("importe", "numeric", "Amount of the award", unit=EUR),
        *_beneficiary("sancionado"),
        Column("fecha_sancion", "date", "Date of the penalty", source="fechaSancion", required=True),
        Column("importe_multa", "numeric", "Fine", source="importeMulta", unit=EUR),
        Column("inicio_inhabilitacion", "date", "Disqualification, first day", source="inicioInhabilitacion"),
        Column("fin_inhabilitacion", "date", "Disqualification, last day", source="finInhabilitacion"),
    ),
)  # fmt: skip

ORGANOS = Dataset(
    name="organos",
    title="Órganos",
    description="The tree of granting bodies, every node a row.",
    section="3.15",
    path="/organos",
    sweep=Sweep.TREE,
    grain=Grain.ADMINISTRATION,
    key=("id_admon", "ruta_ids"),
    partition_column="id_admon",
    partition_parameter="idAdmon",
    parameters=("idAdmon", "vpd"),
    group="bdns_catalogos",
    quirks="Ids are unique within a level only, so the key is the path; a text may repeat under one parent.",
    columns=(
        Column("id_admon", "text", "Administration type: C, A, L, O", required=True, source="particion"),
        Column("ruta_ids", "text", "Ids from the root to the node, joined with '/'", required=True,
               source="rutaIds"),
        Column("id", "bigint", "Id, unique within its level; leaf ids filter the searches", required=True,
               index=Index.ALL),
        Column("nivel", "integer", "Depth, 1 at the root"),
        Column("id_padre", "bigint", "Id of the parent, one level up", source="idPadre"),
        Column("hoja", "boolean", "The node has no children: its id is valid in the organos filter"),
        Column("descripcion", "text", "Name as published, odd blanks included"),
        Column("descripcion_normal", "text", "Name in the normal form that joins use", canon=Canon.OFF,
               derived_from="descripcion", derive="normal_text", index=Index.ALL),
    ),
)  # fmt: skip

ORGANOS_AGRUPACION = Dataset(
    name="organos_agrupacion",
    title="Órganos, primer nivel",
    description="The first level of the tree of granting bodies, as the portal groups them.",
    section="3.16",
    path="/organos/agrupacion",
    sweep=Sweep.LIST,
    grain=Grain.ADMINISTRATION,
    key=("id_admon", "id"),
    partition_column="id_admon",
    partition_parameter="idAdmon",
    parameters=("idAdmon", "vpd"),
    group="bdns_catalogos",
    columns=(
        Column("id_admon", "text", "Administration type: C, A, L, O", required=True, source="particion"),
        Column("id", "bigint", "Id, unique within the administration type", required=True),
        Column("descripcion", "text", "Name as published"),
        Column("descripcion_normal", "text", "Name in the normal form that joins use", canon=Canon.OFF,
               derived_from="descripcion", derive="normal_text", index=Index.ALL),
    ),
)  # fmt: skip

REGIONES = Dataset(
    name="regiones",
    title="Regiones",
    description="The tree of regions (NUTS), other countries included.",
    section="3.14",
    path="/regiones",
    sweep=Sweep.TREE,
    grain=Grain.WHOLE,
    key=("id",),
    parameters=("vpd",),
    group="bdns_catalogos",
    quirks="The order of children changes between calls with no data change.",
    columns=(
        Column("id", "bigint", "Id, unique across the tree", required=True),
        Column("nivel", "integer", "Depth, 1 at the root"),
        Column("id_padre", "bigint", "Id of the parent", source="idPadre"),
        _text("ruta_ids", "rutaIds", "Ids from the root to the node, joined with '/'"),
        Column("hoja", "boolean", "The node has no children"),
        Column("descripcion", "text", "NUTS code and name as published"),
        Column("codigo_nuts", "text", "NUTS code parsed from the text", canon=Canon.OFF,
               derived_from="descripcion", derive="nuts", index=Index.ALL),
        Column("nombre", "text", "Name without the code", canon=Canon.OFF,
               derived_from="descripcion", derive="nuts_name"),
        Column("descripcion_normal", "text", "Text in the normal form that joins use", canon=Canon.OFF,
               derived_from="descripcion", derive="normal_text", index=Index.ALL),
    ),
)  # fmt: skip


def _catalogue(name: str, title: str, path: str, description: str, *, vpd: bool = True) -> Dataset:
    return Dataset(
        name=name,
        title=title,
        description=description,
        section="3.13",
        path=path,
        sweep=Sweep.LIST,
        grain=Grain.WHOLE,
        key=("id",),
        parameters=("vpd",) if vpd else (),
        group="bdns_catalogos",
        columns=(
            Column("id", "bigint", "Catalogue id", required=True),
            Column("descripcion", "text", "Text as published"),
            Column("descripcion_normal", "text", "Text in the normal form that joins use", canon=Canon.OFF,
                   derived_from="descripcion", derive="normal_text", index=Index.ALL),
        ),
    )  # fmt: skip


FINALIDADES = _catalogue("finalidades", "Finalidades", "/finalidades", "Policy areas.")
TIPOS_BENEFICIARIO = _catalogue(
    "tipos_beneficiario", "Tipos de beneficiario", "/beneficiarios", "Types of beneficiary."
)
INSTRUMENTOS = _catalogue("instrumentos", "Instrumentos", "/instrumentos", "Aid instruments.")
SECTORES = _catalogue("sectores", "Sectores", "/sectores", "Agricultural product sectors.", vpd=False)
ACTIVIDADES = _catalogue(
    "actividades", "Actividades", "/actividades", "Economic activities (CNAE); ids change with its edition."
)
OBJETIVOS = _catalogue("objetivos", "Objetivos", "/objetivos", "State-aid objectives.")

_REGLAMENTOS = _catalogue("reglamentos", "Reglamentos", "/reglamentos", "EU regulations, by ámbito.")
REGLAMENTOS = replace(
    _REGLAMENTOS,
    grain=Grain.AMBITO,
    key=("ambito", "id"),
    partition_column="ambito",
    partition_parameter="ambito",
    parameters=("vpd", "ambito"),
    quirks="The list depends on the ámbito and has an id 0.",
    columns=(
        Column("ambito", "text", "Dataset that the list is for: C, A, M, S, P, G", required=True,
               source="particion"),
        *_REGLAMENTOS.columns,
    ),
    _by_name={},
)  # fmt: skip

DATASETS: dict[str, Dataset] = {
    d.name: d
    for d in (
        FINALIDADES, TIPOS_BENEFICIARIO, INSTRUMENTOS, REGLAMENTOS, SECTORES, ACTIVIDADES, OBJETIVOS,
        REGIONES, ORGANOS, ORGANOS_AGRUPACION, CONVOCATORIAS, CONCESIONES, AYUDAS_ESTADO, MINIMIS,
        PARTIDOS_POLITICOS, GRANDES_BENEFICIARIOS, PLANES_ESTRATEGICOS, PLANES_VIGENCIA, SANCIONES,
    )
}  # fmt: skip


class UnknownDataset(LookupError):
    """The name is not in the registry; the message lists those that are."""


def dataset(name: str) -> Dataset:
    """The declaration of ``name``; raises :class:`UnknownDataset` with the names that exist."""
    try:
        return DATASETS[name]
    except KeyError:
        raise UnknownDataset(f"unknown dataset {name!r}; known: {', '.join(DATASETS)}") from None
