"""Use cases of a reflection: submitting it, and reading one's own versions."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from lti_tool.cycles import rules
from lti_tool.cycles import service as cycles
from lti_tool.cycles.service import NotPossible
from lti_tool.cycles.texts import Register, read_texts
from lti_tool.pairing import service as pairing
from lti_tool.privacy.keyring import KeyShredded, ScopeKeys
from lti_tool.reflection.models import ReflectionVersion
from lti_tool.reflection.rules import freeze
from lti_tool.store.base import new_id


@dataclass(frozen=True, slots=True)
class Version:
    """That a version was submitted, and when."""

    version: int
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedVersion:
    """A version with its words."""

    version: int
    submitted_at: datetime
    texts: Mapping[str, str]
    """Field key → text, as it was submitted."""


def begin(session: Session, *, membership_id: str, activity_id: str, number: int, now: datetime) -> str:
    """Begins a teacher's own reflection, without a partner, and returns its id (of a cycle with one member).

    `number`: which one their page offered, from 1. One that is not submitted yet is gone on with instead, and beginning
    the same one twice is beginning it once.
    """
    return cycles.start_alone(
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
    registers = [Register(field.key, author_id) for field in cycle.reflection.fields]
    drafts = read_texts(session, keys, cycle.id, registers)
    texts = freeze([(draft.field, draft.text) for draft in drafts])
    last = latest(session, keys, cycle.id, author_id)
    if last is not None and last.texts == texts:
        return last.version
    version, row_id = (last.version if last else 0) + 1, new_id()
    session.execute(
        insert(ReflectionVersion).values(
            id=row_id,
            cycle_id=cycle.id,
            person_id=author_id,
            version=version,
            sealed=keys.seal(author_id, json.dumps(texts, ensure_ascii=False), f"reflection_versions/{row_id}"),
            submitted_at=now,
        )
    )
    cycles.mark_submitted(session, cycle, now=now)
    return version


def versions(session: Session, cycle_id: str, person_id: str) -> list[Version]:
    """A person's own versions, the first one first; one statement, and no content."""
    return [
        Version(*row)
        for row in session.execute(
            select(ReflectionVersion.version, ReflectionVersion.submitted_at)
            .where(ReflectionVersion.cycle_id == cycle_id, ReflectionVersion.person_id == person_id)
            .order_by(ReflectionVersion.version)
        )
    ]


def latest(session: Session, keys: ScopeKeys, cycle_id: str, person_id: str) -> OpenedVersion | None:
    """A person's own last version, or None."""
    return _read(session, keys, cycle_id, person_id, None)


def read_version(
    session: Session, keys: ScopeKeys, cycle_id: str, person_id: str, version: int
) -> OpenedVersion | None:
    """One of a person's own versions, or None. Who may is asked before."""
    return _read(session, keys, cycle_id, person_id, version)


def read_all(session: Session, keys: ScopeKeys, cycle_id: str, person_id: str) -> list[OpenedVersion]:
    """All of a person's own versions with their words, the first one first; one statement."""
    rows = session.execute(
        select(
            ReflectionVersion.id,
            ReflectionVersion.version,
            ReflectionVersion.submitted_at,
            ReflectionVersion.sealed,
        )
        .where(ReflectionVersion.cycle_id == cycle_id, ReflectionVersion.person_id == person_id)
        .order_by(ReflectionVersion.version)
    )
    found = []
    for row in rows:
        # A key that was shredded takes its words along.
        with contextlib.suppress(KeyShredded):
            texts = json.loads(keys.open(person_id, row.sealed, f"reflection_versions/{row.id}"))
            found.append(OpenedVersion(row.version, row.submitted_at, texts))
    return found


def _read(
    session: Session, keys: ScopeKeys, cycle_id: str, person_id: str, version: int | None
) -> OpenedVersion | None:
    row = session.execute(
        select(
            ReflectionVersion.id,
            ReflectionVersion.version,
            ReflectionVersion.submitted_at,
            ReflectionVersion.sealed,
        )
        .where(
            ReflectionVersion.cycle_id == cycle_id,
            ReflectionVersion.person_id == person_id,
            *(() if version is None else (ReflectionVersion.version == version,)),
        )
        .order_by(ReflectionVersion.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    opened = keys.open(person_id, row.sealed, f"reflection_versions/{row.id}")
    return OpenedVersion(row.version, row.submitted_at, json.loads(opened))
