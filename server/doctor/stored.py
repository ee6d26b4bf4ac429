"""The store, its files, and who may come in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from guard.store import StoreError
from server.access.secret_keys import weakness
from server.doctor.case import Case
from server.doctor.finding import Finding, fail, ok, one_line, warn
from server.doctor.machine import others_may
from server.keys import is_loopback, key_file, known_admin_key


def store(case: Case) -> Iterator[Finding]:
    """Whether the store can be reached and read, and its tables are those of this version."""
    try:
        looked = case.looked
        if looked.at is None:
            yield ok("store", "there is none yet; the first start makes it")
        elif not looked.known:
            todo = "install that version, or bring back the backup made before the upgrade"
            yield fail(
                "store", f"a newer Letheward made its tables ({looked.at}; this one knows {looked.newest})", todo
            )
        elif not looked.current:
            todo = "back it up, then start: that brings the tables up to date"
            yield warn("store", f"its tables are at {looked.at}, the newest is {looked.newest}", todo)
        elif (contents := case.contents) is not None:
            entries = f"{len(contents.lists)} lists, {len(contents.entries)} entries"
            yield ok("store", f"revision {contents.revision}, {entries}, tables at {looked.at}")
    except (StoreError, ValueError) as error:
        todo = "see LETHEWARD_DATABASE_URL and LETHEWARD_STORE_KEYS, and that the database runs"
        yield fail("store", one_line(error), todo)


def permissions(case: Case) -> Iterator[Finding]:
    """Whether other users of this machine can read the store, or change it."""
    own = case.settings
    try:
        file = case.looked.file
    except StoreError:  # which a check of its own tells
        file = None
    beside = [file.with_name(file.name + end) for end in ("", "-wal", "-shm")] if file else []
    kept = [path for path in (*beside, key_file(own), own.signing_key) if path and path.exists()]
    amiss = [f for path in kept if (f := _open_to_others(path, sealed=path in beside and bool(own.store_keys)))]
    yield from amiss
    if not amiss:
        yield ok("permissions", f"{len(kept)} files are for this user alone" if kept else "no file there yet")


def _open_to_others(path: Path, *, sealed: bool) -> Finding | None:
    """What is wrong with a file's mode; of a sealed one others may read what there is."""
    may = others_may(path)
    if not may or (sealed and may == "read"):
        return None
    return fail("permissions", f"others on this machine may {may} {path}", f"chmod 600 {path}")


def admin(case: Case) -> Iterator[Finding]:
    """Whether the admin API is behind a key that nobody guesses."""
    try:
        key = known_admin_key(case.settings)
    except (RuntimeError, OSError) as error:
        yield fail("admin key", one_line(error), "letheward keys init")
        return
    weak = weakness(key) if key else None
    if key is None:
        yield ok("admin key", f"the first start makes one, in {key_file(case.settings)}")
    elif weak:
        yield warn("admin key", f"{weak}; only this machine is let in", "letheward keys init")
    else:
        yield ok("admin key", "there is one")


def clients(case: Case) -> Iterator[Finding]:
    """Whether whoever reaches the proxy may ask the model."""
    own = case.settings
    if own.metrics_public and not is_loopback(own.host):
        yield warn("metrics", "anybody may read /metrics, which names the lists", "leave metrics_public off")
    if own.client_keys or own.clients or is_loopback(own.host):
        yield ok("clients", "keys are asked for" if own.client_keys or own.clients else "only this machine is let in")
    elif any(_client_keys(case)):
        yield ok("clients", "keys of the store are asked for")
    else:
        todo = "letheward keys create NAME --role client, or set LETHEWARD_CLIENT_KEYS"
        yield warn("clients", f"whoever reaches {own.host} may ask the model: no client has a key", todo)


def _client_keys(case: Case) -> Iterator[bool]:
    from server.access.keystore import KeyStore
    from server.opening import open_store

    try:
        if not case.looked.current:
            return
        held = open_store(case.settings)
    except (StoreError, ValueError):  # which a check of its own tells
        return
    try:
        now = datetime.now(UTC)
        yield from (key.role == "client" and key.works(now) for key in KeyStore(held).all())
    finally:
        held.close()
