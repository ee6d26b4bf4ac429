"""Alembic's migrations of the forget-list store."""
