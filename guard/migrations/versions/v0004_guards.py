"""How a list is guarded: corruption, guard text, for whom, what is kept; fitted strengths by model."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("corruption", sa.String(64), nullable=False, server_default="gaussian"),
        sa.Column("dims", sa.Integer()),
        sa.Column("token_classifier", sa.String(160)),
        sa.Column("template", sa.Text()),
        sa.Column("models", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("tenants", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("keep", sa.String(16), nullable=False, server_default="text"),
        sa.Column("examples", sa.JSON(), nullable=False, server_default="[]"),
    )


def upgrade() -> None:
    """Add the columns, with the defaults for lists that are there, and the table of fits."""
    for column in _columns():
        op.add_column("forget_lists", column)
    op.create_table(
        "eco_fits",
        sa.Column(
            "list_name", sa.String(128), sa.ForeignKey("forget_lists.name", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("model", sa.String(512), primary_key=True),
        sa.Column("body", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("eco_fits")
    with op.batch_alter_table("forget_lists") as table:
        for column in _columns():
            table.drop_column(column.name)
