"""Entries come in from the tab that captures a visit, each once however often it is sent, until the visit is closed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unicodedata import category

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.cycles.revision import bump
from lti_tool.observation import entries as reading
from lti_tool.observation.capture import instrument_of
from lti_tool.observation.entries import MAX_MS, Entry
from lti_tool.observation.grants import Gone, Granted
from lti_tool.observation.instrument import Instrument
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.models import Observation
from lti_tool.observation.said import Problem, RefusedError, Said
from lti_tool.observation.sealing import open_entry, seal_entry
from lti_tool.privacy.keyring import Keyring

MOST_DEVICES = 40
"""A browser that keeps nothing takes a new name for each window, so they are not counted closely."""
MOST_ENTRIES = 2_000
"""Of one device: more than one every two seconds of an hour."""
MOST_OF_VISIT = 8_000
"""After so many entries no letter with new ones is taken."""
MOST_AT_ONCE = 200
MOST_MINUTES = MAX_MS // 60_000
_DEVICE = re.compile(r"[A-Za-z0-9_-]{1,22}")


class Full(Exception):
    """MOST_DEVICES others have sent entries of this visit, or there are MOST_OF_VISIT."""


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
        row.number: open_entry(own, granted.person_id, granted.id, device, row.number, row.sealed)
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
                    "sealed": seal_entry(own, granted.person_id, granted.id, entry),
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
    """The lesson began so long ago, by the clock of a device (the observation is locked by `find`). The first one that
    says so is believed."""
    if granted.began_at is None and not granted.gone:
        began = now - timedelta(milliseconds=ago_ms)
        session.execute(update(Observation).where(Observation.id == granted.id).values(began_at=began))


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
