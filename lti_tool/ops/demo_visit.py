"""The visit of the demonstration: two teachers whose cycle has come to the conversation after, so that whoever looks
around finds what they built to look with, what was noted, and its picture.

All of it goes the way of real people, by the use cases of the pages; the lesson is one of those that rehearse noting.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.cycles import service as cycles
from lti_tool.cycles import texts
from lti_tool.cycles.models import Cycle as CycleRow
from lti_tool.cycles.rules import Cycle
from lti_tool.observation import building, capture, grants, receiving, show
from lti_tool.observation.rehearsal import lessons
from lti_tool.ops import demo_round
from lti_tool.pairing import service as pairing
from lti_tool.people import service as people_service
from lti_tool.people.models import Membership, Person
from lti_tool.privacy.keyring import Keyring
from lti_tool.protocols.recipe import Stage
from lti_tool.store.database import Database

TITLE = "A cycle that has begun"
_LESSON, _BASE = "tiles", "verbal_flow"
_SLOWER = 4
"""The lesson of the rehearsal takes nine minutes; here it is one of 36."""
_NEXT_STEPS = "I count to five before I call on somebody."
_NORMS = {"norms": "We talk on Tuesdays, and say at once when something does not suit."}
_GOAL = {
    "goal": "That more students say how they think, not only what they found.",
    "criteria": "Students answer each other without me in between.",
    "focus": "Who speaks to whom while we look for the rule.",
}
_CARD = {
    "visit_purpose": "To see whom I call on, and who speaks without it.",
    "card_seat": "At the back, by the window.",
    "card_part": "Silent.",
    "card_pupils": "A colleague looks at how I ask, not at you.",
    "card_in_out": "In before the bell; out at the end.",
    "card_time": "The coach.",
    "card_not_recorded": "Names, and what students say about themselves.",
}
_COACH = {"question": "What decides whom you call on?", "mine": "Seats in a ring, as in the last part."}


def fill(
    placed: dict[str, Any],
    people: Sequence[dict[str, Any]],
    database: Database,
    keyring: Keyring,
    clock: Callable[[], datetime],
) -> bool:
    """Sets a coaching activity up behind a link that was just placed in the sandbox, with a cycle of the first two
    teachers of the course. Arguments and answer as of demo_round.fill, which has brought the teachers in."""
    now = clock()
    pair = [str(each["id"]) for each in people if each["role"] == "student"][:2]
    with database.write() as session:
        opened = demo_round.open_activity(session, placed, people, TITLE, ("cycle", "collegial"), now)
        if opened is None:
            return False
        activity_id, course_id, _platform_id = opened
        rows = session.execute(
            select(Person.sub, Membership.id, Person.id.label("person_id"))
            .join(Person)
            .where(Membership.course_id == course_id, Person.sub.in_(pair))
        )
        members = {row.sub: row for row in rows}
        host, coach = (members[each] for each in pair)
        for each in (host, coach):
            people_service.acknowledge_welcome(session, each.id, now)
        two = {"host_id": host.id, "coach_id": coach.id}
        pairing.invite(session, **two, course_id=course_id, activity_id=activity_id, now=now - timedelta(days=9))
        (asked,) = pairing.open_for(session, coach.id, activity_id, now - timedelta(days=9)).received
        pairing.accept(session, asked.id, now - timedelta(days=8))
        cycle_id = session.scalars(select(CycleRow.id).where(CycleRow.activity_id == activity_id)).one()
        _Cycle(session, keyring, cycle_id, host.person_id, coach.person_id, now).go()
    return True


@dataclass(frozen=True)
class _Cycle:
    """A cycle of two, on its way to the conversation after."""

    session: Session
    keyring: Keyring
    id: str
    host: str
    coach: str
    """Ids of the two people."""
    now: datetime

    def go(self) -> None:
        lesson_at = _school_day(self.now)
        together, before = self.now - timedelta(days=7), self.now - timedelta(days=6)
        self._write(_NORMS, together)
        self._both_sign("together", together)
        self._write(_GOAL, before)
        self._both_sign("goal", before)
        self._close("before", before)
        self._write(_CARD, before)
        self._book("visit", lesson_at, 40, "Room 12")
        self._book("after", self.now + timedelta(hours=2), 30, "Staff room")
        cycles.confirm_visit(self.session, self._of(self.coach), seen_rev=1, now=before)
        visit_id = self._note(self._build(before), lesson_at)
        self._close("visit", lesson_at + timedelta(hours=1))
        cycle = self._of(self.host)
        cycles.mark_first_turn(self.session, cycle, _stage(cycle, "after"), now=self.now)
        cycle = self._of(self.host)
        (visit,) = (each for each in show.visits_of(self.session, cycle) if each.id == visit_id)
        show.show(self.session, cycle, visit, now=self.now)
        self._write({"next_steps": _NEXT_STEPS}, self.now)

    def _build(self, now: datetime) -> str:
        """Id of the instrument that both approved."""
        wanted = lessons()[_LESSON].instrument(_BASE, "en")
        instrument_id = building.begin(self.session, self.keyring, self._of(self.host), wanted, now)
        for each in (self.host, self.coach):
            building.approve(self.session, self.keyring, self._of(each), instrument_id, 1, now)
        return instrument_id

    def _note(self, instrument_id: str, now: datetime) -> str:
        """Id of the visit that the coach noted, as the tab of its own does it."""
        lesson = lessons()[_LESSON]
        prepared = capture.prepare(self.session, self.keyring, self._of(self.coach), instrument_id, now)
        code = grants.new_code(self.session, prepared.id, now)
        opened = grants.open_tab(self.session, self.keyring, code, now)
        assert opened is not None
        granted, _secret = opened
        noted = [
            replace(each, at_ms=each.at_ms * _SLOWER).to_json()
            for each in lesson.noted(_BASE, "en", lesson.minutes * 60_000)
        ]
        last = noted[-1]["at_ms"]
        noted += [
            {"number": len(noted) + number, "at_ms": last, "column": column, "text": text}
            for number, (column, text) in enumerate(_COACH.items(), 1)
        ]
        received = receiving.receive(self.session, self.keyring, granted, "phone", noted, now)
        assert received.have == len(noted)
        receiving.close(self.session, granted, lesson.minutes * _SLOWER, now + timedelta(minutes=40))
        return prepared.id

    def _of(self, person_id: str) -> Cycle:
        found = cycles.load(self.session, self.id, person_id, lock=True)
        assert found is not None
        return found

    def _close(self, key: str, now: datetime) -> None:
        cycle = self._of(self.host)
        cycles.close(self.session, cycle, _stage(cycle, key), now=now)

    def _write(self, said: Mapping[str, str], now: datetime) -> None:
        keys = self.keyring.opened(self.session, self.id, now)
        for key, text in said.items():
            cycle = self._of(self.host)
            field = cycle.protocol.field(key)
            assert field is not None
            texts.save_text(self.session, keys, cycle, field, text=text, base=(), now=now)

    def _both_sign(self, item: str, now: datetime) -> None:
        for each in (self.host, self.coach):
            cycle = self._of(each)
            cycles.sign(self.session, cycle, item, seen=[head.token for head in cycle.heads], now=now)

    def _book(self, kind: str, starts_at: datetime, minutes: int, place: str) -> None:
        keys = self.keyring.opened(self.session, self.id, self.now)
        cycles.set_meeting(
            self.session, keys, self._of(self.host), kind,
            starts_at=starts_at, minutes=minutes, place=place, seen_rev=0, now=self.now,
        )  # fmt: skip


def _school_day(now: datetime) -> datetime:
    """A lesson in the morning of the last day of school before today."""
    days = next(days for days in (1, 2, 3) if (now - timedelta(days=days)).weekday() < 5)
    return (now - timedelta(days=days)).replace(hour=10, minute=5, second=0, microsecond=0)


def _stage(cycle: Cycle, key: str) -> Stage:
    return next(each for each in cycle.stages if each.key == key)
