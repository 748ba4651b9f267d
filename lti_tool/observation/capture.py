"""Use cases of a capture: one visit as somebody notes it live, in a tab of its own that needs no sign-in.

prepared → opened by a one-time code, as often as another device is taken → closed. The tab holds a grant that adds
entries to this one visit and opens nothing else. Its secret is derived from the key that seals the entries, so that it
is the same on every device, is stored nowhere, and ends with what it was for.

Who may is asked before (privacy/rules.py, by the views).
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unicodedata import category

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles import rules
from lti_tool.cycles.models import Cycle as CycleRow
from lti_tool.cycles.models import CycleMember, Meeting
from lti_tool.cycles.revision import bump
from lti_tool.cycles.service import NotPossible, stored_protocol
from lti_tool.observation import card
from lti_tool.observation import entries as reading
from lti_tool.observation import instrument as instruments
from lti_tool.observation.entries import MAX_MS, Entry
from lti_tool.observation.instrument import Instrument
from lti_tool.observation.models import CycleInstrument, InstrumentState, Observation
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.said import Problem, RefusedError, Said
from lti_tool.pairing.models import PairMember
from lti_tool.people.models import Membership, Person
from lti_tool.people.service import takes_part
from lti_tool.privacy.keyring import Keyring, KeyShredded, ScopeKeys
from lti_tool.protocols.recipe import lowest
from lti_tool.store.base import new_id
from lti_tool.store.database import rows_changed

CODE_LIFETIME = timedelta(minutes=10)
AFTER_VISIT = timedelta(hours=12)
"""How long after the booked end of a visit entries still come in: until there is a network again."""
WITHOUT_VISIT = timedelta(hours=36)
"""How long after it was opened, at most."""
MOST_DEVICES = 40
"""A browser that keeps nothing takes a new name for each window, so they are not counted closely."""
MOST_ENTRIES = 2_000
"""Of one device: more than one every two seconds of an hour."""
MOST_OF_VISIT = 8_000
"""After so many entries no letter with new ones is taken."""
MOST_AT_ONCE = 200
MOST_MINUTES = MAX_MS // 60_000
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,22}")
_LOOKS_LIKE = str.maketrans("oil", "011", "- \u2013\u00a0\t")
"""What somebody may type for a sign of a code that has no such letter, and what they may put between."""


class NotReady(Exception):
    """A visit cannot be captured. `code`: instrument (none that all approved), step (they do not note anything),
    deleted (the time of raw notes is over), shown (both look at it already)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Gone(Exception):
    """Nothing can be added any more. `code`: closed, deleted, over (the grant; another code opens it again), ended (the
    cycle, or their part in it), step (they do not note anything any more)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Full(Exception):
    """MOST_DEVICES others have sent entries of this visit, or there are MOST_OF_VISIT."""


# Before the lesson


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


def has_of(session: Session, observation_id: str) -> dict[str, int]:
    """Device → the highest number up to which none of its entries is missing; one statement."""
    numbered = (
        select(
            EntryRow.device,
            EntryRow.number,
            func.row_number().over(partition_by=EntryRow.device, order_by=EntryRow.number).label("place"),
        )
        .where(EntryRow.observation_id == observation_id)
        .subquery()
    )
    return {
        row.device: row.have
        for row in session.execute(
            select(numbered.c.device, func.max(numbered.c.number).label("have"))
            .where(numbered.c.number == numbered.c.place)
            .group_by(numbered.c.device)
        )
    }


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
        return instruments.read(json.loads(keys.open(row.author_id, row.sealed, f"instrument_states/{row.id}")))
    except KeyShredded:
        return None


# Entries come in


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that was not kept, and why."""

    index: int
    """Of the entries that were sent, from 0."""
    number: int | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """What is there after entries were sent."""

    have: int
    """The highest number up to which no entry of the device is missing."""
    got: tuple[int, ...]
    """Numbers of this letter that are there now, sent just now or before."""
    clash: tuple[int, ...]
    """Numbers under which the device sent something else before: that stands, and these have to be numbered anew."""
    refused: tuple[Refused, ...]


def is_device(name: object) -> bool:
    """Whether this can be the name of a device's local store."""
    return isinstance(name, str) and _DEVICE.fullmatch(name) is not None


def receive(
    session: Session, keyring: Keyring, granted: Granted, device: str, sent: Sequence[Any], now: datetime
) -> Received:
    """Keeps entries of a device, each once however often it is sent (the observation is locked by `find`).

    What cannot be taken is said, and keeps nothing else from being kept. Six statements, however many entries. Raises
    Gone, Full.
    """
    if granted.gone:
        raise Gone(granted.gone)
    keys = keyring.opened_all(session, [granted.cycle_id, granted.id], now)
    instrument = instrument_of(session, keys[granted.cycle_id], granted.instrument_id)
    own = keys[granted.id]
    if instrument is None or granted.person_id not in own:
        # Never with a new key: what was shredded stays so.
        raise Gone("deleted")
    counted = select(EntryRow.device, func.count().label("of_it")).where(EntryRow.observation_id == granted.id)
    devices = {row.device: row.of_it for row in session.execute(counted.group_by(EntryRow.device))}
    if device not in devices and len(devices) >= MOST_DEVICES:
        raise Full
    read, refused = _read(sent, device, instrument)
    among = (EntryRow.observation_id == granted.id, EntryRow.device == device)
    there = {
        row.number: _opened(own, granted.person_id, granted.id, device, row.number, row.sealed)
        for row in session.execute(
            select(EntryRow.number, EntryRow.sealed).where(*among, EntryRow.number.in_({each.number for each in read}))
        )
    }
    new: dict[int, Entry] = {}
    clash = []
    for entry in read:
        before = there.get(entry.number) or new.get(entry.number)
        if before is None:
            new[entry.number] = entry
        elif before != entry:
            clash.append(entry.number)
    if new and sum(devices.values()) >= MOST_OF_VISIT:
        raise Full
    if new:
        session.execute(
            insert(EntryRow),
            [
                {
                    "observation_id": granted.id,
                    "device": device,
                    "number": entry.number,
                    "sealed": own.seal(
                        granted.person_id,
                        json.dumps(entry.to_json(), ensure_ascii=False),
                        _place(granted.id, device, entry.number),
                    ),
                    # What takes something back is read with the rest: it says nothing of its own.
                    "is_mine": entry.column == "mine" and not entry.undoes,
                }
                for entry in new.values()
            ],
        )
    return Received(
        has_of(session, granted.id).get(device, 0),
        tuple(sorted((there.keys() | new.keys()) - set(clash))),
        tuple(sorted(set(clash))),
        tuple(refused),
    )


def _read(sent: Sequence[Any], device: str, instrument: Instrument) -> tuple[list[Entry], list[Refused]]:
    read, refused = [], []
    for index, body in enumerate(sent):
        number = body.get("number") if isinstance(body, dict) else None
        try:
            if type(number) is int and number > MOST_ENTRIES:
                raise RefusedError([Problem(("number",), Said("no_whole", {"least": 1, "most": MOST_ENTRIES}))])
            read.append(reading.read(_tidy(body, device), instrument))
        except RefusedError as error:
            refused.append(Refused(index, number if type(number) is int else None, error.problems))
    return read, refused


def _tidy(body: Any, device: str) -> Any:
    """Without half signs, which a phone cuts off at a limit, and without what no line of text holds: an entry is not
    refused for them, and those after it do not wait for ever."""
    if not isinstance(body, dict):
        return body
    text = body.get("text")
    if isinstance(text, str):
        kept = (sign for sign in text if sign.isspace() or category(sign) not in ("Cc", "Cs"))
        body = body | {"text": "".join(kept)}
    return body | {"device": device}


def begin(session: Session, granted: Granted, ago_ms: int, now: datetime) -> None:
    """The lesson began so long ago, by the clock of a device; the first one that says so is believed."""
    if granted.began_at is None and not granted.gone:
        began = timedelta(milliseconds=ago_ms)
        unknown = (Observation.id == granted.id, Observation.began_at.is_(None))
        session.execute(update(Observation).where(*unknown).values(began_at=now - began))


def close(session: Session, granted: Granted, minutes: int, now: datetime) -> None:
    """The visit is over, after so many minutes (it is locked with its cycle). Twice is once; raises Gone else."""
    if granted.gone == "closed":
        return
    if granted.gone:
        raise Gone(granted.gone)
    session.execute(
        update(Observation)
        .where(Observation.id == granted.id)
        .values(closed_at=now, minutes=minutes, code_hash="", code_until=None)
    )
    bump(session, granted.cycle_id)


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
        _opened(keys, observation.person_id, observation.id, row.device, row.number, row.sealed)
        for row in session.execute(query.order_by(EntryRow.device, EntryRow.number))
    )
    open_to_all = is_own or reader.facts_of_visit.first_turn_done
    return [each for each in found if open_to_all or each.column != "question"]


def _opened(keys: ScopeKeys, author_id: str, observation_id: str, device: str, number: int, sealed: bytes) -> Entry:
    # As it was when it came in: by the instrument of then, which does not change.
    values: Mapping[str, Any] = json.loads(keys.open(author_id, sealed, _place(observation_id, device, number)))
    return Entry(**values)


def _place(observation_id: str, device: str, number: int) -> str:
    return f"entries/{observation_id}/{device}/{number}"


_SALT = 16
"""Characters of Observation.grant_hash that go into the secret: new ones after all devices were shut out."""


def _grant_hash(salt: str, secret: str) -> str:
    return salt + _hash(secret)[: 64 - _SALT]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
