"""What every load proves and what it leaves aside: loads, rejects, drift, vanished values."""

from alembic import op

from fisio_ayida.warehouse.migrate import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward only: going back is restoring a backup."""
    run_sql_file(op, __file__, "0002_evidence.sql")
