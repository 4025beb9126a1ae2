"""Documents of calls and plans: what is stored, past versions, and the text inside for search."""

from alembic import op

from fisio_ayida.warehouse.migrate import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward only: going back is restoring a backup."""
    run_sql_file(op, __file__, "0005_documentos.sql")
