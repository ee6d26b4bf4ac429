"""A journal of which entries each revision touched."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the journal, empty: what came before is read whole."""
    op.create_table(
        "changes",
        sa.Column("revision", sa.Integer(), primary_key=True),
        sa.Column("list_name", sa.String(128), primary_key=True),
        sa.Column("entry_id", sa.String(128), primary_key=True),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("changes")
