"""FisioFlow's jobs: the clinic's relations in full, and what the jobs keep of their own."""

from alembic import op

from fisio_ayida.warehouse.migrate import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward only: going back is restoring a backup."""
    run_sql_file(op, __file__, "0007_clinic.sql")
