"""Reading and saving the texts of a cycle: sealed in the table, words only for who may read them.

Who may is asked before (fields.py, by privacy/rules.py). How saves come together is rules.merge.
"""

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, false, insert, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles import rules
from lti_tool.cycles.conversation_rules import chosen
from lti_tool.cycles.models import CycleText, DeletedText, Rest
from lti_tool.cycles.revision import bump
from lti_tool.cycles.rules import Merge, Row, Save
from lti_tool.privacy.keyring import KeyShredded, ScopeKeys
from lti_tool.protocols.recipe import Field
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed


class TooLong(Exception):
    """A text is over its limit; nothing was changed."""

    def __init__(self, field: Field, length: int, limit: int) -> None:
        super().__init__(f"{field.key}: {length} > {limit}")
        self.field = field
        self.length = length
        self.limit = limit


class Deleted(Exception):
    """What a page has before it was deleted since; nothing was saved, so that it does not come back."""


@dataclass(frozen=True, slots=True)
class OpenedText:
    """A version of a text, opened for somebody who may read it."""

    id: str
    rev: int
    field: str
    author_id: str
    text: str
    saved_at: datetime
    is_head: bool

    @property
    def token(self) -> str:
        """Names exactly this state of this row."""
        return f"{self.id}.{self.rev}"


@dataclass(frozen=True, slots=True)
class Register:
    """Which texts to read: a field's, or only those of one author."""

    field: str
    author_id: str | None = None


def read_texts(
    session: Session, keys: ScopeKeys, cycle_id: str, registers: Iterable[Register], *, history: bool = False
) -> list[OpenedText]:
    """The current versions (with `history`: all) of the texts asked for, the oldest first; one statement.

    Nothing else is read from the table, so what a caller may not see never leaves it.
    """
    wanted = [
        CycleText.field == each.field
        if each.author_id is None
        else and_(CycleText.field == each.field, CycleText.author_id == each.author_id)
        for each in registers
    ]
    rows = session.execute(
        select(
            CycleText.id,
            CycleText.rev,
            CycleText.field,
            CycleText.author_id,
            CycleText.sealed,
            CycleText.saved_at,
            CycleText.replaced_by,
        )
        .where(
            CycleText.cycle_id == cycle_id,
            or_(false(), *wanted),
            *(() if history else (CycleText.replaced_by.is_(None),)),
        )
        .order_by(CycleText.saved_at, CycleText.id)
    )
    found = []
    for row in rows:
        try:
            text = keys.open(row.author_id, row.sealed, f"texts/{row.id}")
        except KeyShredded:
            # Its author took it back for good; for everybody else it was never there.
            continue
        found.append(OpenedText(row.id, row.rev, row.field, row.author_id, text, row.saved_at, row.replaced_by is None))
    return found


def read_current_of(
    session: Session, keys: Mapping[str, ScopeKeys], registers: Mapping[str, Iterable[Register]]
) -> dict[str, list[OpenedText]]:
    """Cycle id → the current versions of the texts asked for there, the oldest first, as read_texts gives them; one
    statement for all cycles. `keys`: of the same cycles."""
    wanted = [
        and_(
            CycleText.cycle_id == cycle_id,
            CycleText.field == each.field,
            *(() if each.author_id is None else (CycleText.author_id == each.author_id,)),
        )
        for cycle_id, of_cycle in registers.items()
        for each in of_cycle
    ]
    rows = session.execute(
        select(
            CycleText.id, CycleText.rev, CycleText.field, CycleText.author_id, CycleText.sealed, CycleText.saved_at,
            CycleText.cycle_id,
        )
        .where(or_(false(), *wanted), CycleText.replaced_by.is_(None))
        .order_by(CycleText.saved_at, CycleText.id)
    )  # fmt: skip
    found: dict[str, list[OpenedText]] = {cycle_id: [] for cycle_id in registers}
    for row in rows:
        with contextlib.suppress(KeyShredded):
            text = keys[row.cycle_id].open(row.author_id, row.sealed, f"texts/{row.id}")
            found[row.cycle_id].append(OpenedText(row.id, row.rev, row.field, row.author_id, text, row.saved_at, True))
    return found


def save_text(
    session: Session,
    keys: ScopeKeys,
    cycle: rules.Cycle,
    field: Field,
    *,
    text: str,
    base: Iterable[str],
    editor: str = "",
    seq: int = 0,
    now: datetime,
) -> bool:
    """Saves what the viewing member wrote in a field (the cycle is locked); whether anything changed.

    `base`: tokens of the versions they had before their eyes. Raises TooLong and Deleted, and then nothing has changed.
    """
    author_id = cycle.viewer_id
    save = Save(author_id, chosen(field, rules.clean(text)), frozenset(base), editor[:64], seq)
    if _is_of_a_deleted_text(session, cycle.id, field, save):
        raise Deleted
    rows = _register(session, keys, cycle.id, field, author_id, save.editor)
    most = rules.limit(field, (row.text for row in rows if row.token in save.base and row.replaced_by is None))
    if len(save.text) > most:
        raise TooLong(field, len(save.text), most)
    decided = rules.merge(rows, save)
    if decided.action == "nothing":
        return False
    _carry_out(session, keys, cycle.id, field, save, decided, rows, now)
    bump(session, cycle.id)
    return True


def delete_texts(
    session: Session,
    cycle_ids: Collection[str],
    fields: Collection[str],
    *,
    author_id: str | None = None,
    now: datetime,
) -> int:
    """Deletes all versions of these fields in these cycles (with `author_id`: only what that person wrote), and returns
    how many. The cycles are locked.

    What somebody else wrote before stands again where the version that took its place is gone. A page that still has a
    deleted text before it can not save it again (save_text raises Deleted).
    """
    among = (CycleText.cycle_id.in_(cycle_ids), CycleText.field.in_(fields))
    rows = session.execute(
        select(
            CycleText.id, CycleText.cycle_id, CycleText.field, CycleText.author_id, CycleText.editor,
            CycleText.replaced_by,
        ).where(*among)
    ).all()  # fmt: skip
    gone = {row.id: row for row in rows if author_id in (None, row.author_id)}
    if not gone:
        return 0
    session.execute(
        insert(DeletedText),
        [
            {"id": row.id, "cycle_id": row.cycle_id, "field": row.field, "editor": row.editor, "deleted_at": now}
            for row in gone.values()
        ],
    )
    mended = []
    for row in rows:
        if row.id in gone or row.replaced_by not in gone:
            continue
        successor = row.replaced_by
        while successor in gone:
            successor = gone[successor].replaced_by
        mended.append({"row": row.id, "successor": successor})
    if mended:
        statement = update(CycleText).where(CycleText.id == bindparam("row")).values(replaced_by=bindparam("successor"))
        session.connection().execute(statement, mended)
    mine = () if author_id is None else (CycleText.author_id == author_id,)
    session.execute(delete(CycleText).where(*among, *mine))
    # A line that a next step rests on, or that rests on one, lives no longer than the text it was taken from.
    quoted = or_(Rest.field.in_(fields), Rest.data.in_(fields))
    session.execute(delete(Rest).where(Rest.cycle_id.in_(cycle_ids), quoted))
    return len(gone)


DELETED_KEPT_FOR = timedelta(days=90)
"""How long a late save of a deleted text is recognised: a sign-in is over after hours, a draft on a device is not."""


def forget_deleted(session: Session, now: datetime) -> int:
    """Deletes the traces of deleted texts whose time is over; returns how many."""
    return rows_changed(session.execute(delete(DeletedText).where(DeletedText.deleted_at <= now - DELETED_KEPT_FOR)))


def _is_of_a_deleted_text(session: Session, cycle_id: str, field: Field, save: Save) -> bool:
    if not save.base and not save.editor:
        return False
    # What a page had before its eyes; a database need not see what can be no id at all.
    ids = (token.partition(".")[0] for token in save.base)
    seen = [text_id for text_id in ids if text_id.isascii() and text_id.isalnum()]
    found = select(DeletedText.id).where(
        DeletedText.cycle_id == cycle_id,
        DeletedText.field == field.key,
        or_(DeletedText.id.in_(seen[:50]), and_(DeletedText.editor == save.editor, DeletedText.editor != "")),
    )
    return session.execute(found.limit(1)).first() is not None


def _register(session: Session, keys: ScopeKeys, cycle_id: str, field: Field, author_id: str, editor: str) -> list[Row]:
    rows = session.execute(
        select(
            CycleText.id,
            CycleText.rev,
            CycleText.author_id,
            CycleText.editor,
            CycleText.seq,
            CycleText.sealed,
            CycleText.replaced_by,
        )
        .where(
            CycleText.cycle_id == cycle_id,
            CycleText.field == field.key,
            *((CycleText.author_id == author_id,) if field.by == "each" else ()),
            or_(CycleText.replaced_by.is_(None), and_(CycleText.editor == editor, CycleText.editor != "")),
        )
        .order_by(CycleText.saved_at, CycleText.id)
    )
    found = []
    for row in rows:
        try:
            text = keys.open(row.author_id, row.sealed, f"texts/{row.id}")
        except KeyShredded:
            text = ""
        found.append(Row(row.id, row.rev, row.author_id, row.editor, row.seq, text, row.replaced_by))
    return found


def _carry_out(
    session: Session,
    keys: ScopeKeys,
    cycle_id: str,
    field: Field,
    save: Save,
    decided: Merge,
    rows: Sequence[Row],
    now: datetime,
) -> None:
    row_id = decided.row_id or new_id()
    values: dict[str, Any] = {}
    if decided.action in ("insert", "update"):
        values = {
            "sealed": keys.seal(save.author_id, save.text, f"texts/{row_id}"),
            "is_blank": not save.text.strip(),
            "editor": save.editor,
            "seq": save.seq,
            "saved_at": now,
        }
    if decided.action == "insert":
        session.execute(
            insert(CycleText).values(
                id=row_id, cycle_id=cycle_id, field=field.key, author_id=save.author_id, rev=1, **values
            )
        )
    elif decided.action == "update":
        before = next(row for row in rows if row.id == row_id)
        rev = before.rev if before.text == save.text else before.rev + 1
        session.execute(update(CycleText).where(CycleText.id == row_id).values(rev=rev, **values))
    if decided.replaces:
        session.execute(update(CycleText).where(CycleText.id.in_(decided.replaces)).values(replaced_by=row_id))
