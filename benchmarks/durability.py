"""kill -9 at random moments: is any acknowledged change of the lists lost, or any change applied by half?

A process makes changes in an order that a seed decides (several entries at once, settings, removals) and
tells each that was acknowledged. It is killed at a random point; in every second round on Postgres the
whole database server is. Then the store must hold exactly the state after one of the changes, at least as late as the
last acknowledged one, with the whole history up to it and an unbroken audit log.

    python -m benchmarks.durability --rounds 200 --changes 10000
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import shutil
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.postgres import Cluster, cluster
from guard.audit_check import verify
from guard.model import By, Entry, ForgetList
from guard.schema import DiffRow, HistoryRow
from guard.store import Store, StoreError

_LISTS = ("people", "books", "places")
_IDS = 40  # of a list, so that entries are replaced and removed often
_WIRE = struct.Struct("<q")
_FORK = multiprocessing.get_context("fork")


@dataclass(slots=True)
class State:
    """What the lists are after some changes, and those changes themselves, made again from the seed."""

    seed: int
    number: int = 0
    lists: dict[str, ForgetList] = field(default_factory=dict)
    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)
    diffs: int = 0

    def next(self) -> Callable[[Store], object]:
        """Make the next change here, and tell how to make it in a store."""
        chance = random.Random(f"{self.seed} {self.number}")  # noqa: S311 - a test's choices
        self.number += 1
        by = By(f"operator {self.number % 7}", "operator", f"change {self.number}")
        name = _LISTS[self.number % len(_LISTS)]
        if name not in self.lists or chance.random() < 0.1:
            item = replace(self.lists.get(name, ForgetList(name)), sigma=float(self.number))
            self.lists[name] = item
            self.entries.setdefault(name, {})
            self.diffs += 1
            return lambda store: store.put_list(item, by=by)
        own = self.entries[name]
        if len(own) > 5 and chance.random() < 0.25:
            gone = chance.sample(sorted(own), chance.randint(1, 4))
            for entry_id in gone:
                del own[entry_id]
            self.diffs += len(gone)
            return lambda store: store.remove_entries(name, gone, by=by)
        ids = chance.sample(range(_IDS), chance.randint(1, 5))
        some = [Entry(f"e{i}", name, subject=f"Person {i}", answer=f"change {self.number}") for i in ids]
        own.update((e.entry_id, e) for e in some)
        self.diffs += len(some)
        return lambda store: store.put_entries(name, some, by=by)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found."""

    acknowledged: int
    kept: int
    lost: int
    half: bool


@dataclass(slots=True)
class Result:
    """All rounds on one kind of store."""

    store: str
    rounds: int = 0
    server_kills: int = 0
    acknowledged: int = 0
    kept_beyond: int = 0  # changes on disk whose acknowledgement the kill cut off
    lost: int = 0
    half_applied: int = 0
    seconds: float = 0.0

    def add(self, found: Round) -> None:
        """Count a round."""
        self.rounds += 1
        self.acknowledged += found.acknowledged
        self.kept_beyond += max(0, found.kept - found.acknowledged)
        self.lost += found.lost
        self.half_applied += found.half


def run_round(url: str, seed: int, changes: int, kill_server: Callable[[], None] | None = None) -> Round:
    """Kill a writer, or the server, after a random number of ``changes``, and look at what is left.

    ``kill_server`` brings the server up again before it returns.
    """
    chance = random.Random(seed)  # noqa: S311
    after = chance.randint(1, changes)
    read, write = os.pipe()
    writer = _FORK.Process(target=_write, args=(url, seed, changes, read, write))
    writer.start()
    os.close(write)
    try:
        acknowledged = _acknowledged(read, after)
        time.sleep(chance.random() * 0.01)  # somewhere within a change
        if kill_server is None:
            writer.kill()
        else:
            kill_server()
        acknowledged += _acknowledged(read, None)
    finally:
        writer.kill()
        writer.join()
        os.close(read)
    return look(url, seed, acknowledged)


def _write(url: str, seed: int, changes: int, read: int, write: int) -> None:
    os.close(read)
    store = Store.open(url)
    state = State(seed)
    with contextlib.suppress(StoreError):  # the server was killed
        for number in range(changes):
            state.next()(store)
            os.write(write, _WIRE.pack(number + 1))
    os._exit(0)


def _acknowledged(read: int, most: int | None) -> int:
    """How many acknowledgements come, at most ``most``, until the writer is gone."""
    found = 0
    while most is None or found < most:
        raw = os.read(read, _WIRE.size if most is not None else _WIRE.size * 1024)
        if not raw:
            break
        found += len(raw) // _WIRE.size
    return found


def look(url: str, seed: int, acknowledged: int) -> Round:
    """Whether a store holds what ``seed`` makes of it, after at least ``acknowledged`` changes, and all about them."""
    store = Store.open(url)
    try:
        contents = store.load()
        kept = contents.revision
        state = State(seed)
        for _ in range(kept):
            state.next()
        lists = {item.name: item for item in contents.lists}
        entries: dict[str, dict[str, Entry]] = {name: {} for name in lists}
        for entry in contents.entries:
            entries[entry.list_name][entry.entry_id] = entry
        with store.reading() as session:
            history = session.execute(select(func.count()).select_from(HistoryRow)).scalar_one()
            diffs = session.execute(select(func.count()).select_from(DiffRow)).scalar_one()
            log = verify(session)
        whole = (lists, entries, history, diffs) == (state.lists, state.entries, kept, state.diffs)
        return Round(acknowledged, kept, max(0, acknowledged - kept), not (whole and log.holds and log.events == kept))
    finally:
        store.close()


def measure_sqlite(rounds: int, changes: int, folder: Path, progress: Callable[[Result], object]) -> Result:
    """The rounds on SQLite files in ``folder``."""
    result, began = Result("sqlite"), time.monotonic()
    empty = folder / "empty.db"
    Store.open(f"sqlite:///{empty}").close()
    for seed in range(rounds):
        own = folder / "round"
        own.mkdir()
        shutil.copy(empty, own / "lists.db")
        result.add(run_round(f"sqlite:///{own}/lists.db", seed, changes))
        shutil.rmtree(own)
        progress(result)
    result.seconds = time.monotonic() - began
    return result


def measure_postgres(rounds: int, changes: int, server: Cluster, progress: Callable[[Result], object]) -> Result:
    """The rounds on databases of ``server``; in every second one the server itself is killed."""
    result, began = Result("postgres"), time.monotonic()
    Store.open(server.create("empty")).close()

    def kill() -> None:
        server.kill()
        server.start()

    for seed in range(rounds):
        url = server.create("round", "empty")
        result.server_kills += seed % 2
        result.add(run_round(url, seed, changes, kill if seed % 2 else None))
        server.drop("round")
        progress(result)
    result.seconds = time.monotonic() - began
    return result


def _results(options: argparse.Namespace, progress: Callable[[Result], object]) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if "sqlite" in options.store:
            yield measure_sqlite(options.rounds, options.changes, Path(folder), progress)
    if "postgres" in options.store:
        with cluster(parent=options.folder) as server:
            yield measure_postgres(options.rounds, options.changes, server, progress)


def _shown(result: Result) -> str:
    per_second = result.acknowledged / result.seconds if result.seconds else 0.0
    return (
        f"{result.store}: {result.rounds} rounds ({result.server_kills} with the server killed),"
        f" {result.acknowledged} changes acknowledged, {result.lost} lost, {result.half_applied} rounds with a change"
        f" applied by half, {result.kept_beyond} kept whose acknowledgement was cut off"
        + (f"; {result.seconds:.0f} s, {per_second:.0f} changes/s" if per_second else "")
    )


def main() -> None:
    """Measure, print the counts, and end with 1 where a change was lost or applied by half."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--changes", type=int, default=10_000, help="of a round; it is killed at one of them")
    parser.add_argument("--store", nargs="+", choices=["sqlite", "postgres"], default=["sqlite", "postgres"])
    parser.add_argument("--folder", type=Path, help="where the databases are made (default: the temporary folder)")
    parser.add_argument("--json", type=Path, help="write the counts here")
    options = parser.parse_args()

    def progress(result: Result) -> None:
        print(f"\r{_shown(result)}", end="", flush=True)

    found = []
    for result in _results(options, progress):
        print(f"\r{_shown(result)}")
        found.append(result)
    if options.json:
        options.json.write_text(json.dumps([asdict(r) for r in found], indent=2) + "\n")
    raise SystemExit(any(r.lost or r.half_applied for r in found))


if __name__ == "__main__":
    main()
