"""No page of observation asks the database more often for many people, instruments and entries than for few."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from browsers import recorded
from flask import Flask
from groups.people_of_groups import open_hall
from observation.made import made, says
from observation.observed import ORIGIN, approved, members, observation
from sqlalchemy import insert, select, update

from lti_tool.cycles.models import CycleMember
from lti_tool.observation import grants, library
from lti_tool.observation.entries import COLUMNS, Entry
from lti_tool.observation.models import Entry as EntryRow
from lti_tool.observation.models import InstrumentState, Observation
from lti_tool.observation.sealing import seal_entry, seal_instrument
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

PAGES = (
    "visit-instrument", "visit-instrument?base=tally", "visit-instrument/{draft}", "visit-instrument/{draft}/plan",
    "visit-capture", "visit-card", "visit-picture", "before", "visit", "after", "after/sheet", "reflect",
)  # fmt: skip
BESIDE = ("instruments", "rehearsal", "rehearsal/ice/tally", "words.json", "mine")
OF_HOST = ("visit-picture", "visit-instrument/{draft}", "after")
MOST = 12


@contextmanager
def counted(app: Flask) -> Iterator[list[Any]]:
    """Statements to the tool's database and to the keyring's."""
    tool = app.extensions["meitheal"]
    with ExitStack() as both:
        lists = [both.enter_context(recorded(each)) for each in {tool.database, tool.keyring.database}]
        found: list[Any] = []
        yield found
        found.extend(statement for each in lists for statement, _count in each)


class Group:
    """A group of so many teachers whose visit was captured."""

    def __init__(self, app: Flask, database: Database, clock: Any, people: int, instruments: int, entries: int) -> None:
        self.app, self.hall = app, open_hall(app, database, clock, protocol="demonstration", teachers=people)
        self.hall.form_group(*range(people))
        self.hall.people[0].send("group/bring")
        with database.read() as session:
            founder = CycleMember.membership_id == self.hall.course.teachers[0]
            self.cycle_id = session.scalars(select(CycleMember.cycle_id).where(founder)).one()
        for person in self.hall.people:
            person.cycle_id = self.cycle_id
        roles = self.hall.roles(self.cycle_id)
        self.keeper = next(self.hall.people[number] for number, role in roles.items() if role == "keeper")
        self.host = next(self.hall.people[number] for number, role in roles.items() if role == "host")
        self.fill(database, app.extensions["meitheal"].keyring, clock(), instruments, entries)

    def fill(self, database: Database, keyring: Any, now: Any, instruments: int, entries: int) -> None:
        used, person = made("scripting"), members(database, self.cycle_id)["keeper"][1]
        frozen = approved(database, keyring, self.cycle_id, used, now)
        plan = made("at_task_sweep")
        drafts = [approved(database, keyring, self.cycle_id, plan, now, frozen=False) for _each in range(instruments)]
        self.draft = drafts[0]
        self.visit = observation(database, keyring, self.cycle_id, frozen, now, by="keeper")
        with database.write() as session:
            of_cycle, of_visit = keyring.opened_all(session, [self.cycle_id, self.visit], now).values()
            for number in range(2, 3 + 15 * (instruments - 1)):
                for each in drafts[1:]:
                    state = new_id()
                    sealed = seal_instrument(of_cycle, person, state, plan)
                    session.add(
                        InstrumentState(
                            id=state, instrument_id=each, revision=number, author_id=person, sealed=sealed, saved_at=now
                        )
                    )
                library.keep(session, keyring, person, used, new_id(), now, with_plan=False)
            noted = [
                Entry(f"d{number % 4}", number, number, COLUMNS[number % 3], **says(used))
                if number % 3 == 0
                else Entry(f"d{number % 4}", number, number, COLUMNS[number % 3], text="Why?")
                for number in range(1, entries + 1)
            ]
            session.execute(
                insert(EntryRow),
                [
                    {
                        "observation_id": self.visit, "device": each.device, "number": each.number,
                        "sealed": seal_entry(of_visit, person, self.visit, each), "is_mine": each.column == "mine",
                    }
                    for each in noted
                ],
            )  # fmt: skip

    def statements(self) -> dict[tuple[str, str], int]:
        """(Who, page) → statements of a page that they have looked at before: that they did is kept then."""
        found = {("tab", each): number for each, number in self._of_tab()}
        tool = self.app.extensions["meitheal"]
        with tool.database.write() as session:
            closed = {"closed_at": tool.clock(), "shown_at": tool.clock(), "minutes": 40}
            session.execute(update(Observation).where(Observation.id == self.visit).values(**closed))
        of_both = (*((self.keeper, each) for each in (*PAGES, *BESIDE)), *((self.host, each) for each in OF_HOST))
        for person, name in of_both:
            page = name if name in BESIDE else f"cycles/{self.cycle_id}/{name.format(draft=self.draft)}"
            person.go(page)
            with counted(self.app) as said:
                person.go(page)
            assert person.status == 200, page
            found["host" if person is self.host else "keeper", name] = len(said)
        return found

    def _of_tab(self) -> Iterator[tuple[str, int]]:
        tool, client = self.app.extensions["meitheal"], self.app.test_client()
        with tool.database.write() as session:
            code = grants.new_code(session, self.visit, tool.clock())
        assert client.post("/visit", data={"code": code}, headers=ORIGIN).status_code == 303
        letter = {"device": "d1", "entries": []}
        for name, ask in (
            ("page", lambda: client.get(f"/visit/{self.visit}")),
            ("data", lambda: client.get(f"/visit/{self.visit}/data")),
            ("entries", lambda: client.post(f"/visit/{self.visit}/entries", json=letter, headers=ORIGIN)),
        ):
            assert ask().status_code == 200
            with counted(self.app) as said:
                ask()
            yield name, len(said)


def test_pages_ask_no_more_often_for_eight_people_and_2000_entries(app: Flask, database: Database, clock: Any) -> None:
    few = Group(app, database, clock, people=3, instruments=1, entries=10).statements()
    many = Group(app, database, clock, people=8, instruments=3, entries=2000).statements()
    assert {page: (number, few[page]) for page, number in many.items() if number > few[page]} == {}
    assert {page: number for page, number in many.items() if number > MOST} == {}
