"""Use cases of the instrument that the members of a cycle build together: begin, change, approve, freeze (R59).

Who may is asked before (privacy/rules.py, by the views), and the cycle is locked by whoever writes. Each state is
sealed with its author's key of the cycle. Two who change different parts at the same time both succeed; where it is the
same part, the second one is told, and decides.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles.revision import bump
from lti_tool.cycles.rules import Cycle
from lti_tool.observation import instrument as instruments
from lti_tool.observation.instrument import Instrument, undecided
from lti_tool.observation.models import CycleInstrument, InstrumentApproval, InstrumentState
from lti_tool.observation.said import Said
from lti_tool.observation.sealing import open_instrument, seal_instrument
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.store.base import new_id
from lti_tool.store.upsert import insert_into

MOST = 3
"""Instruments of one cycle."""
MOST_STATES = 60
"""That are kept of one instrument, the last ones."""
PARTS = ("name", "codes", "rows", "interval_s", "plan", "options")
"""What of an instrument can be changed, by its names in JSON."""
_TWO_TAPS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Change:
    """That somebody saved a state of an instrument."""

    person_id: str
    name: str
    """Given name; may be empty, where the LMS withholds names."""
    at: datetime
    parts: tuple[str, ...]
    """Of PARTS, those that were different from the state before; empty for the first."""


@dataclass(frozen=True, slots=True)
class BuiltInstrument:
    """An instrument of a cycle, as it is now."""

    id: str
    base: str
    revision: int
    instrument: Instrument
    frozen_at: datetime | None
    approved_by: frozenset[str]
    """Memberships that approve it as it is now."""
    history: tuple[Change, ...]
    """The oldest first."""
    states: Mapping[int, Instrument]
    """Revision → how it was."""

    @property
    def authors(self) -> frozenset[str]:
        """People whose words may be in it."""
        return frozenset(each.person_id for each in self.history)


class TooMany(Exception):
    """The cycle has MOST instruments already."""


class Frozen(Exception):
    """All approved it; it changes no more."""


class Gone(Exception):
    """Somebody removed it meanwhile."""


class Changed(Exception):
    """Somebody changed the same meanwhile."""

    def __init__(self, now: BuiltInstrument, merged: Mapping[str, Any], parts: tuple[str, ...]) -> None:
        super().__init__(", ".join(parts))
        self.now = now
        """As it is."""
        self.merged = merged
        """Plain values: as it would be with what was sent now."""
        self.parts = parts
        """Of PARTS, those that both changed."""


class Unfinished(Exception):
    """There is something left to decide."""

    def __init__(self, said: tuple[Said, ...]) -> None:
        super().__init__(", ".join(each.key for each in said))
        self.said = said


def of_cycle(session: Session, keyring: Keyring, cycle: Cycle, now: datetime) -> list[BuiltInstrument]:
    """The instruments of a cycle, the oldest first; two statements, and one of the keyring."""
    rows = session.execute(
        select(
            CycleInstrument.id, CycleInstrument.base, CycleInstrument.revision, CycleInstrument.frozen_at,
            InstrumentState.id.label("state_id"), InstrumentState.revision.label("number"), InstrumentState.author_id,
            InstrumentState.sealed, InstrumentState.saved_at,
        )
        .join(InstrumentState, InstrumentState.instrument_id == CycleInstrument.id)
        .where(CycleInstrument.cycle_id == cycle.id)
        .order_by(CycleInstrument.created_at, CycleInstrument.id)
    ).all()  # fmt: skip
    if not rows:
        return []
    of_each: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        of_each.setdefault(row.id, []).append(row)
    approvals = session.execute(
        select(InstrumentApproval.instrument_id, InstrumentApproval.membership_id, InstrumentApproval.revision).where(
            InstrumentApproval.instrument_id.in_(of_each)
        )
    ).all()
    keys = keyring.opened(session, cycle.id, now)
    found = []
    for states in of_each.values():
        states.sort(key=lambda row: int(row.number))
        opened: dict[int, Instrument] = {}
        for row in states:
            with contextlib.suppress(KeyShredded):
                opened[row.number] = open_instrument(keys, row.author_id, row.state_id, row.sealed)
        last = states[-1]
        # What an erased member wrote last is gone; the others go on from what is left, unless it was frozen.
        if not opened or (last.frozen_at and last.number not in opened):
            continue
        approved = {
            each.membership_id
            for each in approvals
            if each.instrument_id == last.id and each.revision == last.revision and last.number in opened
        }
        found.append(
            BuiltInstrument(
                last.id, last.base, last.revision, opened[max(opened)], last.frozen_at, frozenset(approved),
                _history(cycle, states, opened), opened,
            )
        )  # fmt: skip
    return found


def find(session: Session, keyring: Keyring, cycle: Cycle, instrument_id: str, now: datetime) -> BuiltInstrument | None:
    """The instrument of that id in this cycle, or None."""
    return next((each for each in of_cycle(session, keyring, cycle, now) if each.id == instrument_id), None)


def in_use(found: list[BuiltInstrument]) -> BuiltInstrument | None:
    """The one that the visit takes: the last that all approved; None while there is none."""
    return max((each for each in found if each.frozen_at), key=lambda each: str(each.frozen_at), default=None)


def begin(session: Session, keyring: Keyring, cycle: Cycle, wanted: Instrument, now: datetime) -> str:
    """Begins an instrument in this cycle from `wanted`, and returns its id; two taps at once begin one.

    Raises TooMany.
    """
    there = of_cycle(session, keyring, cycle, now)
    for each in there:
        is_fresh = each.revision == 1 and each.history[-1].at > now - _TWO_TAPS and not each.approved_by
        if is_fresh and each.instrument == wanted and each.history[-1].person_id == cycle.viewer_id:
            return each.id
    count = session.execute(select(CycleInstrument.id).where(CycleInstrument.cycle_id == cycle.id)).all()
    if len(count) >= MOST:
        raise TooMany
    instrument_id = new_id()
    session.execute(
        insert(CycleInstrument).values(
            id=instrument_id, cycle_id=cycle.id, base=wanted.base, revision=1, frozen_at=None, created_at=now
        )
    )
    _keep(session, keyring, cycle, instrument_id, 1, wanted, now)
    bump(session, cycle.id)
    return instrument_id


def save(
    session: Session, keyring: Keyring, cycle: Cycle, instrument_id: str, parts: Mapping[str, Any], revision: int,
    now: datetime,
) -> BuiltInstrument:  # fmt: skip
    """Saves some of PARTS, as plain values, that were typed on a page which showed `revision`.

    What is not different from that page was not typed, so that it takes nothing back that somebody else saved since.
    Raises Gone, Frozen, Changed, and RefusedError for values that cannot be taken.
    """
    there = find(session, keyring, cycle, instrument_id, now)
    if there is None:
        raise Gone
    is_now = there.instrument.to_json()
    was = before.to_json() if (before := there.states.get(revision)) else None
    sent = instruments.read((was or is_now) | dict(parts)).to_json()
    mine = {key: sent[key] for key in PARTS if key in parts and (was is None or sent[key] != was[key])}
    mine = {key: value for key, value in mine.items() if value != is_now[key]}
    # Where the last state went with an erased member, what is left becomes a state that can be approved.
    if not mine and there.revision in there.states:
        return there
    if there.frozen_at:
        raise Frozen
    clash = tuple(key for key in mine if was is None or is_now[key] != was[key])
    if clash and revision != there.revision:
        raise Changed(there, is_now | mine, clash)
    wanted = instruments.read(is_now | mine)
    _keep(session, keyring, cycle, instrument_id, there.revision + 1, wanted, now)
    session.execute(
        update(CycleInstrument).where(CycleInstrument.id == instrument_id).values(revision=there.revision + 1)
    )
    session.execute(
        delete(InstrumentState).where(
            InstrumentState.instrument_id == instrument_id,
            InstrumentState.revision <= there.revision + 1 - MOST_STATES,
        )
    )
    bump(session, cycle.id)
    return replace(there, revision=there.revision + 1, instrument=wanted, approved_by=frozenset())


def approve(session: Session, keyring: Keyring, cycle: Cycle, instrument_id: str, revision: int, now: datetime) -> bool:
    """The viewing member approves it as it is; once all for whom the others wait have, it is frozen: whether it is.

    Raises Gone, Unfinished, and Changed where `revision`, which was on the page, is not the last one.
    """
    there = find(session, keyring, cycle, instrument_id, now)
    if there is None:
        raise Gone
    if there.frozen_at:
        return True
    if there.revision != revision:
        raise Changed(there, there.instrument.to_json(), ())
    if lacking := undecided(there.instrument):
        raise Unfinished(lacking)
    me = cycle.me.membership_id
    session.execute(
        insert_into(session, InstrumentApproval)
        .values(instrument_id=instrument_id, membership_id=me, revision=revision)
        .on_conflict_do_update(index_elements=["instrument_id", "membership_id"], set_={"revision": revision})
    )
    is_frozen = {each.membership_id for each in cycle.needed} <= there.approved_by | {me}
    if is_frozen:
        session.execute(update(CycleInstrument).where(CycleInstrument.id == instrument_id).values(frozen_at=now))
    bump(session, cycle.id)
    return is_frozen


def remove(session: Session, cycle: Cycle, instrument_id: str) -> None:
    """Takes away an instrument that is not frozen; nothing happens otherwise."""
    session.execute(
        delete(CycleInstrument).where(
            CycleInstrument.id == instrument_id,
            CycleInstrument.cycle_id == cycle.id,
            CycleInstrument.frozen_at.is_(None),
        )
    )
    bump(session, cycle.id)


def _keep(
    session: Session, keyring: Keyring, cycle: Cycle, instrument_id: str, revision: int, wanted: Instrument,
    now: datetime,
) -> None:  # fmt: skip
    state_id, author = new_id(), cycle.viewer_id
    keys = keyring.opened(session, cycle.id, now)
    sealed = seal_instrument(keys, author, state_id, wanted)
    session.execute(
        insert(InstrumentState).values(
            id=state_id, instrument_id=instrument_id, revision=revision, author_id=author, sealed=sealed, saved_at=now
        )
    )


def _history(cycle: Cycle, states: list[Row[*tuple[Any, ...]]], opened: Mapping[int, Instrument]) -> tuple[Change, ...]:
    found, before = [], None
    for row in states:
        member, here = cycle.person(row.author_id), opened.get(row.number)
        parts: tuple[str, ...] = ()
        if before is not None and here is not None:
            was, is_now = before.to_json(), here.to_json()
            parts = tuple(key for key in PARTS if was[key] != is_now[key])
        found.append(Change(row.author_id, member.given_name if member else "", row.saved_at, parts))
        before = here or before
    return tuple(found)
