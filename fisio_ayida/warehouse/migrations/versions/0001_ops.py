"""Schemas, and the request clock that all processes share."""

from alembic import op

from fisio_ayida.warehouse.migrate import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward only: going back is restoring a backup."""
    run_sql_file(op, __file__, "0001_ops.sql")
