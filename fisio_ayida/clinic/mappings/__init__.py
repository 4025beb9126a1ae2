"""SQL that lays the contract's relations over an app's own tables, run once by the operator of its database.

Here: reading and running it. Not here: what the relations must be (``clinic/contract.py``).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import psycopg

#: The files beside this one.
MAPPINGS: Final = ("fisioflow",)


class UnknownMapping(ValueError):
    """There is no mapping of this name."""


def sql(name: str) -> str:
    """The text of a mapping; raises :class:`UnknownMapping` with the names there are."""
    if name not in MAPPINGS:
        raise UnknownMapping(f"mapping={name!r} does not exist; known: {', '.join(MAPPINGS)}")
    return files(__name__).joinpath(f"{name}.sql").read_text("utf-8")


def apply(conn: psycopg.Connection[Any], name: str) -> list[str]:
    """Run a mapping whole or not at all; gives what it warned of.

    Args:
        conn: in autocommit, as a role that may make views over the app's tables: the file is a transaction.

    Raises:
        UnknownMapping: there is none of this name.
        psycopg.Error: the database is another app's, or something stands in the way; nothing was changed.
    """
    text, warnings = sql(name), []

    def heard(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING" and notice.message_primary:
            warnings.append(notice.message_primary)

    conn.add_notice_handler(heard)
    try:
        conn.execute(text.encode())
    except psycopg.Error:
        conn.rollback()
        raise
    finally:
        conn.remove_notice_handler(heard)
    return warnings
