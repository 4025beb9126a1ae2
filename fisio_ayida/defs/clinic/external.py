"""The clinic's tables as assets that somebody else makes: what the jobs read, column by column, and check.

All of it follows from the contract. Not here: the checks on them (``integrity.py``).
"""

from __future__ import annotations

import dagster as dg

from fisio_ayida.clinic.contract import RELATIONS, Relation

GROUP = "clinic_tables"
#: Of the jobs, too.
OWNER = "team:fisioflow"


def table_key(relation: str) -> dg.AssetKey:
    """The asset of a relation: apart from those of the jobs, whose names could one day be a relation's."""
    return dg.AssetKey(["clinic", "tables", relation])


def table_specs() -> list[dg.AssetSpec]:
    """The relations without which no job runs."""
    return [_spec(relation) for relation in RELATIONS.values() if relation.needed]


def _spec(relation: Relation) -> dg.AssetSpec:
    return dg.AssetSpec(
        table_key(relation.name),
        description=f"{relation.meaning} FisioFlow's: a view over its own tables, or a table in the demo. "
        "`fisio-ayida clinic check` compares it with the contract.",
        group_name=GROUP,
        owners=[OWNER],
        kinds={"postgres"},
        tags={"source": "clinic"},
        metadata={
            "dagster/relation_identifier": f"clinic.{relation.name}",
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(each.name, type=each.type, description=each.meaning) for each in relation.columns]
            ),
        },
    )
