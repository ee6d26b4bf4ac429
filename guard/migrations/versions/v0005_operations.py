"""How lists are lived with: history, keys, audit log, workers, remembered answers, verifications."""

import sqlalchemy as sa
from alembic import op

from guard.migrations.append_only import allow_changes, forbid_changes

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ENTRY_COLUMNS = (
    ("revision", sa.Integer(), "0"),
    ("expires_at", sa.DateTime(timezone=True), None),
    ("created_at", sa.DateTime(timezone=True), None),
    ("created_by", sa.String(128), ""),
    ("updated_at", sa.DateTime(timezone=True), None),
    ("updated_by", sa.String(128), ""),
)
_TABLES = (
    "history", "diffs", "idempotent_requests", "api_keys", "audit", "audit_head", "workers", "responses",
    "verifications", "verification_schedules",
)  # fmt: skip


def _moment(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, index=index)


def upgrade() -> None:
    """Add the tables and the columns of entries and lists."""
    op.add_column("forget_lists", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    for name, kind, default in _ENTRY_COLUMNS:
        op.add_column("entries", sa.Column(name, kind, nullable=default is None, server_default=default))
    op.create_index("entries_by_expiry", "entries", ["expires_at"])
    # Nothing is known of when they were changed last; 0 is what is not there.
    number = sa.column("number", sa.Integer())
    known = sa.select(sa.case((number < 1, 1), else_=number)).select_from(sa.table("revision")).scalar_subquery()
    for name in ("forget_lists", "entries"):
        op.execute(sa.table(name, sa.column("revision")).update().values(revision=known))
    _history()
    _access()
    _workers()
    _verifications()


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("revision", sa.Integer(), primary_key=True, autoincrement=False),
        _moment("at"),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("list_name", sa.String(128), index=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
    )
    op.create_table(
        "diffs",
        sa.Column("revision", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("list_name", sa.String(128), primary_key=True),
        sa.Column("entry_id", sa.String(128), primary_key=True),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
    )
    op.create_table(
        "idempotent_requests",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        _moment("at", index=True),
        sa.Column("status", sa.Integer()),
        sa.Column("answer", sa.JSON()),
    )


def _access() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("lists", sa.JSON(), nullable=False),
        sa.Column("may_choose", sa.JSON(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer()),
        sa.Column("concurrent_requests", sa.Integer()),
        _moment("expires_at", nullable=True),
        _moment("created_at"),
        sa.Column("created_by", sa.String(128), nullable=False),
        _moment("revoked_at", nullable=True),
        sa.Column("rotated_from", sa.String(32)),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        _moment("at"),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("target", sa.String(512), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
    forbid_changes(op.get_bind())


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        _moment("started_at"),
        _moment("seen_at", index=True),
        sa.Column("revision", sa.Integer(), nullable=False),
    )
    op.create_table(
        "responses",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        _moment("at", index=True),
        sa.Column("body", sa.Text(), nullable=False),
    )


def _verifications() -> None:
    op.create_table(
        "verifications",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("list_name", sa.String(128), nullable=False, index=True),
        sa.Column("entry_id", sa.String(128)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(512), nullable=False),
        _moment("started_at"),
        _moment("ended_at", nullable=True),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("holds", sa.Boolean()),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("record", sa.JSON()),
    )
    op.create_table(
        "verification_schedules",
        sa.Column(
            "list_name", sa.String(128), sa.ForeignKey("forget_lists.name", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        _moment("next_at"),
    )


def downgrade() -> None:
    """Drop them."""
    allow_changes(op.get_bind())
    for name in reversed(_TABLES):
        op.drop_table(name)
    op.drop_index("entries_by_expiry", "entries")
    with op.batch_alter_table("entries") as table:
        for name, _, _ in _ENTRY_COLUMNS:
            table.drop_column(name)
    with op.batch_alter_table("forget_lists") as table:
        table.drop_column("revision")
