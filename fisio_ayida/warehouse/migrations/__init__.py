"""Alembic's environment and the migrations of the warehouse; run by warehouse/migrate.py, never imported."""
