"""The grant of the tab that captures a visit, which needs no sign-in: one-time codes, and the secret that they give.

The tab adds entries to this one visit and opens nothing else. Its secret is derived from the key that seals the
entries, so that it is the same on every device, is stored nowhere, and ends with what it was for.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles import rules
from lti_tool.cycles.models import Cycle as CycleRow
from lti_tool.cycles.models import CycleMember, Meeting
from lti_tool.cycles.service import stored_protocol
from lti_tool.observation.models import Observation
from lti_tool.pairing.models import PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.people.service import takes_part
from lti_tool.privacy.keyring import Keyring
from lti_tool.protocols.recipe import lowest
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed

CODE_LIFETIME = timedelta(minutes=10)
AFTER_VISIT = timedelta(hours=12)
"""How long after the booked end of a visit entries still come in: until there is a network again."""
WITHOUT_VISIT = timedelta(hours=36)
"""How long after it was opened, at most."""
_LOOKS_LIKE = str.maketrans("oil", "011", "- \u2013\u00a0\t")
"""What somebody may type for a sign of a code that has no such letter, and what they may put between."""
_SALT = 16
"""Characters of Observation.grant_hash that go into the secret: new ones after all devices were shut out."""


class Gone(Exception):
    """Nothing can be added any more. `code`: closed, deleted, over (the grant; another code opens it again), ended (the
    cycle, or their part in it), step (they do not note anything any more)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def new_code(session: Session, observation_id: str, now: datetime) -> str:
    """A code that opens the tab of this observation once, within CODE_LIFETIME: eight signs, for a form's body or to be
    typed. An earlier one opens nothing any more."""
    code = new_id()[:8]
    session.execute(
        update(Observation)
        .where(Observation.id == observation_id)
        .values(code_hash=_hash(code), code_until=now + CODE_LIFETIME)
    )
    return code


def clean_code(typed: str) -> str:
    """A code as it was made, from how it was typed."""
    return typed.strip().lower().translate(_LOOKS_LIKE)


# The tab of its own


@dataclass(frozen=True, slots=True)
class Granted:
    """A visit for which somebody brought a code or the secret of a grant."""

    id: str
    """Of the observation."""
    cycle_id: str
    instrument_id: str
    person_id: str
    language: str
    minutes: int
    """How long the visit is booked for; 0 where it is not."""
    began_at: datetime | None
    lasted: int
    """Minutes of the lesson, as was said when it was closed; 0 before."""
    until: datetime | None
    gone: str
    """Code of Gone; empty while entries can be added."""


def open_tab(session: Session, keyring: Keyring, typed: str, now: datetime) -> tuple[Granted, str] | None:
    """Takes a code: the visit, and the secret of its grant, the same on all devices. None for one that opens nothing.

    The secret is good until AFTER_VISIT, and for WITHOUT_VISIT at most.
    """
    code_hash = _hash(clean_code(typed))
    observation_id = session.scalars(
        select(Observation.id)
        .where(Observation.code_hash == code_hash, Observation.code_until > now)
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if observation_id is None:
        return None
    used = update(Observation).where(Observation.id == observation_id, Observation.code_hash == code_hash)
    if rows_changed(session.execute(used.values(code_hash="", code_until=None))) != 1:
        return None
    row = _row(session, observation_id)
    keys = keyring.opened(session, observation_id, now)
    if row is None or row.person_id not in keys:
        return None
    salt = row.grant_hash[:_SALT] or new_id()
    secret = keys.derive(row.person_id, f"grant of {observation_id} {salt}").hex()
    until = _until(row, now)
    session.execute(
        update(Observation)
        .where(Observation.id == observation_id)
        .values(grant_hash=_grant_hash(salt, secret), granted_until=until)
    )
    return replace(_granted(session, row, now), until=until, gone=_gone(session, row, until, now)), secret


def shut_out(session: Session, cycle: rules.Cycle) -> None:
    """Takes the grant of all devices, and the code, from what the viewing member captures in a cycle: a phone was lost.
    The next code makes another secret. What is there stays (the cycle is locked)."""
    session.execute(
        update(Observation)
        .where(Observation.cycle_id == cycle.id, Observation.person_id == cycle.viewer_id)
        .values(grant_hash="", code_hash="", code_until=None)
    )


def find(
    session: Session, observation_id: str, secret: str, now: datetime, *, lock: bool = False, with_cycle: bool = False
) -> Granted | None:
    """The visit whose grant has this secret; None for any other. Two statements (`lock`: three, and nobody else writes
    in this observation until the transaction ends; `with_cycle`: one more, nor in its cycle)."""
    if with_cycle:
        # First, as all do who hold both: two never wait for each other.
        its_cycle = select(Observation.cycle_id).where(Observation.id == observation_id).scalar_subquery()
        session.execute(select(CycleRow.id).where(CycleRow.id == its_cycle).with_for_update()).all()
    if lock or with_cycle:
        session.execute(select(Observation.id).where(Observation.id == observation_id).with_for_update()).all()
    row = _row(session, observation_id)
    if row is None or not row.grant_hash:
        return None
    if not hmac.compare_digest(row.grant_hash, _grant_hash(row.grant_hash[:_SALT], secret)):
        return None
    return _granted(session, row, now)


def _row(session: Session, observation_id: str) -> Any:
    return session.execute(
        select(
            Observation.id, Observation.cycle_id, Observation.instrument_id, Observation.person_id,
            Observation.grant_hash, Observation.granted_until, Observation.closed_at, Observation.began_at,
            Observation.minutes.label("lasted"),
            CycleRow.status, CycleRow.notes_deleted_at, CycleRow.protocol_version_id,
            Meeting.starts_at, Meeting.minutes,
            Person.language, Person.locale,
            and_(
                CycleMember.left_at.is_(None), PairMember.is_current, *takes_part(CycleRow.activity_id)
            ).label("is_there"),
        )
        .join(CycleRow, CycleRow.id == Observation.cycle_id)
        .join(Membership, Membership.id == Observation.membership_id)
        .join(Person, Person.id == Observation.person_id)
        .outerjoin(
            CycleMember,
            and_(CycleMember.cycle_id == CycleRow.id, CycleMember.membership_id == Observation.membership_id),
        )
        .outerjoin(
            PairMember,
            and_(PairMember.pair_id == CycleRow.pair_id, PairMember.membership_id == Observation.membership_id),
        )
        .outerjoin(Meeting, and_(Meeting.cycle_id == CycleRow.id, Meeting.kind == "visit"))
        .where(Observation.id == observation_id)
    ).one_or_none()  # fmt: skip


def _granted(session: Session, row: Any, now: datetime) -> Granted:
    return Granted(
        row.id, row.cycle_id, row.instrument_id, row.person_id, row.language or row.locale, row.minutes or 0,
        row.began_at, row.lasted, row.granted_until, _gone(session, row, row.granted_until, now),
    )  # fmt: skip


def _gone(session: Session, row: Any, until: datetime | None, now: datetime) -> str:
    # Who deletes what they captured takes the time of the grant with it; closing leaves it.
    if row.notes_deleted_at is not None or (row.closed_at is not None and until is None):
        return "deleted"
    if row.closed_at is not None:
        return "closed"
    if row.status != "running" or not row.is_there:
        return "ended"
    if not _is_noted(session, row):
        return "step"
    return "" if until is not None and until > now else "over"


def _is_noted(session: Session, row: Any) -> bool:
    """Whether something is noted at the step of this cycle: they may have gone down since it was opened (R23)."""
    steps = session.scalars(
        select(CycleMember.step).where(CycleMember.cycle_id == row.cycle_id, CycleMember.left_at.is_(None))
    )
    return bool(stored_protocol(session, row.protocol_version_id).at(lowest(steps)).raw_fields)


def _until(row: Any, now: datetime) -> datetime:
    if row.starts_at is not None:
        booked: datetime = row.starts_at + timedelta(minutes=row.minutes) + AFTER_VISIT
        if booked > now:
            # Opened weeks ahead, it is no key for weeks: another code opens it on the day.
            return min(booked, now + WITHOUT_VISIT)
    # Nothing is booked, or they come another day than they wrote down: a lesson waits for no form.
    return now + WITHOUT_VISIT


def _grant_hash(salt: str, secret: str) -> str:
    return salt + _hash(secret)[: 64 - _SALT]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
