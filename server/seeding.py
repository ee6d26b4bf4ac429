"""The sample list, for a store that has never been changed."""

from __future__ import annotations

from pathlib import Path

from guard.importer import read_entries
from guard.model import ForgetList
from guard.store import Store

SAMPLE = Path(__file__).parent.parent / "guard" / "samples" / "sample.jsonl"
SAMPLE_LIST = "sample"


def seed(store: Store) -> None:
    """Put the sample list into ``store`` if nothing was ever done with it.

    Raises:
        ValueError: the sample's file cannot be read.
        StoreError: the store cannot be written.
    """
    if store.revision() != 0:
        return
    with SAMPLE.open("rb") as lines:
        entries, problems = read_entries(lines, SAMPLE_LIST)
    if problems:
        raise ValueError(f"{SAMPLE}: line {problems[0].line}: {problems[0].message}")
    store.put_list(ForgetList(SAMPLE_LIST, description="five facts that the embedded model knows"))
    store.add_entries(SAMPLE_LIST, entries)
