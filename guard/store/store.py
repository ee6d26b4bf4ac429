"""Forget lists on disk: what was acknowledged survives a crash, and who changed what stays known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from guard.model import SYSTEM, By, EcoFit, Entry, ForgetList
from guard.schema import ChangeRow, EntryRow, RevisionRow
from guard.store import entries, history, lists
from guard.store.change import KEPT_REVISIONS, Change
from guard.store.database import Database, utc_now
from guard.store.values import (
    Added,
    Changes,
    Contents,
    Difference,
    Page,
    Removed,
    RevisionInfo,
    Stored,
    StoredList,
)

# A server that has more than this to take in reads the whole store again.
_MOST_CHANGES = 20_000


class Store(Database):
    """The lists, their entries and their history. Each method is one transaction; each change adds 1 to the revision.

    Changing methods take ``by``, who makes the change, which the history and the audit log keep, and many ``expect``:
    the revision at which the caller last saw the list's settings or the entry, 0 where there was none. Beside what
    they name, all raise ``StoreError`` where the database fails, and those with ``expect`` ``Conflict``.
    """

    # What is in force

    def revision(self) -> int:
        """How many changes there have been."""
        with self.reading() as session:
            return session.execute(select(RevisionRow.number)).scalar_one()

    def load(self) -> Contents:
        """Everything in force, at one revision."""
        with self.reading() as session:
            revision = session.execute(select(RevisionRow.number)).scalar_one()
            query = entries.rows().where(entries.in_force(utc_now())).order_by(EntryRow.list_name, EntryRow.position)
            found = tuple(map(self._coding.entry, session.execute(query).mappings()))
            return Contents(revision, lists.every(session, self._coding), found, lists.fits(session))

    def changes(self, since: int) -> Changes | None:
        """What happened after the revision ``since``; None where reading everything is the better way."""
        with self.reading() as session:
            revision = session.execute(select(RevisionRow.number)).scalar_one()
            after = ChangeRow.revision > since
            count = session.execute(select(func.count()).select_from(ChangeRow).where(after)).scalar_one()
            if since > revision or since <= revision - KEPT_REVISIONS or count > _MOST_CHANGES:
                return None
            touched: dict[str, set[str]] = {}
            for name, entry_id in session.execute(select(ChangeRow.list_name, ChangeRow.entry_id).where(after)):
                touched.setdefault(name, set()).add(entry_id)
            emptied = frozenset(name for name, ids in touched.items() if "" in ids)
            now = utc_now()
            found = [
                record.entry
                for name, ids in touched.items()
                for record in entries.records(session, self._coding, name, None if name in emptied else ids).values()
                if record.entry.expires_at is None or record.entry.expires_at > now
            ]
            keys = frozenset((n, e) for n, ids in touched.items() for e in ids if e)
            every = lists.every(session, self._coding)
            return Changes(revision, every, tuple(found), keys, emptied, lists.fits(session))

    # Lists

    def list_lists(self) -> list[tuple[ForgetList, int]]:
        """Every list with its number of entries, by name."""
        return [(s.forget_list, s.entries) for s in self.stored_lists()]

    def stored_lists(self, *, limit: int | None = None, after: str | None = None) -> list[StoredList]:
        """Lists by name, from the first after the name ``after``."""
        with self.reading() as session:
            return lists.stored(session, self._coding, limit=limit, after=after)

    def get_list(self, name: str) -> ForgetList:
        """One list.

        Raises:
            NotFound: there is none of that name.
        """
        with self.reading() as session:
            return self._coding.forget_list(lists.existing(session, name))

    def stored_list(self, name: str) -> StoredList:
        """One list with what the store knows of it.

        Raises:
            NotFound: there is none of that name.
        """
        with self.reading() as session:
            return lists.stored_one(session, self._coding, name)

    def put_list(
        self, forget_list: ForgetList, *, by: By = SYSTEM, expect: int | None = None, keep_fits: bool = True
    ) -> int:
        """Create or replace a list's settings; its entries stay. Returns the revision.

        A list that is set to keep no texts loses its history with them. Without ``keep_fits`` its fitted strengths go,
        so that what the operator says now goes before them.

        Raises:
            Invalid: it is to keep no texts, and has entries with texts (``replace_entries``).
        """
        name = forget_list.name
        with self.changing("list.put", by=by, list_name=name) as change:
            lists.expect(change.session, name, expect)
            before = lists.put(change, forget_list)
            bared = forget_list.keep == "vectors" and (before is None or before.keep != "vectors")
            if bared:
                held = entries.records(change.session, self._coding, name)
                lists.no_texts(name, (record.entry for record in held.values()))
            wiped = bared and lists.forget_history(change, name)
            if not keep_fits:
                lists.remove_fits(change, name)
        if wiped:
            self._wipe()
        return change.revision

    def delete_list(self, name: str, *, by: By = SYSTEM, expect: int | None = None) -> int:
        """Delete a list with its entries; returns the revision.

        Raises:
            NotFound: there is none of that name.
        """
        with self.changing("list.delete", by=by, list_name=name) as change:
            lists.expect(change.session, name, expect)
            lists.drop(change, name)
        return change.revision

    # Entries

    def get_entries(self, name: str, *, offset: int = 0, limit: int | None = None) -> list[Entry]:
        """A list's entries in the order in which they were added.

        Raises:
            NotFound: there is no such list.
        """
        with self.reading() as session:
            lists.existing(session, name)
            query = entries.rows().where(entries.of(name)).order_by(EntryRow.position, EntryRow.entry_id)
            return list(map(self._coding.entry, session.execute(query.offset(offset).limit(limit)).mappings()))

    def get_entry(self, name: str, entry_id: str) -> Stored:
        """One entry with what the store knows of it.

        Raises:
            NotFound: there is no such entry.
        """
        with self.reading() as session:
            return entries.stored(session, self._coding, name, entry_id)

    def search(
        self, name: str, *, text: str | None = None, label: str | None = None, kind: str | None = None,
        action: str | None = None, limit: int = 100, after: str | None = None,
    ) -> Page:  # fmt: skip
        """Entries of a list for which all that is given holds, in the order in which they were added.

        Args:
            name: the list's.
            text: what an id, a name, a text, a label or the source is to contain, whatever the case.
            label: one of its labels.
            kind: "forget" or "allow".
            action: its own action.
            limit: the most on a page.
            after: ``next`` of the page before.

        Raises:
            NotFound: there is no such list.
            Invalid: ``after`` is none that a page told.
        """
        with self.reading() as session:
            lists.existing(session, name)
            query = entries.Query(text, label, kind, action)
            return entries.search(session, self._coding, name, query, limit, after)

    def put_entry(self, entry: Entry, *, by: By = SYSTEM, expect: int | None = None) -> Stored:
        """Add or replace one entry.

        Raises:
            NotFound: there is no such list.
            Invalid: it has texts, and the list keeps none.
        """
        name = entry.list_name
        with self.changing("entry.put", by=by, list_name=name) as change:
            entries.expect(change.session, name, entry.entry_id, expect)
            change.entry_id = entry.entry_id
            added = self._put(change, name, [entry]).added
            change.action = "entry.add" if added else "entry.update"
            return entries.stored(change.session, self._coding, name, entry.entry_id)

    def put_entries(
        self, name: str, some: Sequence[Entry], *, by: By = SYSTEM, expect_list: int | None = None
    ) -> Added:
        """Add entries, replacing those of the same id. One that is as it was keeps its revision.

        ``expect_list``: the revision of the list's settings that the caller last saw.

        Raises:
            NotFound: there is no such list.
            Invalid: an entry has texts, and the list keeps none.
        """
        with self.changing("entries.put", by=by, list_name=name) as change:
            lists.expect(change.session, name, expect_list)
            return self._put(change, name, some)

    def add_entries(self, name: str, some: Sequence[Entry], *, by: By = SYSTEM) -> int:
        """``put_entries``; returns how many are new."""
        return self.put_entries(name, some, by=by).added

    def replace_entries(self, name: str, some: Sequence[Entry], *, by: By = SYSTEM) -> int:
        """Put entries in place of all that a list has, of which no trace is left; returns the revision.

        Raises:
            NotFound: there is no such list.
        """
        with self.changing(lists.WIPED, by=by, list_name=name) as change:
            lists.existing(change.session, name)
            lists.forget_history(change, name)
            change.session.execute(delete(EntryRow).where(entries.of(name)))
            entries.fill(change, name, some)
        self._wipe()
        return change.revision

    def remove_entry(self, name: str, entry_id: str, *, by: By = SYSTEM, expect: int | None = None) -> int:
        """Remove one entry; returns the revision.

        Raises:
            NotFound: there is no such entry.
        """
        with self.changing("entry.remove", by=by, list_name=name) as change:
            entries.expect(change.session, name, entry_id, expect)
            change.entry_id = entry_id
            return entries.remove(change, name, [entry_id]).revision

    def remove_entries(
        self, name: str, ids: Sequence[str], *, by: By = SYSTEM, expect_list: int | None = None
    ) -> Removed:
        """Remove entries; those that are not there are told. ``expect_list``: as in ``put_entries``.

        Raises:
            NotFound: none of them is there.
        """
        with self.changing("entries.remove", by=by, list_name=name) as change:
            lists.existing(change.session, name)
            lists.expect(change.session, name, expect_list)
            return entries.remove(change, name, ids)

    def expire(self, now: datetime | None = None) -> int:
        """Remove what has expired, as a revision by the system if there is any; how many entries that were.

        To be called now and then: what could not be wiped off the files before is wiped now.
        """
        if self._unwiped:
            self._wipe()
        due = EntryRow.expires_at <= (now or utc_now())
        with self.reading() as session:
            if session.execute(select(EntryRow.entry_id).where(due).limit(1)).first() is None:
                return 0
        with self.changing("expire") as change:
            found: dict[str, list[str]] = {}
            for name, entry_id in change.session.execute(select(EntryRow.list_name, EntryRow.entry_id).where(due)):
                found.setdefault(name, []).append(entry_id)
            for name, ids in found.items():
                entries.remove(change, name, ids)
            change.list_name = next(iter(found)) if len(found) == 1 else None
        return sum(map(len, found.values()))

    def _put(self, change: Change, name: str, some: Sequence[Entry]) -> Added:
        if lists.existing(change.session, name).keep == "vectors":
            lists.no_texts(name, some)
        return entries.put(change, name, some)

    # Fitted strengths

    def fits(self, name: str) -> list[EcoFit]:
        """The fitted strengths of a list, by model."""
        with self.reading() as session:
            return list(lists.fits(session, name))

    def put_fit(self, fit: EcoFit, *, by: By = SYSTEM) -> int:
        """Keep a fitted strength; one for the same list and model is replaced. Returns the revision.

        Raises:
            NotFound: there is no such list.
        """
        with self.changing("fit.put", by=by, list_name=fit.list_name) as change:
            lists.put_fit(change, fit)
        return change.revision

    def remove_fit(self, name: str, model: str, *, by: By = SYSTEM) -> int:
        """Forget a fitted strength; returns the revision.

        Raises:
            NotFound: there is none for that list and model.
        """
        with self.changing("fit.remove", by=by, list_name=name) as change:
            lists.remove_fit(change, name, model)
        return change.revision

    def remove_fits(self, name: str, *, by: By = SYSTEM) -> int:
        """Forget every fitted strength of a list, if there are any; returns the revision."""
        with self.changing("fit.remove", by=by, list_name=name) as change:
            lists.remove_fits(change, name)
        return change.revision

    # History

    def revisions(
        self, *, list_name: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[RevisionInfo]:
        """What the revisions were, the newest first; of one list, and older than ``before``, where that is given."""
        with self.reading() as session:
            return history.revisions(session, self._coding, list_name=list_name, before=before, limit=limit)

    def revision_info(self, revision: int) -> RevisionInfo:
        """What one revision was.

        Raises:
            NotFound: there is none, or it was before the history began.
        """
        with self.reading() as session:
            return history.info(session, self._coding, revision)

    def diff(self, revision: int, *, offset: int = 0, limit: int | None = None) -> list[Difference]:
        """What a revision changed, by list and entry.

        Raises:
            NotFound: as ``revision_info``.
        """
        with self.reading() as session:
            return history.diff(session, self._coding, revision, offset=offset, limit=limit)

    def plan_roll_back(self, to: int, list_name: str | None = None) -> list[Difference]:
        """What ``roll_back`` would change now.

        Raises:
            NotFound, Invalid: as ``roll_back``.
        """
        with self.reading() as session:
            now = session.execute(select(RevisionRow.number)).scalar_one()
            return history.steps(session, self._coding, to, list_name, now).differences()

    def roll_back(self, to: int, *, list_name: str | None = None, by: By = SYSTEM, expect: int | None = None) -> int:
        """Bring everything, or one list, back to what it was at the revision ``to``, as a new revision.

        Lists' settings and entries come back, fitted strengths do not. ``expect``: the store's revision that the
        caller planned on.

        Raises:
            NotFound: there is no such revision.
            Invalid: the history does not reach so far, or texts were removed for good since.
        """
        with self.changing("rollback", by=by, list_name=list_name) as change:
            history.expect(change, expect)
            found = history.steps(change.session, self._coding, to, list_name, change.revision - 1)
            history.take(change, found)
            change.detail["to"] = to
        return change.revision
