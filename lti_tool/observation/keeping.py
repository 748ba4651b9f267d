"""Use cases of what is kept of a person here: counting it, handing it over, deleting it (see room ownership)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles.models import Cycle as CycleRow
from lti_tool.cycles.models import CycleMember
from lti_tool.cycles.rules import Cycle
from lti_tool.observation import building, capture, library
from lti_tool.observation.entries import Entry, standing
from lti_tool.observation.instrument import CLASS, TEACHER, Instrument
from lti_tool.observation.models import (
    CycleInstrument,
    InstrumentApproval,
    InstrumentState,
    Observation,
    OwnInstrument,
)
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.sealing import place_of_state
from lti_tool.privacy.keyring import Keyring, KeyShredded

# What there is


def captured(person_id: str) -> ColumnElement[Any]:
    """How many entries a person captured, to be selected with other numbers."""
    return _entries_of(Observation.person_id == person_id)


def captured_in(cycle_id: str, person_id: str) -> ColumnElement[Any]:
    """The same in one cycle."""
    return _entries_of(Observation.cycle_id == cycle_id, Observation.person_id == person_id)


def _entries_of(*which: ColumnElement[bool]) -> ColumnElement[Any]:
    return (
        select(func.count())
        .select_from(EntryRow)
        .join(Observation, Observation.id == EntryRow.observation_id)
        .where(*which)
        .scalar_subquery()
    )


def built(person_id: str) -> ColumnElement[Any]:
    """How many instruments a person wrote in, or keeps in their library."""
    own = select(func.count()).select_from(OwnInstrument).where(OwnInstrument.person_id == person_id)
    wrote = select(func.count(InstrumentState.instrument_id.distinct())).where(InstrumentState.author_id == person_id)
    return own.scalar_subquery() + wrote.scalar_subquery()


def built_alone_in(cycle_id: str, person_id: str) -> ColumnElement[Any]:
    """How many instruments of a cycle are a person's alone: nobody else wrote in them or approved them."""
    return select(func.count()).select_from(CycleInstrument).where(*_alone(cycle_id, person_id)).scalar_subquery()


def _alone(cycle_id: str, person_id: str) -> tuple[ColumnElement[bool], ...]:
    of_it = InstrumentState.instrument_id == CycleInstrument.id
    by_others = (
        exists()
        .where(InstrumentApproval.instrument_id == CycleInstrument.id)
        .where(
            CycleMember.cycle_id == CycleInstrument.cycle_id,
            CycleMember.membership_id == InstrumentApproval.membership_id,
            CycleMember.person_id != person_id,
        )
    )
    return (
        CycleInstrument.cycle_id == cycle_id,
        exists().where(of_it, InstrumentState.author_id == person_id),
        ~exists().where(of_it, InstrumentState.author_id != person_id),
        ~by_others,
        ~exists().where(Observation.instrument_id == CycleInstrument.id),
    )


# To take away


def of_cycle(session: Session, keyring: Keyring, cycle: Cycle, now: datetime) -> tuple[dict[str, Any], set[str]]:
    """What was built and captured in a cycle, for its viewing member, as plain values; and whose words are in it.

    What somebody else captured only once the host has shown it. Three statements, and one for each visit.
    """
    instruments = [] if cycle.me.is_gone else building.of_cycle(session, keyring, cycle, now)
    authors = {author for each in instruments for author in each.authors}
    by_id = {each.id: each.instrument for each in instruments}
    visits = []
    for observation in capture.of_cycle(session, cycle.id):
        is_own = observation.person_id == cycle.viewer_id
        is_shown = observation.closed_at is not None and observation.shown_at is not None
        if not is_own and (cycle.me.is_gone or not is_shown):
            continue
        found = standing(capture.entries(session, keyring, observation, cycle, now))
        if found:
            authors.add(observation.person_id)
        coach = cycle.person(observation.person_id)
        visits.append(
            {
                "by": "you" if is_own else coach.given_name if coach else "",
                "began_at": observation.created_at,
                "closed_at": observation.closed_at,
                "shown_at": observation.shown_at,
                "minutes": observation.minutes,
                "entries": [_plain(each, by_id.get(observation.instrument_id)) for each in found],
            }
        )
    return {"instruments": [_instrument(each) for each in by_id.values()], "visits": visits}, authors


def of_person(session: Session, keyring: Keyring, person_id: str, now: datetime) -> list[dict[str, Any]]:
    """The library of a person, as plain values."""
    return [
        _instrument(each.instrument) | {"released_in": each.course_title, "changed_at": each.changed_at}
        for each in library.of_person(session, keyring, person_id, now)
    ]


def _instrument(kept: Instrument) -> dict[str, Any]:
    plan = kept.plan
    return {
        "name": kept.name,
        "base": kept.base,
        "codes": ", ".join(each.text for each in kept.codes),
        "rows": "; ".join(": ".join(filter(None, (each.text, each.expected))) for each in kept.rows),
        "seconds": kept.interval_s or None,
        "plan": ", ".join(
            [
                *(f"{each.number} {plan.place(each.x, each.y)}" for each in plan.seats),
                *(f"{each.what} {plan.place(each.x, each.y)}" for each in plan.marks),
            ]
        )
        if plan
        else None,
    }


def _plain(entry: Entry, kept: Instrument | None) -> dict[str, Any]:
    code, row = (kept.code(entry.code), kept.row(entry.row)) if kept else (None, None)
    place = ""
    if entry.x is not None and entry.y is not None:
        place = kept.plan.place(entry.x, entry.y) if kept and kept.plan else f"{entry.x} {entry.y}"
    said = {
        # When a pupil said something could tell who it was: the picture leaves it out too.
        "at": "" if kept and kept.kind == "voices" else f"{entry.at_ms // 60_000}:{entry.at_ms // 1000 % 60:02}",
        "column": entry.column,
        "what": code.text if code else entry.code,
        "row": row.text if row else entry.row,
        "seat": _seat(entry.seat),
        "to_seat": _seat(entry.to_seat),
        "place": place,
        "text": entry.text,
    }
    return {key: value for key, value in said.items() if value != ""}


def _seat(seat: int | None) -> int | str:
    return "" if seat is None else {TEACHER: "teacher", CLASS: "class"}.get(seat, seat)


# Deleting


def delete_notes(session: Session, keyring: Keyring, deleted_at: datetime) -> int:
    """Deletes the entries of all cycles whose raw notes were deleted at this moment, in this transaction, and shreds
    their keys. Returns of how many observations."""
    return _delete(
        session,
        keyring,
        Observation.cycle_id.in_(select(CycleRow.id).where(CycleRow.notes_deleted_at == deleted_at)),
        now=deleted_at,
    )


def delete_of(session: Session, keyring: Keyring, cycle_id: str, person_id: str, now: datetime) -> int:
    """Deletes what one person captured in a cycle, with its key (the cycle is locked); of how many observations."""
    return _delete(session, keyring, Observation.cycle_id == cycle_id, Observation.person_id == person_id, now=now)


def _delete(session: Session, keyring: Keyring, *which: ColumnElement[bool], now: datetime) -> int:
    # Whoever sends an entry holds the same lock, and looks again once they have it.
    ids = list(session.scalars(select(Observation.id).where(*which).order_by(Observation.id).with_for_update()))
    if not ids:
        return 0
    session.execute(delete(EntryRow).where(EntryRow.observation_id.in_(ids)))
    session.execute(
        update(Observation)
        .where(Observation.id.in_(ids))
        .values(closed_at=func.coalesce(Observation.closed_at, now), granted_until=None, code_hash="", code_until=None)
    )
    keyring.shred_scopes(ids, now)
    return len(ids)


def delete_alone(session: Session, cycle_id: str, person_id: str) -> None:
    """Deletes the instruments of a cycle that are a person's alone (the cycle is locked)."""
    gone = list(session.scalars(select(CycleInstrument.id).where(*_alone(cycle_id, person_id))))
    session.execute(delete(CycleInstrument).where(CycleInstrument.id.in_(gone)))


def hand_over(session: Session, keyring: Keyring, person_id: str, now: datetime) -> None:
    """Before a person is erased: what they wrote last in an instrument that all approved becomes the words of another
    who approved it. It was written together, and without it nobody could read what was captured with it."""
    for row in _frozen_by(session, person_id):
        keys = keyring.opened(session, row.cycle_id, now)
        place = place_of_state(row.id)
        try:
            text = keys.open(person_id, row.sealed, place)
        except KeyShredded:
            continue
        session.execute(
            update(InstrumentState)
            .where(InstrumentState.id == row.id)
            .values(author_id=row.other, sealed=keys.seal(row.other, text, place))
        )


def _frozen_by(session: Session, person_id: str) -> Iterator[Any]:
    rows = session.execute(
        select(
            InstrumentState.id,
            InstrumentState.sealed,
            CycleRow.id.label("cycle_id"),
            func.min(CycleMember.person_id).label("other"),
        )
        .join(CycleInstrument, CycleInstrument.id == InstrumentState.instrument_id)
        .join(CycleRow, CycleRow.id == CycleInstrument.cycle_id)
        .join(
            InstrumentApproval,
            and_(
                InstrumentApproval.instrument_id == CycleInstrument.id,
                InstrumentApproval.revision == CycleInstrument.revision,
            ),
        )
        .join(
            CycleMember,
            and_(CycleMember.cycle_id == CycleRow.id, CycleMember.membership_id == InstrumentApproval.membership_id),
        )
        .where(
            InstrumentState.author_id == person_id,
            InstrumentState.revision == CycleInstrument.revision,
            CycleInstrument.frozen_at.is_not(None),
            CycleMember.person_id != person_id,
        )
        .group_by(InstrumentState.id, InstrumentState.sealed, CycleRow.id)
    )
    yield from rows.all()
