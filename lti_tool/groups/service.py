"""Use cases of groups: founding one, listing them with their members, saying what one is about, joining.

Who may is asked before (privacy/rules.py, by the views). Who is in a group, pauses or leaves is kept by
pairing/service.py, and its cycles by cycles/going_on.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.service import ActivityView
from lti_tool.cycles.going_on import protocol_of
from lti_tool.groups.models import Group
from lti_tool.groups.rules import About
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.people.service import takes_part
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.store.base import new_id


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group as all who take part in its activity see it, without its words."""

    id: str
    kind: str
    author_id: str | None
    scope: str
    sealed: bytes
    members: tuple[tuple[str, str], ...]
    """(membership id, name) of those who are in it; a name may be empty, where the LMS withholds names."""

    def has(self, membership_id: str) -> bool:
        """Whether somebody is in it."""
        return any(member == membership_id for member, _name in self.members)


def found(
    session: Session,
    keyring: Keyring,
    *,
    activity_id: str,
    membership_id: str,
    person_id: str,
    said: About,
    now: datetime,
) -> str | None:
    """Founds a group of one, whom others can join, and returns its id; None where its founder is in one already."""
    pair_id = pairing.make_group(session, membership_id, activity_id, now)
    if pair_id is not None:
        session.execute(insert(Group).values(pair_id=pair_id, **_sealed(session, keyring, person_id, said, now)))
    return pair_id


def say(
    session: Session, keyring: Keyring, pair_id: str, person_id: str, said: About, *, seen: str, now: datetime
) -> bool:
    """A member says what the group is about; what was said before goes, with the key that opens it.

    `seen`: the scope of what stood on their page. False, and nothing is kept, where another has said something since.
    """
    before = session.execute(
        select(Group.scope, Group.author_id).where(Group.pair_id == pair_id).with_for_update()
    ).one()
    if before.scope != seen and before.author_id not in (None, person_id):
        return False
    values = _sealed(session, keyring, person_id, said, now)
    session.execute(update(Group).where(Group.pair_id == pair_id).values(values))
    if before.author_id:
        keyring.shred(before.scope, before.author_id, now)
    return True


def join(session: Session, pair_id: str, membership_id: str, activity: ActivityView, now: datetime) -> bool:
    """Takes a teacher into a group with room; see pairing.join_group."""
    most = protocol_of(activity).most
    return pairing.join_group(session, pair_id, membership_id, activity_id=activity.id, most=most, now=now)


def room_of(activity: ActivityView) -> int:
    """How many can be in a group of an activity."""
    return protocol_of(activity).most


def of_activity(session: Session, activity_id: str) -> list[GroupLine]:
    """The groups of an activity that somebody is in, the newest first; one statement."""
    return _lines(session, Pair.activity_id == activity_id)


def find(session: Session, pair_id: str) -> GroupLine | None:
    """A group that somebody is in; one statement."""
    return next(iter(_lines(session, Pair.id == pair_id)), None)


def read(session: Session, keyring: Keyring, lines: Iterable[GroupLine], now: datetime) -> dict[str, About]:
    """Group id → what it is about, without those whose author took it back for good. One statement, of the keyring."""
    lines = list(lines)
    all_keys = keyring.opened_all(session, [line.scope for line in lines], now)
    opened = {}
    for line in lines:
        try:
            text = all_keys[line.scope].open(line.author_id or "", line.sealed, _place(line.scope))
        except KeyShredded:
            continue
        title, _, about = text.partition("\n")
        opened[line.id] = About(line.kind, title, about)
    return opened


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[About]:
    """What a person wrote of groups, for their own copy of what is theirs."""
    lines = [
        GroupLine(*row, ())
        for row in session.execute(
            select(Group.pair_id, Group.kind, Group.author_id, Group.scope, Group.sealed)
            .where(Group.author_id == person_id)
            .order_by(Group.pair_id)
        )
    ]
    opened = read(session, keyring, lines, now)
    return [opened[line.id] for line in lines if line.id in opened]


def delete_of(session: Session, keyring: Keyring, person_id: str, activity_id: str, now: datetime) -> None:
    """Deletes what a person wrote groups of an activity are about, with the keys that open it; the groups stay."""
    gone = session.scalars(
        update(Group)
        .where(Group.author_id == person_id, Group.pair_id.in_(select(Pair.id).where(Pair.activity_id == activity_id)))
        .values(author_id=None, sealed=b"")
        .returning(Group.scope)
    ).all()
    for scope in gone:
        keyring.shred(scope, person_id, now)


def count_here(session: Session, person_id: str, activity_id: str) -> int:
    """Of how many groups of an activity a person wrote what they are about."""
    wrote = select(func.count()).select_from(Group).join(Pair, Pair.id == Group.pair_id)
    return session.scalar(wrote.where(Group.author_id == person_id, Pair.activity_id == activity_id)) or 0


def delete_ended(session: Session, keyring: Keyring, pair_id: str, now: datetime) -> None:
    """Where its last member has left, what a group was about goes, with the key that opens it."""
    gone = session.execute(
        delete(Group)
        .where(Group.pair_id == pair_id, Group.pair_id.in_(select(Pair.id).where(Pair.status == "ended")))
        .returning(Group.scope, Group.author_id)
    ).all()
    for row in gone:
        if row.author_id:
            keyring.shred(row.scope, row.author_id, now)


def _lines(session: Session, *which: ColumnElement[bool]) -> list[GroupLine]:
    rows = session.execute(
        select(
            Group.pair_id, Group.kind, Group.author_id, Group.scope, Group.sealed, PairMember.membership_id, Person.name
        )
        .join(Pair, Pair.id == Group.pair_id)
        .join(PairMember, PairMember.pair_id == Pair.id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(PairMember.is_current, *takes_part(Pair.activity_id), *which)
        .order_by(Pair.created_at.desc(), Pair.id, Person.name, PairMember.membership_id)
    ).all()  # fmt: skip
    found = []
    for _id, rows_of_group in groupby(rows, key=lambda row: row.pair_id):
        row, *_more = together = list(rows_of_group)
        members = tuple((each.membership_id, each.name) for each in together)
        found.append(GroupLine(row.pair_id, row.kind, row.author_id, row.scope, row.sealed, members))
    return found


def _sealed(session: Session, keyring: Keyring, person_id: str, said: About, now: datetime) -> dict[str, object]:
    scope = new_id()
    words = keyring.opened(session, scope, now).seal(person_id, f"{said.title}\n{said.about}", _place(scope))
    return {"kind": said.kind, "author_id": person_id, "scope": scope, "sealed": words}


def _place(scope: str) -> str:
    return f"groups/{scope}"
