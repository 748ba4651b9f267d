"""Use cases of a reflection: submitting it, and reading one's own versions."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles import going_on, rules
from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import CycleMember
from lti_tool.cycles.rules import Missing
from lti_tool.cycles.service import NotPossible
from lti_tool.cycles.texts import Register, read_texts
from lti_tool.pairing import service as pairing
from lti_tool.privacy.keyring import KeyShredded, ScopeKeys
from lti_tool.protocols.recipe import Protocol, Words
from lti_tool.reflection import frames
from lti_tool.reflection.frames import Frame
from lti_tool.reflection.models import ReflectionVersion
from lti_tool.reflection.rules import freeze, has_changed
from lti_tool.store.base import new_id


@dataclass(frozen=True, slots=True)
class Version:
    """That a version was submitted, and when."""

    version: int
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class WrittenIn:
    """The frame a version was written in, as it was then."""

    key: str
    title: Words
    headings: Mapping[str, Words]

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> "WrittenIn | None":
        """From what the table keeps; None for the protocol's own fields."""
        if kept is None:
            return None
        labels = {key: Words(**label) for key, label in kept["headings"].items()}
        return cls(kept["key"], Words(**kept["title"]), labels)


@dataclass(frozen=True, slots=True)
class Opened:
    """A version with its words."""

    version: int
    submitted_at: datetime
    texts: Mapping[str, str]
    """Field key → text, as it was submitted."""
    frame: WrittenIn | None = None
    """None: it was written in the protocol's own fields."""

    @property
    def frame_key(self) -> str:
        """Key of its frame; empty for the protocol's own fields."""
        return self.frame.key if self.frame else ""

    def answers(self, protocol: Protocol) -> list[tuple[str, Words, str]]:
        """(Field key, what it was called, text), in the order in which it was asked for.

        `protocol`: that of the cycle, with its own fields or those of any frame beside them.
        """
        own = {field.key: field.label for field in protocol.stages[-1].fields}
        labels = self.frame.headings if self.frame else own
        return [(key, label, self.texts[key]) for key, label in labels.items() if key in self.texts]


def begin(session: Session, *, membership_id: str, activity_id: str, number: int, now: datetime) -> str:
    """Begins a teacher's own reflection, without a partner, and returns its id (of a cycle with one member).

    `number`: which one their page offered, from 1. One that is not submitted yet is gone on with instead, and beginning
    the same one twice is beginning it once.
    """
    return going_on.start_alone(
        session,
        pair_id=pairing.pair_of_one(session, membership_id, activity_id, now),
        activity_id=activity_id,
        membership_id=membership_id,
        number=number,
        now=now,
    )


def submit(session: Session, keys: ScopeKeys, cycle: rules.Cycle, *, now: datetime) -> int:
    """Freezes the viewing member's drafts as their next version and returns its number (R14). The cycle is locked.

    Submitting what is submitted already makes no new version. Raises cycles.service.NotPossible when something the
    protocol requires is missing.
    """
    if missing := rules.missing_to_close(cycle, cycle.reflection, cycle.me, now):
        raise NotPossible(missing)
    author_id = cycle.viewer_id
    frame = frames.frames().get(cycle.frame) if frames.fits(cycle.protocol) else None
    registers = [Register(field.key, author_id) for field in cycle.reflection.fields]
    drafts = read_texts(session, keys, cycle.id, registers)
    drafted = [(draft.field, draft.text) for draft in drafts]
    last = latest(session, keys, cycle.id, author_id)
    if last is not None and not has_changed(drafted, last.texts, cycle.frame != last.frame_key):
        return last.version
    if not (texts := freeze(drafted)):
        raise NotPossible([Missing("text", cycle.reflection.fields[0].key, cycle.reflection.key)])
    version, row_id = (last.version if last else 0) + 1, new_id()
    session.execute(
        insert(ReflectionVersion).values(
            id=row_id,
            cycle_id=cycle.id,
            person_id=author_id,
            version=version,
            sealed=keys.seal(author_id, json.dumps(texts, ensure_ascii=False), f"reflection_versions/{row_id}"),
            frame=_kept(frame) if frame else None,
            submitted_at=now,
        )
    )
    cycles.mark_submitted(session, cycle, now=now)
    return version


def _kept(frame: Frame) -> dict[str, Any]:
    """The frame as a version keeps it, whatever it is called later."""
    return {
        "key": frame.key,
        "title": asdict(frame.title),
        "headings": {each.key: asdict(each.label) for each in frame.headings},
    }


def choose_frame(session: Session, cycle: rules.Cycle, key: str) -> None:
    """The viewing member writes their reflection in the frame of that key from now on; empty: in the protocol's own
    fields. Nothing that is written is touched, and nothing changes for anybody else, not even the count of changes.

    Raises LookupError for a frame that is not there, or not in this protocol. The cycle is locked.
    """
    if key and (key not in frames.frames() or not frames.fits(cycle.with_left_out)):
        raise LookupError(key)
    session.execute(
        update(CycleMember)
        .where(CycleMember.cycle_id == cycle.id, CycleMember.membership_id == cycle.me.membership_id)
        .values(frame=key)
    )


def versions(session: Session, keys: ScopeKeys, cycle_id: str, person_id: str) -> tuple[list[Version], Opened | None]:
    """A person's own versions, the first one first, and the last of them with its words; one statement."""
    rows = session.execute(_of(cycle_id, person_id)).all()
    found = [Version(row.version, row.submitted_at) for row in rows]
    # A key that was shredded takes its words along.
    with contextlib.suppress(KeyShredded, IndexError):
        return found, _opened(keys, rows[-1])
    return found, None


def latest(session: Session, keys: ScopeKeys, cycle_id: str, person_id: str) -> Opened | None:
    """A person's own last version, or None."""
    return versions(session, keys, cycle_id, person_id)[1]


def read_version(session: Session, keys: ScopeKeys, cycle_id: str, person_id: str, version: int) -> Opened | None:
    """One of a person's own versions, or None. Who may is asked before."""
    row = session.execute(_of(cycle_id, person_id).where(ReflectionVersion.version == version)).one_or_none()
    return _opened(keys, row) if row else None


def read_all(session: Session, keys: ScopeKeys, cycle_id: str, person_id: str) -> list[Opened]:
    """All of a person's own versions with their words, the first one first; one statement."""
    found = []
    for row in session.execute(_of(cycle_id, person_id)).all():
        with contextlib.suppress(KeyShredded):
            found.append(_opened(keys, row))
    return found


def read_latest_of(session: Session, keys: Mapping[str, ScopeKeys], person_id: str) -> dict[str, Opened]:
    """Cycle id → a person's own last version in it, for the cycles whose keys these are; one statement."""
    last = (
        select(ReflectionVersion.cycle_id, func.max(ReflectionVersion.version).label("version"))
        .where(ReflectionVersion.cycle_id.in_(keys), ReflectionVersion.person_id == person_id)
        .group_by(ReflectionVersion.cycle_id)
        .subquery()
    )
    rows = session.execute(
        select(*_COLUMNS)
        .join(last, and_(last.c.cycle_id == ReflectionVersion.cycle_id, last.c.version == ReflectionVersion.version))
        .where(ReflectionVersion.person_id == person_id)
    )
    found = {}
    for row in rows:
        with contextlib.suppress(KeyShredded):
            found[row.cycle_id] = _opened(keys[row.cycle_id], row)
    return found


_COLUMNS = (
    ReflectionVersion.id,
    ReflectionVersion.cycle_id,
    ReflectionVersion.person_id,
    ReflectionVersion.version,
    ReflectionVersion.submitted_at,
    ReflectionVersion.sealed,
    ReflectionVersion.frame,
)


def _of(cycle_id: str, person_id: str) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .where(ReflectionVersion.cycle_id == cycle_id, ReflectionVersion.person_id == person_id)
        .order_by(ReflectionVersion.version)
    )


def _opened(keys: ScopeKeys, row: Any) -> Opened:
    texts = json.loads(keys.open(row.person_id, row.sealed, f"reflection_versions/{row.id}"))
    return Opened(row.version, row.submitted_at, texts, WrittenIn.of(row.frame))
