"""What a list asks of the detector: its scorer, a false-positive rate, a recall."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; lists that are there get the defaults."""
    op.add_column("forget_lists", sa.Column("scorer", sa.String(160)))
    op.add_column("forget_lists", sa.Column("false_positive_rate", sa.Float()))
    op.add_column("forget_lists", sa.Column("recall_floor", sa.Float()))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("forget_lists") as table:
        for column in ("scorer", "false_positive_rate", "recall_floor"):
            table.drop_column(column)
