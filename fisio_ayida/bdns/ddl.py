"""The tables of the mirror, as SQL, from the registry.

Migrations keep the text that this module gave on their day; a test holds the migrated database
against the registry, so that a new column without a migration cannot pass unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fisio_ayida.bdns.datasets import DATASETS
from fisio_ayida.bdns.registry import Child, Column, Dataset, Index

#: Ends of a version's life, kept in ``<table>_history.end_kind``.
SUPERSEDED, WITHDRAWN = "superseded", "withdrawn"

NORMAL_FUNCTION = """\
create or replace function bdns.normal(value text) returns text
language sql immutable parallel safe strict
as $$
  select nullif(btrim(regexp_replace(
    lower(regexp_replace(normalize(value, NFKD), '[\\u0300-\\u036f]', '', 'g')),
    '[[:space:]\\u00a0]+', ' ', 'g')), '')
$$;
comment on function bdns.normal(text) is
  'Lower case, no accents, single blanks: the form in which texts join catalogues';
"""


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _definition(column: Column, *, required: bool, key: bool = False) -> str:
    # What is only looked up and never shown in order is compared byte by byte: a third of an index's cost.
    collation = ' collate "C"' if column.type == "text" and (key or column.index is not Index.NONE) else ""
    return f"{column.name} {column.type}{collation}" + (" not null" if required else "")


def _comments(table: str, columns: Iterable[Column]) -> list[str]:
    out = []
    for column in columns:
        unit = f" [{column.unit}]" if column.unit else ""
        out.append(f"comment on column {table}.{column.name} is {_quote(column.description + unit)};")
    return out


def _indexes(table: str, columns: Iterable[Column]) -> list[str]:
    out = []
    for column in columns:
        if column.index is Index.NONE:
            continue
        where = " where not persona_fisica" if column.index is Index.ORGANISATIONS else ""
        # An index entry has a limit that a text does not; what is looked up is short.
        name = table.split(".")[1]
        expression = f"left({column.name}, 200)" if column.name.endswith("_normal") else column.name
        out.append(f"create index {name}_{column.name}_idx on {table} ({expression}){where};")
    return out


def _table(
    table: str, title: str, key: Sequence[str], columns: Sequence[Column], parent: str | None, *, extra: bool
) -> str:
    own = [_definition(c, required=c.required or c.name in key, key=c.name in key) for c in columns]
    leading = [parent] if parent else []
    extra_column = ["extra jsonb"] if extra else []
    current = [*leading, *own, *extra_column, "row_hash bigint not null", "valid_from timestamptz not null"]
    past = [*current, "valid_to timestamptz not null",
            f"end_kind text not null check (end_kind in ('{SUPERSEDED}', '{WITHDRAWN}'))"]  # fmt: skip
    name = table.split(".")[1]
    keys = ", ".join(key)
    lines = [
        f"create table {table} (\n  " + ",\n  ".join(current) + f",\n  primary key ({keys})\n);",
        f"comment on table {table} is {_quote(title)};",
        f"create table {table}_history (\n  " + ",\n  ".join(past) + "\n);",
        f"comment on table {table}_history is {_quote('Past versions. ' + title)};",
        f"create index {name}_history_key_idx on {table}_history ({keys}, valid_to);",
        *_comments(table, columns),
        *_indexes(table, columns),
        _as_of(table, current),
    ]
    return "\n".join(lines)


def _as_of(table: str, columns: Sequence[str]) -> str:
    names = ", ".join(c.split()[0] for c in columns)
    return f"""\
create function {table}_as_of(moment timestamptz) returns setof {table}
language sql stable parallel safe
as $$
  select {names} from {table} where valid_from <= moment
  union all
  select {names} from {table}_history where valid_from <= moment and moment < valid_to
$$;
comment on function {table}_as_of(timestamptz) is 'What the source published at that moment, as mirrored';"""


def dataset_ddl(dataset: Dataset) -> str:
    """Tables, history, indexes, comments and the as-of function of one dataset and its children."""
    parts = [_table(dataset.table, f"{dataset.title}: {dataset.description}", dataset.key, dataset.columns,
                    None, extra=True)]  # fmt: skip
    if dataset.partition_column:
        column = dataset.partition_column
        parts.append(
            f"create index {dataset.name}_history_{column}_idx on {dataset.table}_history ({column}) "
            f"where end_kind = '{WITHDRAWN}';"
        )
        if dataset.column(column).index is Index.NONE and dataset.key[0] != column:
            parts.append(f"create index {dataset.name}_{column}_idx on {dataset.table} ({column});")
    parts += [_child_ddl(dataset, child) for child in dataset.children]
    return "\n\n".join(parts)


def _child_ddl(dataset: Dataset, child: Child) -> str:
    table = f"{dataset.table}_{child.name}"
    kind = dataset.column(dataset.key[0]).type
    parent = f"{child.parent} {kind}" + (' collate "C"' if kind == "text" else "") + " not null"
    return _table(table, f"{dataset.title}: {child.description}", (child.parent, *child.key), child.columns,
                  parent, extra=False)  # fmt: skip


def mirror_ddl() -> str:
    """All tables of the mirror."""
    return "\n\n".join([NORMAL_FUNCTION, *(dataset_ddl(d) for d in DATASETS.values())]) + "\n"


if __name__ == "__main__":
    print(mirror_ddl(), end="")
