"""Messages: the outbox, what became of each one, permissions, and the clinic's relations that they read."""

from alembic import op

from fisio_ayida.warehouse.migrate import run_sql_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forward only: going back is restoring a backup."""
    run_sql_file(op, __file__, "0006_messaging.sql")
