"""Use cases of critical friends: two agree, a third says yes, anybody ends it; and what the third one sees.

Who may is asked before (privacy/rules.py, by the views). What a friend sees is read from process data alone: no
statement here comes near a table with content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle
from lti_tool.cycles.service import stored_protocol
from lti_tool.friends.models import CriticalFriend
from lti_tool.pairing.models import Pair, PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.rules import FriendFacts
from lti_tool.protocols.recipe import Words
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed
from lti_tool.store.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Friend:
    """The critical friend of a pair, as the two see it."""

    id: str
    friend_id: str
    """Their membership."""
    name: str
    proposed_by: str
    status: str
    """proposed, asked or active; somebody who said no looks as if they had not answered."""
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A cycle of a pair from outside: where it is, and since when."""

    number: int
    status: str
    started_at: datetime
    finished_at: datetime | None
    now_since: datetime
    steps: tuple[tuple[Words, str], ...]
    """(Title, done, now or later) of where a pair can be, in order."""


@dataclass(frozen=True, slots=True)
class Accompanied:
    """A pair for its critical friend."""

    id: str
    """Of the friendship."""
    status: str
    """asked or active."""
    names: tuple[str, ...]
    since: datetime | None
    facts: FriendFacts
    cycles: tuple[Place, ...]
    """The newest first; none before the friend has said yes."""


def of_pair(session: Session, pair_id: str) -> Friend | None:
    """The critical friend of a pair, or None; one statement."""
    row = session.execute(
        select(
            CriticalFriend.id,
            CriticalFriend.friend_id,
            Person.name,
            CriticalFriend.proposed_by,
            CriticalFriend.status,
            CriticalFriend.since,
        )
        .join(Membership, Membership.id == CriticalFriend.friend_id)
        .join(Person, Person.id == Membership.person_id)
        .where(CriticalFriend.pair_id == pair_id)
    ).one_or_none()
    if row is None:
        return None
    status = "asked" if row.status == "declined" else row.status
    return Friend(row.id, row.friend_id, row.name, row.proposed_by, status, row.since)


def propose(session: Session, pair_id: str, me: str, friend_id: str, now: datetime) -> None:
    """One of the two proposes a colleague; ids of memberships. Where somebody is proposed or asked already, nothing
    changes: the page then shows whom."""
    session.execute(
        insert_into(session, CriticalFriend)
        .values(id=new_id(), pair_id=pair_id, friend_id=friend_id, proposed_by=me, status="proposed", created_at=now)
        .on_conflict_do_nothing(index_elements=["pair_id"])
    )


def agree(session: Session, pair_id: str, me: str, friend_id: str) -> bool:
    """The other of the two agrees to exactly this colleague, who is asked now; False where it is not so any more."""
    agreed = session.execute(
        update(CriticalFriend)
        .where(
            CriticalFriend.pair_id == pair_id,
            CriticalFriend.friend_id == friend_id,
            CriticalFriend.proposed_by != me,
            CriticalFriend.status == "proposed",
        )
        .values(status="asked")
    )
    return rows_changed(agreed) == 1


def end(session: Session, pair_id: str) -> None:
    """One of the two ends it, or takes it back; nothing says that it was."""
    session.execute(delete(CriticalFriend).where(CriticalFriend.pair_id == pair_id))


def facts(session: Session, id_: str) -> FriendFacts | None:
    """A friendship as the rules need it, or None; none of a pair that has ended."""
    row = session.execute(
        select(Pair.activity_id, CriticalFriend.friend_id, CriticalFriend.status)
        .join(Pair, Pair.id == CriticalFriend.pair_id)
        .where(CriticalFriend.id == id_, Pair.status != "ended")
    ).one_or_none()
    return FriendFacts(*row) if row else None


def answer(session: Session, id_: str, *, yes: bool, now: datetime) -> None:
    """The friend says yes or no; nobody learns of a no."""
    session.execute(
        update(CriticalFriend)
        .where(CriticalFriend.id == id_, CriticalFriend.status == "asked")
        .values(status="active" if yes else "declined", since=now if yes else None)
    )


def leave(session: Session, id_: str) -> None:
    """The friend goes; nothing says that they were there."""
    session.execute(delete(CriticalFriend).where(CriticalFriend.id == id_, CriticalFriend.status == "active"))


def accompanied(session: Session, membership_id: str, activity_id: str) -> list[Accompanied]:
    """The pairs that ask a teacher to be their critical friend, or have one in them, by name. Two statements, and one
    for each version of a protocol that this process has not read before."""
    rows = session.execute(
        select(
            CriticalFriend.id, CriticalFriend.status, CriticalFriend.since, CriticalFriend.pair_id,
            Person.given_name, Person.name,
        )
        .join(Pair, Pair.id == CriticalFriend.pair_id)
        .join(PairMember, PairMember.pair_id == Pair.id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .join(Person, Person.id == Membership.person_id)
        .where(
            CriticalFriend.friend_id == membership_id,
            or_(CriticalFriend.status == "asked", CriticalFriend.status == "active"),
            Pair.activity_id == activity_id,
            Pair.status != "ended",
            PairMember.is_current,
        )
        .order_by(CriticalFriend.id, Person.name, Person.id)
    ).all()  # fmt: skip
    cycles = _cycles(session, [row.pair_id for row in rows if row.status == "active"])
    found = []
    for _id, members in groupby(rows, key=lambda row: str(row.id)):
        row, *_others = pair = list(members)
        names = tuple(each.given_name or each.name for each in pair)
        facts = FriendFacts(activity_id, membership_id, row.status)
        found.append(Accompanied(row.id, row.status, names, row.since, facts, cycles.get(row.pair_id, ())))
    return sorted(found, key=lambda each: (each.names, each.id))


def _cycles(session: Session, pair_ids: Sequence[str]) -> dict[str, tuple[Place, ...]]:
    if not pair_ids:
        return {}
    rows = session.execute(
        select(
            Cycle.pair_id, Cycle.number, Cycle.status, Cycle.started_at, Cycle.finished_at, Cycle.stage,
            Cycle.stage_since, Cycle.protocol_version_id,
        )
        .where(Cycle.pair_id.in_(pair_ids))
        .order_by(Cycle.number.desc())
    ).all()  # fmt: skip
    found: dict[str, list[Place]] = {}
    for row in rows:
        found.setdefault(row.pair_id, []).append(_place(session, row))
    return {pair_id: tuple(places) for pair_id, places in found.items()}


def _place(session: Session, row: Any) -> Place:
    places = stored_protocol(session, row.protocol_version_id).places
    keys = [key for key, _title in places]
    here = keys.index(row.stage) if row.status == "running" and row.stage in keys else len(keys)
    states = ["done" if number < here else "now" if number == here else "later" for number in range(len(keys))]
    steps = tuple((title, state) for (_key, title), state in zip(places, states, strict=True))
    return Place(row.number, row.status, row.started_at, row.finished_at, row.stage_since, steps)


def of_person(session: Session, person_id: str) -> list[dict[str, Any]]:
    """What is kept of a person about critical friends, for their own copy of what is theirs; one statement.

    As one of a pair they learn no more than from their page, and as a friend nothing before both had agreed.
    """
    friend_member, friend = aliased(Membership), aliased(Person)
    mine = (
        select(PairMember.pair_id)
        .join(Membership, Membership.id == PairMember.membership_id)
        .where(Membership.person_id == person_id)
    )
    rows = session.execute(
        select(
            Activity.title, friend.id, friend.given_name, CriticalFriend.status, CriticalFriend.created_at,
            CriticalFriend.since,
        )
        .join(Pair, Pair.id == CriticalFriend.pair_id)
        .join(Activity, Activity.id == Pair.activity_id)
        .join(friend_member, friend_member.id == CriticalFriend.friend_id)
        .join(friend, friend.id == friend_member.person_id)
        .where(
            or_(
                CriticalFriend.pair_id.in_(mine),
                (friend.id == person_id) & (CriticalFriend.status != "proposed"),
            )
        )
        .order_by(CriticalFriend.created_at)
    )  # fmt: skip
    return [
        {
            "activity": row.title,
            "friend": "you" if row.id == person_id else row.given_name,
            "status": "asked" if row.status == "declined" and row.id != person_id else row.status,
            "proposed_at": row.created_at if row.id != person_id else None,
            "since": row.since,
        }
        for row in rows
    ]
