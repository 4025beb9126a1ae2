"""The mirror: current rows, history and as-of function of every dataset of the BDNS."""

from alembic import op

from fisio_ayida.warehouse.migrate import run_sql_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward only: going back is restoring a backup."""
    run_sql_file(op, __file__, "0003_bdns.sql")
