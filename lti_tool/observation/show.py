"""Use cases of looking at what was captured: who sees what of it, and the host's word that all look at it together.

Raw entries live as long as the host set (cycles.notes_due_at). After that nothing of them is here, only that they were.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles.revision import bump
from lti_tool.cycles.rules import Cycle, noted_visit
from lti_tool.observation.entries import COLUMNS, Entry, standing
from lti_tool.observation.instrument import Instrument
from lti_tool.observation.models import CycleInstrument, InstrumentState, Observation
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.sealing import open_entry, open_instrument
from lti_tool.people.actor import Actor
from lti_tool.privacy.keyring import Keyring, KeyShredded
from lti_tool.privacy.rules import Action, ObservationFacts, may

_VISITS = (
    select(
        Observation.id, Observation.person_id, Observation.minutes, Observation.created_at, Observation.closed_at,
        Observation.shown_at,
        InstrumentState.id.label("state_id"), InstrumentState.author_id, InstrumentState.sealed,
    )
    .join(CycleInstrument, CycleInstrument.id == Observation.instrument_id)
    .outerjoin(
        InstrumentState,
        and_(
            InstrumentState.instrument_id == CycleInstrument.id, InstrumentState.revision == CycleInstrument.revision
        ),
    )
    .order_by(Observation.created_at, Observation.id)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as its coach captured it, without any of the words."""

    id: str
    coach_id: str
    """The person who captured it."""
    minutes: int
    created_at: datetime
    closed_at: datetime | None
    shown_at: datetime | None
    state_id: str | None
    author_id: str | None
    sealed: bytes | None
    """The instrument as its author left it, for `instrument_states/<state_id>` in the scope of the cycle."""

    def facts(self, cycle: Cycle, column: str = "seen") -> ObservationFacts:
        """What the rules of privacy need of it."""
        return ObservationFacts(
            cycle.facts_of_visit,
            self.coach_id,
            self.closed_at is not None,
            self.shown_at is not None,
            cast('Literal["seen", "question", "mine"]', column),
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """A visit for one reader."""

    visit: Visit
    columns: tuple[str, ...]
    """Which of COLUMNS they may see now; none at all while it is not theirs to see."""
    instrument: Instrument | None = None
    """None where they may see nothing, and where there is nothing any more."""
    entries: tuple[Entry, ...] = ()
    """All they may see that was not taken back, by their time."""
    is_gone: bool = False
    """Whether the raw entries are deleted."""


def visits_of(session: Session, cycle: Cycle) -> tuple[Visit, ...]:
    """The visits of a cycle, the oldest first, in which something was to be captured; one statement.

    None for whoever left the group, unless they captured it; and where they only look by now (R23), none that not all
    looked at before.
    """
    is_noted = noted_visit(cycle.stages) is not None
    rows = session.execute(_VISITS.where(Observation.cycle_id == cycle.id))
    return tuple(
        visit
        for row in rows
        if (visit := Visit(*row))
        and (not cycle.me.is_gone or visit.coach_id == cycle.viewer_id)
        and (is_noted or visit.shown_at is not None)
    )


def read(
    session: Session, keyring: Keyring, cycle: Cycle, visits: Iterable[Visit], reader: Actor, now: datetime
) -> tuple[tuple[Seen, ...], frozenset[str], frozenset[str]]:
    """These visits for `reader`, a member of the cycle; who built what was opened of instruments, and who captured what
    was opened of entries. One statement, and one of the keyring."""
    visits = tuple(visits)
    columns = {
        visit.id: tuple(column for column in COLUMNS if may(reader, Action.SEE_OBSERVATION, visit.facts(cycle, column)))
        for visit in visits
    }
    is_gone = cycle.notes_deleted_at is not None
    wanted = {visit.id for visit in visits if columns[visit.id] and not is_gone}
    if not wanted:
        return tuple(Seen(each, columns[each.id], is_gone=is_gone) for each in visits), frozenset(), frozenset()
    all_keys = keyring.opened_all(session, [cycle.id, *sorted(wanted)], now)
    query = select(EntryRow.observation_id, EntryRow.device, EntryRow.number, EntryRow.sealed).where(
        EntryRow.observation_id.in_(wanted)
    )
    if not any("mine" in each for each in columns.values()):
        query = query.where(EntryRow.is_mine.is_(False))
    rows: dict[str, list[tuple[str, int, bytes]]] = {each: [] for each in wanted}
    for row in session.execute(query):
        rows[row.observation_id].append((row.device, row.number, row.sealed))
    found = []
    for visit in visits:
        if visit.id not in wanted or visit.sealed is None or visit.author_id is None:
            found.append(Seen(visit, columns[visit.id], is_gone=is_gone or visit.id in wanted))
            continue
        keys = all_keys[visit.id]
        if visit.coach_id not in keys:
            found.append(Seen(visit, columns[visit.id], is_gone=True))
            continue
        try:
            instrument = open_instrument(all_keys[cycle.id], visit.author_id, visit.state_id or "", visit.sealed)
        except KeyShredded:
            found.append(Seen(visit, columns[visit.id], is_gone=True))
            continue
        opened = [
            open_entry(keys, visit.coach_id, visit.id, device, number, sealed)
            for device, number, sealed in rows[visit.id]
        ]
        # What was taken back first: the entry that says so may be in another column.
        opened = [each for each in standing(opened) if each.column in columns[visit.id]]
        found.append(Seen(visit, columns[visit.id], instrument, tuple(opened)))
    builders = frozenset(all_keys.pop(cycle.id).opened_authors)
    return tuple(found), builders, frozenset(author for keys in all_keys.values() for author in keys.opened_authors)


def own_column(session: Session, keyring: Keyring, cycle: Cycle, now: datetime) -> tuple[str, ...]:
    """What the viewing member noted for their own class in the visits of a cycle (R47), in its order; for them alone.
    One statement, and one of the keyring where there is something."""
    rows = session.execute(
        select(EntryRow.observation_id, EntryRow.device, EntryRow.number, EntryRow.sealed)
        .join(Observation, Observation.id == EntryRow.observation_id)
        .where(Observation.cycle_id == cycle.id, Observation.person_id == cycle.viewer_id)
        .order_by(Observation.created_at, Observation.id)
    ).all()
    of_each: dict[str, list[Entry]] = {row.observation_id: [] for row in rows}
    all_keys = keyring.opened_all(session, of_each, now)
    for row in rows:
        keys, found = all_keys[row.observation_id], of_each[row.observation_id]
        with suppress(KeyShredded):
            found.append(open_entry(keys, cycle.viewer_id, row.observation_id, row.device, row.number, row.sealed))
    # All of them, because one that is taken back is told by another one.
    return tuple(each.text for found in of_each.values() for each in standing(found) if each.column == "mine")


def show(session: Session, cycle: Cycle, visit: Visit, *, now: datetime) -> None:
    """All who are in the cycle look at it from now on. Asked a second time it changes nothing. The cycle is locked."""
    if visit.shown_at is None:
        session.execute(
            update(Observation).where(Observation.id == visit.id, Observation.shown_at.is_(None)).values(shown_at=now)
        )
        bump(session, cycle.id)
