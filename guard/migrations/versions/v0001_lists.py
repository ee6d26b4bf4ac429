"""Lists, entries and the revision."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables, at revision 0."""
    op.create_table(
        "forget_lists",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("policy", sa.String(16), nullable=False),
        sa.Column("fallback", sa.String(16), nullable=False),
        sa.Column("sigma", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("guideline", sa.Text(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column(
            "list_name", sa.String(128), sa.ForeignKey("forget_lists.name", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("entry_id", sa.String(128), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
    )
    op.create_index("entries_in_order", "entries", ["list_name", "position"])
    revision_table = op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
    )
    op.bulk_insert(revision_table, [{"id": 1, "number": 0}])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("revision")
    op.drop_table("entries")
    op.drop_table("forget_lists")
