"""A course's own protocols: made out of others, changed as a draft, given out version by version.

Who may is asked before (privacy/rules.py, by the views).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Exists, Select, and_, exists, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import ProtocolVersion
from lti_tool.people.models import Course
from lti_tool.privacy.rules import ProtocolFacts
from lti_tool.protocols import editing, reader
from lti_tool.protocols.models import OwnProtocol
from lti_tool.protocols.recipe import Protocol
from lti_tool.protocols.rules import FIRST_VERSION, LAST_VERSION, MAX_OWN, OWN, is_own, is_same, named
from lti_tool.store.base import new_id

_KEPT = 200
_parsed: dict[tuple[str, int], Protocol] = {}
"""Protocols by key and version, which never change once they are kept; _KEPT at most."""


class TooMany(Exception):
    """The course has as many own protocols as it can have."""


class NothingNew(Exception):
    """The draft says what the last version says."""


class NoMoreVersions(Exception):
    """The numbers of versions are used up."""


@dataclass(frozen=True, slots=True)
class OwnView:
    """A protocol of a course's own, as one who may see it from a certain course sees it."""

    id: str
    course_id: str
    key: str
    origin: str
    body: Mapping[str, Any]
    """The draft: for its trainers only."""
    version: int
    published: Protocol | None
    """The last version; None while nothing was given out."""
    published_at: datetime | None
    is_archived: bool
    changed_at: datetime
    is_followed_here: bool

    @property
    def facts(self) -> ProtocolFacts:
        """What the rules need of it."""
        return ProtocolFacts(self.course_id, self.is_followed_here)

    @property
    def is_changed(self) -> bool:
        """Whether the draft says something else than the last version."""
        return self.published is None or not is_same(draft(self), self.published)


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of a protocol that is kept."""

    number: int
    note: str
    created_at: datetime


# Reading


def own_of(session: Session, course_id: str, *, activity_id: str | None = None) -> list[OwnView]:
    """The own protocols that a course can see, in the order in which they were made: its own, and those that its
    activities brought along from another course. `activity_id` (empty for a new one): only what this activity can be
    given: none that is archived, but for the one that it has. One statement."""
    is_here = OwnProtocol.course_id == course_id
    if activity_id is None:
        is_there: ColumnElement[bool] = or_(is_here, _is_followed(course_id))
    else:
        has = exists().where(Activity.id == activity_id, Activity.protocol == OwnProtocol.key)
        is_there = or_(and_(is_here, OwnProtocol.archived_at.is_(None)), has)
    rows = session.execute(_own(course_id).where(is_there).order_by(OwnProtocol.created_at, OwnProtocol.key))
    return [_view(row) for row in rows]


def find_own(session: Session, key: str, course_id: str, *, lock: bool = False) -> OwnView | None:
    """The own protocol of that key, as it is seen from a course; None where there is none. `lock`: nobody else changes
    it until the transaction ends."""
    if not is_own(key):
        return None
    if lock:
        # A statement of its own: PostgreSQL shows what somebody changed while this one waited only to the next one.
        session.execute(select(OwnProtocol.id).where(OwnProtocol.key == key).with_for_update())
    row = session.execute(_own(course_id).where(OwnProtocol.key == key)).one_or_none()
    return _view(row) if row else None


def draft(own: OwnView) -> Protocol:
    """The draft, as a recipe."""
    return reader.parse(own.body)


def versions(session: Session, key: str) -> list[VersionView]:
    """The versions of a protocol that are kept, the newest first."""
    rows = session.execute(
        select(ProtocolVersion.version, ProtocolVersion.note, ProtocolVersion.created_at)
        .where(ProtocolVersion.key == key)
        .order_by(ProtocolVersion.version.desc())
    )
    return [VersionView(*row) for row in rows]


def version(session: Session, key: str, number: int) -> Protocol | None:
    """One kept version of a protocol, or the shipped one of that number; None where there is neither."""
    if not FIRST_VERSION <= number <= LAST_VERSION:
        return None
    now = reader.shipped().get(key)
    return kept(session, {(key, number)}).get((key, number)) or (now if now and now.version == number else None)


def kept(session: Session, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Protocol]:
    """(key, number) → that version, of those that are kept; a statement only for what was not read yet."""
    found = {each: protocol for each in wanted if (protocol := _parsed.get(each))}
    if missing := set(wanted) - found.keys():
        rows = session.execute(
            select(ProtocolVersion.key, ProtocolVersion.version, ProtocolVersion.body).where(
                tuple_(ProtocolVersion.key, ProtocolVersion.version).in_(sorted(missing))
            )
        )
        found |= {(row.key, row.version): _protocol(row.key, row.version, row.body) for row in rows}
    return found


def followed_by(session: Session, course_id: str) -> list[tuple[str, str]]:
    """(key, title of the activity) of what the open activities of a course have, in the order of their titles."""
    rows = session.execute(
        select(Activity.protocol, Activity.title)
        .where(Activity.course_id == course_id, Activity.status == "open", Activity.protocol != "")
        .order_by(Activity.title, Activity.id)
    )
    return [(row.protocol, row.title) for row in rows]


# Making and changing


def take_in(session: Session, course_id: str, body: Mapping[str, Any], origin: str, now: datetime) -> str:
    """Makes an own protocol of a course whose draft is `body`, and returns its key. Its versions are counted on from
    that of the body. Raises TooMany."""
    # The course is locked, so that two at once count each other.
    session.execute(select(Course.id).where(Course.id == course_id).with_for_update())
    there = session.scalar(select(func.count()).select_from(OwnProtocol).where(OwnProtocol.course_id == course_id))
    if (there or 0) >= MAX_OWN:
        raise TooMany
    key, number = OWN + new_id()[:8], body["version"]
    session.execute(
        insert(OwnProtocol).values(
            id=new_id(),
            course_id=course_id,
            key=key,
            origin=origin,
            body=named(body, key, number),
            version=number - 1,
            created_at=now,
            changed_at=now,
        )
    )
    return key


def copy(session: Session, course_id: str, protocol: Protocol, now: datetime) -> str:
    """Makes an own protocol of a course out of another one, and returns its key. Raises TooMany."""
    return take_in(session, course_id, editing.copied(protocol.body), protocol.key, now)


def save(session: Session, own: OwnView, body: Mapping[str, Any], now: datetime) -> None:
    """Keeps a changed draft, which the reader accepts; the row is locked."""
    session.execute(update(OwnProtocol).where(OwnProtocol.id == own.id).values(body=dict(body), changed_at=now))


def publish(session: Session, own: OwnView, note: str, now: datetime) -> int:
    """Gives the draft out as the next version, which new cycles follow; what runs keeps its own (R21). Returns its
    number; the row is locked. Raises NothingNew, NoMoreVersions."""
    number = own.version + 1
    if not own.is_changed:
        raise NothingNew
    if number > LAST_VERSION:
        raise NoMoreVersions
    body = named(own.body, own.key, number)
    session.execute(
        insert(ProtocolVersion).values(id=new_id(), key=own.key, version=number, body=body, note=note, created_at=now)
    )
    session.execute(
        update(OwnProtocol)
        .where(OwnProtocol.id == own.id)
        .values(version=number, body=named(body, own.key, min(number + 1, LAST_VERSION)), published_at=now)
    )
    return number


def archive(session: Session, own: OwnView, now: datetime) -> None:
    """Offers it no more; activities that have it keep it."""
    session.execute(
        update(OwnProtocol).where(OwnProtocol.id == own.id, OwnProtocol.archived_at.is_(None)).values(archived_at=now)
    )


def reopen(session: Session, own: OwnView) -> None:
    """Offers it again."""
    session.execute(update(OwnProtocol).where(OwnProtocol.id == own.id).values(archived_at=None))


def _own(course_id: str) -> Select[Any]:
    return select(
        OwnProtocol.id,
        OwnProtocol.course_id,
        OwnProtocol.key,
        OwnProtocol.origin,
        OwnProtocol.body,
        OwnProtocol.version,
        OwnProtocol.published_at,
        OwnProtocol.archived_at,
        OwnProtocol.changed_at,
        ProtocolVersion.body.label("published_body"),
        _is_followed(course_id).label("is_followed_here"),
    ).outerjoin(
        ProtocolVersion,
        and_(ProtocolVersion.key == OwnProtocol.key, ProtocolVersion.version == OwnProtocol.version),
    )


def _is_followed(course_id: str) -> Exists:
    return exists().where(Activity.course_id == course_id, Activity.protocol == OwnProtocol.key)


def _view(row: Any) -> OwnView:
    return OwnView(
        id=row.id,
        course_id=row.course_id,
        key=row.key,
        origin=row.origin,
        body=row.body,
        version=row.version,
        published=_protocol(row.key, row.version, row.published_body) if row.published_body else None,
        published_at=row.published_at,
        is_archived=row.archived_at is not None,
        changed_at=row.changed_at,
        is_followed_here=row.is_followed_here,
    )


def _protocol(key: str, number: int, body: Any) -> Protocol:
    found = _parsed.get((key, number))
    if found is None:
        if len(_parsed) >= _KEPT:
            _parsed.clear()
        found = _parsed[key, number] = reader.parse(body)
    return found
