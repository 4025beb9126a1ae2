"""What Alembic runs for every command: on the connection that migrate.py opened and locked.

Here: the place of the version table. Not here: URLs, settings, log configuration.
"""

from alembic import context
from sqlalchemy import text

from fisio_ayida.warehouse.revisions import VERSION_SCHEMA, VERSION_TABLE

connection = context.config.attributes["connection"]
# The version table's schema must exist before the first migration runs.
connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {VERSION_SCHEMA}"))
context.configure(
    connection=connection,
    target_metadata=None,
    version_table=VERSION_TABLE,
    version_table_schema=VERSION_SCHEMA,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
