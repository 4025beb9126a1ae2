"""Events as rows: the inbox, its history, claims, what was refused, and the door for SQL."""

from alembic import op

from fisio_ayida.warehouse.migrate import run_sql_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward only: going back is restoring a backup."""
    run_sql_file(op, __file__, "0004_events.sql")
