"""What forbids, in the database itself, that the audit log be changed: triggers for SQLite and Postgres."""

from __future__ import annotations

from sqlalchemy import Connection

_MESSAGE = "the audit log is append-only"

_SQLITE = (
    ("audit_no_update", "BEFORE UPDATE ON audit", None),
    ("audit_no_delete", "BEFORE DELETE ON audit", None),
    # REPLACE deletes without asking the trigger above.
    ("audit_at_end", "BEFORE INSERT ON audit", "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)"),
    ("audit_head_no_delete", "BEFORE DELETE ON audit_head", None),
    ("audit_head_no_insert", "BEFORE INSERT ON audit_head", None),
    ("audit_head_forward", "BEFORE UPDATE ON audit_head", "NEW.id <> OLD.id OR NEW.seq NOT IN (OLD.seq, OLD.seq + 1)"),
)

_FUNCTION = "letheward_append_only"
_POSTGRES_FUNCTION = f"""
CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{_MESSAGE}';
END $$
"""
_POSTGRES = (
    ("audit_no_change", "BEFORE UPDATE OR DELETE ON audit FOR EACH ROW"),
    ("audit_no_truncate", "BEFORE TRUNCATE ON audit FOR EACH STATEMENT"),
    ("audit_head_no_change", "BEFORE INSERT OR DELETE ON audit_head FOR EACH ROW"),
    ("audit_head_no_truncate", "BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT"),
    (
        "audit_head_forward",
        "BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.seq NOT IN (OLD.seq, OLD.seq + 1))",
    ),
)


def forbid_changes(connection: Connection) -> None:
    """Make the triggers; the tables are there, and the head has its row."""
    if connection.dialect.name == "sqlite":
        for name, when, condition in _SQLITE:
            where = f" WHEN {condition}" if condition else ""
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} {when}{where} BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
            )
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_POSTGRES_FUNCTION)
        for name, when in _POSTGRES:
            connection.exec_driver_sql(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {_FUNCTION}()")


def allow_changes(connection: Connection) -> None:
    """Take the triggers away, before the tables go."""
    if connection.dialect.name == "sqlite":
        for name, _, _ in _SQLITE:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP FUNCTION {_FUNCTION}() CASCADE")
