"""Use cases of a guided conversation: where it is, moving it on, how many prompts one would like, and what next steps
rest on.

Who may is asked before (privacy/rules.py, by the views). Everything that writes is given a cycle that is locked.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, insert, literal, select, union_all, update
from sqlalchemy.orm import Session

from lti_tool.cycles import conversation_rules as talks
from lti_tool.cycles import service
from lti_tool.cycles.conversation_rules import Talk
from lti_tool.cycles.models import Conversation, CycleMember, Rest
from lti_tool.cycles.models import Cycle as CycleRow
from lti_tool.cycles.revision import bump
from lti_tool.cycles.rules import Cycle, Missing, is_done
from lti_tool.cycles.service import NotPossible
from lti_tool.observation.models import Observation
from lti_tool.privacy.keyring import KeyShredded, ScopeKeys
from lti_tool.protocols.recipe import Stage
from lti_tool.store.base import new_id
from lti_tool.store.database import run
from lti_tool.store.upsert import insert_into

MOST_RESTS = 60
"""In one cycle; more than a pair would ever point at."""

_OPENED = (
    select(
        CycleMember.guide,
        # With it, because a page of next steps has few statements to spare.
        select(CycleRow.id)
        .where(CycleRow.pair_id == bindparam("pair"), CycleRow.number == bindparam("before"))
        .scalar_subquery()
        .label("before_id"),
        Conversation.step, Conversation.step_since, Conversation.paused_at, Conversation.device, Conversation.rev,
    )
    .outerjoin(
        Conversation, and_(Conversation.cycle_id == CycleMember.cycle_id, Conversation.stage == bindparam("stage"))
    )
    .where(CycleMember.cycle_id == bindparam("cycle"), CycleMember.person_id == bindparam("me"))
)  # fmt: skip


# Where it is


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation, with what its page needs beside."""

    talk: Talk
    guide: str
    """The viewing member's own."""
    before_id: str | None
    """Of the cycle before this one, whoever was in it."""


def open_talk(session: Session, cycle: Cycle, stage: Stage, now: datetime) -> Opened:
    """Where the conversation of a stage is; one statement."""
    known = {"cycle": cycle.id, "stage": stage.key, "me": cycle.viewer_id}
    row = run(session, _OPENED, known | {"pair": cycle.pair_id, "before": cycle.number - 1}).one()
    # Where it is by now is not told to whoever left.
    has_begun = row.rev is not None and not cycle.me.is_gone
    return Opened(Talk(*row[2:]) if has_begun else talks.not_begun(now), row.guide, row.before_id)


_RESTS, _CAPTURED = "", ":"
"""In the place of a stage's key."""


def revs(session: Session, cycle_id: str) -> tuple[dict[str, int], int, int]:
    """Stage → state of its conversation, of those that have begun; how much next steps point at; and a number that is
    another one when a visit was closed or is looked at together. One statement."""
    rows = session.execute(
        union_all(
            select(Conversation.stage, Conversation.rev).where(Conversation.cycle_id == cycle_id),
            select(literal(_RESTS), func.count()).select_from(Rest).where(Rest.cycle_id == cycle_id),
            select(
                literal(_CAPTURED),
                10_000 * func.count() + 100 * func.count(Observation.closed_at) + func.count(Observation.shown_at),
            ).where(Observation.cycle_id == cycle_id),
        )
    )
    found = {row.stage: row.rev for row in rows}
    return found, found.pop(_RESTS), found.pop(_CAPTURED)


# Moving it


def move(session: Session, cycle: Cycle, stage: Stage, move: str, *, seen_rev: int, now: datetime) -> Talk:
    """Carries out a move (one of MOVES) for all who hold the conversation, and returns where it is then.

    Nothing moves where somebody was quicker than `seen_rev`, the state that was on the page: two taps on "next" at the
    same time are one. Leaving the step of the first turn says that it is done. Raises NotPossible while a stage before
    is open, and NotYours where the first turn is another's.
    """
    talk = open_talk(session, cycle, stage, now).talk
    if talk.rev != seen_rev or not talks.is_open(cycle, stage):
        return talk
    earlier = [each for each in cycle.stages[: cycle.stages.index(stage)] if not is_done(cycle, each)]
    if earlier:
        raise NotPossible([Missing("earlier_stage", earlier[0].key, earlier[0].key)])
    shown = talks.shown_steps(cycle, stage)
    step = stage.talk[talks.place(talk, shown)]
    if move == "next" and talks.ends_first_turn(cycle, stage, step):
        service.mark_first_turn(session, cycle, stage, now=now, on_one_device=talk.device == "one")
    after = talks.moved(talk, move, shown, now)
    if after != talk:
        values = {
            "step": after.step, "step_since": after.step_since, "paused_at": after.paused_at,
            "device": after.device, "rev": after.rev,
        }  # fmt: skip
        statement = insert_into(session, Conversation).values(cycle_id=cycle.id, stage=stage.key, **values)
        session.execute(statement.on_conflict_do_update(index_elements=["cycle_id", "stage"], set_=values))
        bump(session, cycle.id)
    return after


def choose_guide(session: Session, cycle: Cycle, guide: str) -> None:
    """The viewing member says how many prompts they would like (one of GUIDES). Nobody else is told, so nothing that
    the others could see changes, not even the count of changes."""
    session.execute(
        update(CycleMember)
        .where(CycleMember.cycle_id == cycle.id, CycleMember.person_id == cycle.viewer_id)
        .values(guide=guide)
    )


# The cycle before


def cycle_before(session: Session, cycle: Cycle, before_id: str | None) -> Cycle | None:
    """The cycle before this one, for its members alone: the frame of it, without content, by two statements.

    None where there is none, and for whoever was not in it.
    """
    return service.load_frame(session, before_id, cycle.viewer_id) if before_id else None


# What next steps rest on


@dataclass(frozen=True, slots=True)
class Pointed:
    """A next step, and the line of what was seen and heard that it rests on."""

    id: str
    cycle_id: str
    author_id: str
    field: str
    """Key of the text with the next step."""
    data: str
    """Key of the text with what was seen and heard; or `visit:` and the id of an observation."""
    step_line: str
    data_line: str
    """Empty for what was captured in a visit: no copy of it outlives it."""
    entries: tuple[tuple[str, int], ...] = ()
    """Of the observation."""


def point(
    session: Session, keys: ScopeKeys, cycle: Cycle, *, field: str, data: str, step_line: str, data_line: str = "",
    entries: Sequence[tuple[str, int]] = (), now: datetime,
) -> bool:  # fmt: skip
    """Keeps that a line of a text rests on a line of another (keys of both texts), or on entries of an observation;
    False if there are too many."""
    there = read_rests(session, {cycle.id: keys})
    wanted = (field, data, step_line, data_line, tuple(entries))
    if any((each.field, each.data, each.step_line, each.data_line, each.entries) == wanted for each in there):
        return True
    count = session.execute(select(func.count()).select_from(Rest).where(Rest.cycle_id == cycle.id)).scalar_one()
    if count >= MOST_RESTS:
        return False
    rest_id, author = new_id(), cycle.viewer_id
    sealed = keys.seal(author, json.dumps([step_line, data_line, list(entries)]), f"rests/{rest_id}")
    session.execute(
        insert(Rest).values(
            id=rest_id, cycle_id=cycle.id, author_id=author, field=field, data=data, sealed=sealed, made_at=now
        )
    )
    bump(session, cycle.id)
    return True


def take_away(session: Session, cycle: Cycle, rest_id: str) -> None:
    """The viewing member takes back what they pointed at; nothing happens where it is not theirs."""
    session.execute(
        delete(Rest).where(Rest.id == rest_id, Rest.cycle_id == cycle.id, Rest.author_id == cycle.viewer_id)
    )
    bump(session, cycle.id)


def read_rests(session: Session, keys: Mapping[str, ScopeKeys]) -> list[Pointed]:
    """What next steps of these cycles rest on (keys by cycle), the oldest first, for who may read both texts; one
    statement."""
    found = []
    for row in session.execute(
        select(Rest.id, Rest.cycle_id, Rest.author_id, Rest.field, Rest.data, Rest.sealed)
        .where(Rest.cycle_id.in_(keys))
        .order_by(Rest.made_at, Rest.id)
    ):
        try:
            opened = keys[row.cycle_id].open(row.author_id, row.sealed, f"rests/{row.id}")
        except KeyShredded:
            continue
        step_line, data_line, *more = json.loads(opened)
        entries = tuple((device, number) for device, number in (more[0] if more else ()))
        found.append(Pointed(*row[:5], step_line, data_line, entries))
    return found
