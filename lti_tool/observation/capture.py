"""Use cases of a capture on the pages of its cycle: what has to be there before a visit is noted, and what came of it.

prepared → opened by a one-time code (grants.py) → entries come in (receiving.py) → closed. Who may is asked before
(privacy/rules.py, by the views).
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.cycles import rules
from lti_tool.cycles.revision import bump
from lti_tool.cycles.service import NotPossible
from lti_tool.observation import card
from lti_tool.observation.entries import Entry
from lti_tool.observation.instrument import Instrument
from lti_tool.observation.models import CycleInstrument, InstrumentState, Observation
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.sealing import open_entry, open_instrument
from lti_tool.privacy.keyring import Keyring, KeyShredded, ScopeKeys
from lti_tool.store.base import new_id


class NotReady(Exception):
    """A visit cannot be captured. `code`: instrument (none that all approved), step (they do not note anything),
    deleted (the time of raw notes is over), shown (both look at it already)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def prepare(session: Session, keyring: Keyring, cycle: rules.Cycle, instrument_id: str, now: datetime) -> Observation:
    """The observation that the viewing member captures with an instrument (the cycle is locked).

    One that is there is gone on with, also if it was closed, until the host has shown it. Raises LookupError for an
    instrument of another cycle, NotReady, and NotPossible while the roles card of the visit is not filled in (R60).
    """
    row = session.execute(
        select(CycleInstrument.frozen_at).where(
            CycleInstrument.id == instrument_id, CycleInstrument.cycle_id == cycle.id
        )
    ).one_or_none()
    if row is None:
        raise LookupError(instrument_id)
    if code := not_ready(cycle):
        raise NotReady(code)
    if row.frozen_at is None:
        raise NotReady("instrument")
    if missing := card_lacks(cycle):
        raise NotPossible(missing)
    there = session.scalars(
        select(Observation)
        .where(Observation.instrument_id == instrument_id, Observation.person_id == cycle.viewer_id)
        .order_by(Observation.created_at.desc(), Observation.id.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if there is not None and cycle.viewer_id in keyring.opened(session, there.id, now):
        if there.shown_at is not None:
            raise NotReady("shown")
        if there.closed_at is not None:
            there.closed_at = None
            session.flush()
            bump(session, cycle.id)
        return there
    made = Observation(
        id=new_id(),
        cycle_id=cycle.id,
        instrument_id=instrument_id,
        membership_id=cycle.me.membership_id,
        person_id=cycle.viewer_id,
        minutes=0,
        created_at=now,
    )
    keyring.opened(session, made.id, now).ensure(cycle.viewer_id)
    session.add(made)
    session.flush()
    return made


def not_ready(cycle: rules.Cycle) -> str:
    """Code of NotReady for what stands against capturing in a cycle at all; empty where nothing does."""
    if cycle.notes_deleted_at is not None:
        return "deleted"
    has_visit = any(stage.kind == "visit" for stage in cycle.stages)
    # At the lowest step somebody visits and nothing is noted (R23): the fields of raw notes are not there.
    return "" if has_visit and cycle.protocol.raw_fields else "step"


def card_lacks(cycle: rules.Cycle) -> tuple[rules.Missing, ...]:
    """What is not filled in yet of the roles card and the other texts that a visit needs; when it is, may be open."""
    stage = next(stage for stage in cycle.stages if stage.kind == "visit")
    found = rules.missing_in(cycle, [gate for gate in stage.gates if gate.needs != "meeting"], stage, cycle.me)
    # A protocol of a course's own may leave them out of its conditions.
    lines = [each.key for each in card.empty_lines(cycle) if each.key not in {lack.of for lack in found}]
    return (*found, *(rules.Missing("text", key, stage.key) for key in lines))


def instrument_of(session: Session, keys: ScopeKeys, instrument_id: str) -> Instrument | None:
    """The instrument as it was approved, opened by the keys of its cycle; None once it cannot be read any more."""
    row = session.execute(
        select(InstrumentState.id, InstrumentState.author_id, InstrumentState.sealed)
        .where(InstrumentState.instrument_id == instrument_id)
        .order_by(InstrumentState.revision.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    try:
        return open_instrument(keys, row.author_id, row.id, row.sealed)
    except KeyShredded:
        return None


# Afterwards


def of_cycle(session: Session, cycle_id: str) -> list[Observation]:
    """All observations of a cycle, the oldest first, without entries; one statement."""
    return list(
        session.scalars(
            select(Observation).where(Observation.cycle_id == cycle_id).order_by(Observation.created_at, Observation.id)
        )
    )


def entries(
    session: Session, keyring: Keyring, observation: Observation, reader: rules.Cycle, now: datetime
) -> list[Entry]:
    """What was captured, in the order in which each device made it, as far as it is for this reader.

    `reader`: the cycle as it was loaded for whoever looks. That they may is asked before, by privacy/rules.py, and told
    to who captured it (privacy.looks, CAPTURED). The coach's own column is theirs alone (R47), and questions wait for
    the host's first turn (R64). Empty once it was shredded. Two statements.
    """
    is_own = reader.viewer_id == observation.person_id
    query = select(EntryRow.device, EntryRow.number, EntryRow.sealed).where(EntryRow.observation_id == observation.id)
    if not is_own:
        query = query.where(EntryRow.is_mine.is_(False))
    keys = keyring.opened(session, observation.id, now)
    if observation.person_id not in keys:
        return []
    found = (
        open_entry(keys, observation.person_id, observation.id, row.device, row.number, row.sealed)
        for row in session.execute(query.order_by(EntryRow.device, EntryRow.number))
    )
    open_to_all = is_own or reader.facts_of_visit.first_turn_done
    return [each for each in found if open_to_all or each.column != "question"]
