"""Use cases of sharing: releasing a passage, listing and reading what is shared, taking it back.

Who may is asked before (privacy/rules.py, by the views). No list here opens a passage: each is read by itself.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, ActivityTrainer
from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.cycles.service import stored_protocols
from lti_tool.people.models import Membership, Person
from lti_tool.people.service import takes_part
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.privacy.rules import ActivityFacts, PassageFacts
from lti_tool.protocols.recipe import Words
from lti_tool.reflection import frames
from lti_tool.sharing.models import Share
from lti_tool.store.base import new_id

_reader = aliased(CycleMember)


@dataclass(frozen=True, slots=True)
class ShareView:
    """A shared passage without its words, as one person meets it."""

    id: str
    activity_id: str
    activity_title: str
    activity: ActivityFacts
    cycle_id: str
    protocol_version_id: str
    person_id: str
    author: str
    """The author's name; may be empty, where the LMS withholds names."""
    version: int
    field: str
    audience: str
    shared_at: datetime
    is_in_cycle: bool
    """Whether the person who looks is a member of the cycle."""

    @property
    def facts(self) -> PassageFacts:
        """What the rules of privacy need of it."""
        return PassageFacts(self.activity, self.activity_id, self.person_id, self.audience, self.is_in_cycle)


@dataclass(frozen=True, slots=True)
class OwnPassage:
    """A shared passage with its words, for its author's own copy of what is theirs."""

    id: str
    activity_title: str
    cycle_id: str
    version: int
    field: str
    audience: str
    shared_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Readers:
    """Who could read a passage at present, by audience; the same people whom the rule READ_PASSAGE lets in."""

    partner: tuple[str, ...]
    """Names of the other members of the cycle; those who could not read it are not among them."""
    teachers: int
    """How many take part in the activity, without the author."""
    trainers: tuple[str, ...]
    """Names, in their order; empty ones stand for themselves."""


def release(
    session: Session,
    keyring: Keyring,
    *,
    activity_id: str,
    cycle_id: str,
    author_id: str,
    version: int,
    field: str,
    audience: str,
    passage: str,
    ticket: str,
    now: datetime,
) -> None:
    """Shares `passage` of the author's version with `audience`. The same `ticket` again changes nothing.

    That it stands in the version is checked before (rules.is_passage_of); the session writes.
    """
    if session.scalar(select(Share.id).where(Share.person_id == author_id, Share.ticket == ticket)):
        return
    share_id = new_id()
    session.execute(
        insert(Share).values(
            id=share_id,
            activity_id=activity_id,
            cycle_id=cycle_id,
            person_id=author_id,
            version=version,
            field=field,
            audience=audience,
            ticket=ticket,
            sealed=keyring.opened(session, share_id, now).seal(author_id, passage, _place(share_id)),
            shared_at=now,
        )
    )


def take_back(session: Session, keyring: Keyring, share_id: str, now: datetime) -> None:
    """Takes a passage away from all who could read it, with the key that opens it, also in older backups."""
    _delete(session, keyring, now, Share.id == share_id)


def find(session: Session, share_id: str, viewer_id: str) -> ShareView | None:
    """A shared passage, or None. `viewer_id`: person who looks."""
    return next(iter(_views(session, viewer_id, Share.id == share_id)), None)


def of_others(session: Session, activity_id: str, viewer_id: str) -> list[ShareView]:
    """All that others share in an activity, whoever it is for: which of it the viewer may read is asked afterwards."""
    return _views(session, viewer_id, Share.activity_id == activity_id, Share.person_id != viewer_id)


def of_others_in_cycle(session: Session, cycle_id: str, viewer_id: str) -> list[ShareView]:
    """What others share of a cycle, whoever it is for; as of_others."""
    return _views(session, viewer_id, Share.cycle_id == cycle_id, Share.person_id != viewer_id)


def of_oneself(session: Session, person_id: str) -> list[ShareView]:
    """All that a person shares, in all their activities; the newest first."""
    found = _views(session, person_id, Share.person_id == person_id)
    return sorted(found, key=lambda share: (share.shared_at, share.id), reverse=True)


def read(session: Session, keyring: Keyring, shares: Iterable[ShareView], now: datetime) -> dict[str, str]:
    """Share id → the words of its passage, without those that can be read no more (taken back meanwhile, or their key
    is shredded). One statement of the data and one of the keyring, whatever their number."""
    authors = {share.id: share.person_id for share in shares}
    keys = keyring.opened_all(session, authors, now)
    texts = {}
    for id_, sealed in session.execute(select(Share.id, Share.sealed).where(Share.id.in_(authors))).all():
        with contextlib.suppress(KeyShredded):
            texts[id_] = keys[id_].open(authors[id_], sealed, _place(id_))
    return texts


def labels(session: Session, shares: Iterable[ShareView]) -> dict[str, Words]:
    """Share id → the question that its passage answers. One statement, or none where this process knows them."""
    shares = list(shares)
    protocols = stored_protocols(session, {share.protocol_version_id for share in shares})
    found = {}
    for share in shares:
        field = protocols[share.protocol_version_id].field(share.field)
        if label := field.label if field else frames.label_of(share.field):
            found[share.id] = label
    return found


def readers(session: Session, *, activity_id: str, cycle_id: str, author_id: str) -> Readers:
    """Who could read a passage of this cycle at present, for its author to know before they share it."""
    partner = session.scalars(
        select(Person.name)
        .join(CycleMember, CycleMember.person_id == Person.id)
        .join(Membership, Membership.id == CycleMember.membership_id)
        .where(
            CycleMember.cycle_id == cycle_id,
            CycleMember.person_id != author_id,
            CycleMember.left_at.is_(None),
            *_is_there_and_not_above(),
        )
        .order_by(Person.name, Person.id)
    )
    course_id = select(Activity.course_id).where(Activity.id == activity_id).scalar_subquery()
    teachers = session.execute(
        select(func.count())
        .select_from(Membership)
        .where(Membership.course_id == course_id, Membership.person_id != author_id, *takes_part(activity_id))
    ).scalar_one()
    trainers = session.scalars(
        select(Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(ActivityTrainer, ActivityTrainer.membership_id == Membership.id)
        .where(ActivityTrainer.activity_id == activity_id, Person.id != author_id, *_is_there_and_not_above())
        .order_by(Person.name, Person.id)
    )
    return Readers(tuple(partner), teachers, tuple(trainers))


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[OwnPassage]:
    """All that a person shares, with its words, for their own copy of what is theirs; the newest first."""
    shares = of_oneself(session, person_id)
    texts = read(session, keyring, shares, now)
    return [
        OwnPassage(
            share.id,
            share.activity_title,
            share.cycle_id,
            share.version,
            share.field,
            share.audience,
            share.shared_at,
            texts[share.id],
        )
        for share in shares
        if share.id in texts
    ]


def delete_of(session: Session, keyring: Keyring, person_id: str, now: datetime, *, cycle_id: str | None = None) -> int:
    """Deletes all that a person shares (of one cycle only, if it is given), with the keys that open it; how many."""
    return _delete(
        session, keyring, now, Share.person_id == person_id, *([Share.cycle_id == cycle_id] if cycle_id else [])
    )


def _delete(session: Session, keyring: Keyring, now: datetime, *which: ColumnElement[bool]) -> int:
    gone = session.execute(delete(Share).where(*which).returning(Share.id, Share.person_id)).all()
    for share_id, author_id in gone:
        keyring.shred(share_id, author_id, now)
    return len(gone)


def _views(session: Session, viewer_id: str, *which: ColumnElement[bool]) -> list[ShareView]:
    rows = session.execute(_view(viewer_id).where(*which))
    return [
        ShareView(
            id=row.id,
            activity_id=row.activity_id,
            activity_title=row.activity_title,
            activity=ActivityFacts(row.course_id, row.status),
            cycle_id=row.cycle_id,
            protocol_version_id=row.protocol_version_id,
            person_id=row.person_id,
            author=row.name,
            version=row.version,
            field=row.field,
            audience=row.audience,
            shared_at=row.shared_at,
            is_in_cycle=row.is_in_cycle,
        )
        for row in rows
    ]


def _view(viewer_id: str) -> Any:
    return (
        select(
            Share.id,
            Share.activity_id,
            Activity.title.label("activity_title"),
            Activity.course_id,
            Activity.status,
            Share.cycle_id,
            Cycle.protocol_version_id,
            Share.person_id,
            Person.name,
            Share.version,
            Share.field,
            Share.audience,
            Share.shared_at,
            exists()
            .where(_reader.cycle_id == Share.cycle_id, _reader.person_id == viewer_id, _reader.left_at.is_(None))
            .label("is_in_cycle"),
        )
        .join(Activity, Activity.id == Share.activity_id)
        .join(Cycle, Cycle.id == Share.cycle_id)
        .join(Person, Person.id == Share.person_id)
    )


def _is_there_and_not_above() -> tuple[ColumnElement[bool], ...]:
    return (
        Membership.is_active.is_(True),
        Membership.is_leader.is_(False),
        Membership.is_administrator.is_(False),
        Person.is_leader.is_(False),
    )


def _place(share_id: str) -> str:
    return f"shares/{share_id}"
