"""Insights: what sessions say, what was computed and written of it, and what it cost."""

from alembic import op

from fisio_ayida.warehouse.migrate import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Forward only: going back is restoring a backup."""
    run_sql_file(op, __file__, "0008_insights.sql")
