"""Who looked: openings of what a person wrote, by anybody but themselves, kept in a chain per person.

One line per viewer, cycle and hour, with the kind of page and never the words. The chain (chain.py) is marked
with a key of its owner from the keyring, so the database file alone is not enough to forge one. An operator who holds
the master key could; the page and docs/operator.md say so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle
from lti_tool.people.models import Person
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.privacy.looks import chain
from lti_tool.privacy.looks.chain import Head, Line
from lti_tool.privacy.looks.models import Look, LookChain
from lti_tool.store.database import Database
from lti_tool.store.upsert import insert_into

HISTORY = "history"
"""Earlier versions of a text; beside the keys of stages a kind of page that a line names."""
LIVE = "live"
"""A page that was left open, and fetched what was new."""
SHARED = "shared"
"""A passage that was shared."""
THREAD = "thread"
"""What the members of a pair write to each other."""
GROUP = "group"
"""What somebody wrote a group is about."""
DOOR = "door"
"""What a teacher offers others to come and see."""
CAPTURED = "captured"
"""What somebody noted live in a visit."""
TAKEN = "taken"
"""A copy of all that somebody can read, which they took with them."""
YEARS = "years"
"""One's own goals and next steps over the years, in which those of a partner are."""
GROWTH = "growth"
"""What somebody would like to grow in, which they share with a partner."""
INSTRUMENT = "instrument"
"""What a pair builds to look with."""
LIBRARY = "library"
"""An instrument that somebody released to the teachers of a course."""
OPERATOR = "operator"
"""As a viewer: whoever runs the server, who is nobody of the people. Such a line names nobody."""
EXPORTED = "exported"
"""A copy of all that is a person's, which the operator made at their request."""

_PURPOSE = "marks of looks"
_MOST_KNOWN = 20_000
_known: set[tuple[str, str, str, datetime]] = set()
"""(viewer, owner, cycle, hour) that this process has seen in the database. Ids are random, so it is right for any."""


def record(
    database: Database,
    keyring: Keyring,
    *,
    viewer: str,
    owners: Iterable[str],
    cycle_id: str | None,
    what: str,
    now: datetime,
) -> None:
    """As `note`, in a write transaction of its own; without any statement for what this process recorded already."""
    hour = chain.hour_of(now)
    new = {(viewer, owner, cycle_id or "", hour) for owner in owners if owner != viewer} - _known
    if not new:
        return
    with database.write() as session:
        note(session, keyring, viewer=viewer, owners=[each[1] for each in new], cycle_id=cycle_id, what=what, now=now)
    if len(_known) > _MOST_KNOWN:
        _known.clear()
    _known.update(new)


def note(
    session: Session,
    keyring: Keyring,
    *,
    viewer: str,
    owners: Iterable[str],
    cycle_id: str | None,
    what: str,
    now: datetime,
) -> None:
    """Adds to the log of each of `owners` that `viewer` opened something of theirs in a cycle (None: in none).

    `viewer` (or OPERATOR) and `owners` are ids of people; one's own openings are left out. `what`: a constant of this
    module or the key of a stage. A second time in the same hour adds nothing.
    """
    # In one order, so that two requests never wait for each other.
    for owner in sorted(set(owners) - {viewer}):
        _add(session, keyring, viewer, owner, cycle_id or "", what[:20], now)


def _add(session: Session, keyring: Keyring, viewer: str, owner: str, cycle_id: str, what: str, now: datetime) -> None:
    head, last, key, is_begun, is_whole = _locked(session, keyring, owner, now)

    def insert(number: int) -> str | None:
        line = Line(number, chain.viewer_mark(key, viewer), cycle_id, what, chain.hour_of(now))
        mark = chain.line_mark(key, head.last_mark, line)
        statement = insert_into(session, Look).values(
            owner_id=owner,
            number=number,
            viewer_id=None if viewer == OPERATOR else viewer,
            viewer_mark=line.viewer_mark,
            cycle_id=cycle_id,
            what=what,
            hour=line.hour,
            mark=mark,
        )
        return mark if session.execute(statement.on_conflict_do_nothing().returning(Look.number)).all() else None

    number = max(head.length, last) + 1
    mark = insert(number)
    if mark is None and is_begun:
        # There are lines, but their head was taken out.
        is_whole = False
        number = session.scalars(_last_number(owner)).one() + 1
        mark = insert(number)
    if mark is None:
        # It was there already.
        return
    grown = chain.new_head(key, number, mark) if is_whole else Head(number, mark, chain.BROKEN)
    session.execute(
        update(LookChain)
        .where(LookChain.owner_id == owner)
        .values(length=grown.length, last_mark=grown.last_mark, seal=grown.seal)
    )


def _locked(session: Session, keyring: Keyring, owner: str, now: datetime) -> tuple[Head, int, bytes, bool, bool]:
    """(head, number of the last line as far as it was read, key, whether the chain was just begun, whether it holds).

    Nobody else can add to the chain until this transaction ends. What was tampered with stays broken: a head that is
    not ours, behind its lines, or missing although there is a key (which comes with the first line) is not mended.
    """
    keys = keyring.opened(session, owner, now)
    query = select(LookChain.length, LookChain.last_mark, LookChain.seal, _last_number(owner).scalar_subquery())
    query = query.where(LookChain.owner_id == owner).with_for_update()
    row = session.execute(query).one_or_none() if owner in keys else None
    if row is None:
        begun = insert_into(session, LookChain).values(owner_id=owner, length=0, last_mark=chain.START, seal="")
        if session.execute(begun.on_conflict_do_nothing().returning(LookChain.owner_id)).all():
            # Read again under the lock: another request may have made the key and gone back on its lines.
            keys = keyring.opened(session, owner, now)
            key_is_new = keys.ensure(owner)
            return Head(0, chain.START, chain.BROKEN), 0, keys.derive(owner, _PURPOSE), True, key_is_new
        row = session.execute(query).one()
        keys = keyring.opened(session, owner, now)
        keys.ensure(owner)
    length, last_mark, seal, last = row
    head, key = Head(length, last_mark, seal), keys.derive(owner, _PURPOSE)
    return head, last, key, False, last <= length and chain.is_sealed(key, head)


def _last_number(owner: str) -> Select[int]:
    return select(func.coalesce(func.max(Look.number), 0)).where(Look.owner_id == owner)


# What the owner reads


@dataclass(frozen=True, slots=True)
class Opening:
    """One line, as its owner reads it."""

    viewer: str
    """Their name; empty once they were erased, and for the operator (EXPORTED)."""
    what: str
    hour: datetime


@dataclass(frozen=True, slots=True)
class OfCycle:
    """The lines of one cycle, the newest first."""

    title: str
    """Of its activity; empty where it is not there any more, or the lines are of no cycle."""
    number: int
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """One page of a person's log."""

    cycles: tuple[OfCycle, ...]
    """Those with the newest lines first."""
    total: int
    broken_at: int | None
    """The number of the line from which on the log is not as it was written; None where it is whole."""


def read_log(session: Session, keyring: Keyring, owner: str, *, start: int, count: int, now: datetime) -> Log:
    """The lines `start` … `start + count` of the log of `owner`, by cycle, and whether the whole chain holds.

    Five statements, however many lines there are.
    """
    rows = session.execute(
        select(Look.number, Look.viewer_id, Look.viewer_mark, Look.cycle_id, Look.what, Look.hour, Look.mark)
        .where(Look.owner_id == owner)
        .order_by(Look.number)
    ).all()
    broken_at = _first_break(session, keyring, owner, rows, now)
    newest: dict[str, int] = {row.cycle_id: row.number for row in rows}
    ordered = sorted(rows, key=lambda row: (-newest[row.cycle_id], -row.number))[start : start + count]
    people = {row.viewer_id for row in ordered if row.viewer_id}
    names = {row.id: row.name for row in session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))}
    ids = {row.cycle_id for row in ordered}
    titles = {
        row.id: (row.title, row.number)
        for row in session.execute(
            select(Cycle.id, Activity.title, Cycle.number)
            .join(Activity, Activity.id == Cycle.activity_id)
            .where(Cycle.id.in_(ids))
        )
    }
    cycles = tuple(
        OfCycle(
            *titles.get(cycle_id, ("", 0)),
            tuple(Opening(names.get(row.viewer_id, ""), row.what, row.hour) for row in of_cycle),
        )
        for cycle_id, of_cycle in groupby(ordered, key=lambda row: row.cycle_id)
    )
    return Log(cycles, len(rows), broken_at)


def _first_break(session: Session, keyring: Keyring, owner: str, rows: Sequence[Any], now: datetime) -> int | None:
    row = session.execute(
        select(LookChain.length, LookChain.last_mark, LookChain.seal).where(LookChain.owner_id == owner)
    ).one_or_none()
    try:
        key = keyring.opened(session, owner, now).derive(owner, _PURPOSE)
    except KeyShredded:
        # Nothing was ever recorded; or the key that would tell is gone.
        return None if row is None and not rows else 1
    if row is None:
        # The key came with the first line.
        return 1
    lines = []
    for each in rows:
        line = Line(each.number, each.viewer_mark, each.cycle_id, each.what, each.hour)
        if each.viewer_id and chain.viewer_mark(key, each.viewer_id) != each.viewer_mark:
            # Somebody else's name was put into the line.
            line = replace(line, viewer_mark="")
        lines.append((line, each.mark))
    return chain.first_break(key, Head(row.length, row.last_mark, row.seal), lines)


# When somebody is erased


def forget_viewer(session: Session, person_id: str) -> None:
    """Takes the name of a person out of the logs of others. Their lines stay, and the chains hold."""
    session.execute(update(Look).where(Look.viewer_id == person_id).values(viewer_id=None))


def delete_owner(session: Session, person_id: str) -> None:
    """Deletes the whole log of a person. Its key goes with all other keys of theirs (Keyring.shred_author)."""
    session.execute(delete(Look).where(Look.owner_id == person_id))
    session.execute(delete(LookChain).where(LookChain.owner_id == person_id))
