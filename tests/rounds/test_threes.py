"""Three who came together in a pairing round, in the coaching activity that takes its pairs from it."""

import html
from typing import Any

import pytest
from browsers import Browser, recorded
from flask import Flask
from home.placed import add_activity
from rounds.proposed import asked
from rounds.rounds_school import make_round
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles import going_on, rules
from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember, ProtocolVersion
from lti_tool.pairing import service as pairing
from lti_tool.people.models import Membership
from lti_tool.rounds import answers
from lti_tool.store.database import Database


class Three:
    """Niamh, Seán and Gráinne, who have all said yes."""

    def __init__(self, app: Flask, database: Database, clock: Any) -> None:
        self.app, self.database, self.clock = app, database, clock
        made = make_round(database, clock.now)
        self.round_id, self.teachers = made.activity_id, made.teachers
        self.coaching = add_activity(
            database, made.course, clock.now, protocol="light", pairs_from_id=made.activity_id, cadence_weeks=1
        )
        (proposal,) = asked(database, made.activity_id, [made.teachers[:3]], clock.now)
        with database.write() as session:
            for member in made.teachers[:3]:
                answers.answer(session, proposal, member, "yes", clock.now)

    def at(self, teacher: int, activity: str = "") -> Browser:
        return Browser(self.app, self.database, self.clock, self.teachers[teacher], activity or self.coaching)

    def pair(self, activity: str = "") -> str:
        with self.database.read() as session:
            found = pairing.current_pair(session, self.teachers[0], activity or self.coaching)
        return found.id if found else ""

    def begin(self, teacher: int) -> None:
        assert self.at(teacher).post("/begin", pair=self.pair(self.round_id)).status_code == 303

    def cycle(self, session: Any, teacher: int) -> rules.Cycle:
        row = session.execute(
            select(Cycle.id, CycleMember.person_id)
            .join(CycleMember, CycleMember.cycle_id == Cycle.id)
            .where(CycleMember.membership_id == self.teachers[teacher], Cycle.closed_at.is_(None))
        ).one()
        found = cycles.load(session, row.id, row.person_id, lock=True)
        assert found is not None
        return found

    def finish(self) -> str:
        """Id of the cycle that they work through to the end."""
        for teacher in range(3):
            with self.database.write() as session:
                cycle = self.cycle(session, teacher)
                while (stage := rules.stage_now(cycle, cycle.me)) is not None:
                    cycles.mark(session, cycle, stage.key, [cycle.me.membership_id], self.clock.now)
                    cycle = self.cycle(session, teacher)
        return cycle.id

    def roles(self) -> list[tuple[int, int, str]]:
        """(Number of the cycle, of the teacher, role)."""
        with self.database.read() as session:
            rows = session.execute(
                select(Cycle.number, CycleMember.membership_id, CycleMember.role).join(
                    CycleMember, CycleMember.cycle_id == Cycle.id
                )
            ).all()
        return sorted((row.number, self.teachers.index(row.membership_id), row.role) for row in rows)


@pytest.fixture
def three(app: Flask, database: Database, clock: Any) -> Three:
    return Three(app, database, clock)


def test_three_begin_with_the_protocol_for_three_and_whoever_begins_is_host(three: Three) -> None:
    assert "The three of you came together" in three.at(1).get("/")
    three.begin(1)
    three.begin(0)  # the other tapped, too
    assert [(teacher, role) for _n, teacher, role in three.roles() if role == "host"] == [(1, "host")]
    assert sorted(role for _n, _t, role in three.roles()) == ["coach", "host", "observer"]
    with three.database.read() as session:
        assert session.scalars(select(ProtocolVersion.key)).all() == ["triad"]
    for teacher in range(3):
        page = html.unescape(three.at(teacher).get("/"))
        assert ("You are the host." in page) is (teacher == 1) and ("Seán is the host." in page) is (teacher != 1)


def test_every_page_is_there_for_three(three: Three) -> None:
    three.begin(0)
    browser = three.at(0)
    with three.database.read() as session:
        cycle = three.cycle(session, 0)
    alone = [
        rule.rule.removeprefix("/at/<handle>")
        for rule in three.app.url_map.iter_rules()
        if rule.rule.startswith("/at/") and rule.arguments == {"handle"} and "GET" in (rule.methods or ())
    ]
    stages = [f"/cycles/{cycle.id}/{stage.key}" for stage in cycle.stages]
    for path in (*alone, *stages, f"/cycles/{cycle.id}/next", f"/thread/{three.pair()}"):
        answer = browser.client.get(browser.at + path)
        assert answer.status_code in (200, 303, 404), path
        text = html.unescape(answer.get_data(as_text=True))
        assert "you two" not in text and "either of you" not in text and "you both" not in text, path
    with recorded(three.database) as statements:
        browser.get("/")
    assert len(statements) <= 12


def test_the_next_cycle_begins_when_all_three_wish_it_and_the_roles_move_on(three: Three) -> None:
    three.begin(0)
    for _cycle in range(2):
        cycle_id = three.finish()
        browser = three.at(0)
        page = browser.get(f"/cycles/{cycle_id}/next")
        assert f"{browser.at}/pair" in page and f'{browser.at}/group"' not in page
        led = browser.client.get(f"{browser.at}/cycles/{cycle_id}/end")
        assert led.status_code == 303 and led.location.endswith("/next")
        for teacher in range(3):
            assert three.at(teacher).post(f"/cycles/{cycle_id}/next", wish="go_on").status_code == 303
    had = [{role for number, who, role in three.roles() if who == teacher} for teacher in range(3)]
    assert had == [{"host", "coach", "observer"}] * 3


def test_a_pause_of_one_is_a_pause_of_all_and_does_not_say_whose_it_is(three: Three) -> None:
    three.begin(0)
    three.at(2).post("/pair/pause", pair=three.pair())
    pages = [html.unescape(three.at(teacher).get("/")) for teacher in range(3)]
    assert all("You three have paused" in page and "Gráinne has" not in page for page in pages[:2])
    assert "You have paused with" in pages[2]
    three.at(2).post("/pair/resume", pair=three.pair())
    assert "You three have paused" not in three.at(0).get("/")


def test_two_go_on_when_the_third_has_left_the_course(three: Three) -> None:
    three.begin(0)
    cycle_id = three.finish()
    with three.database.write() as session:
        session.execute(update(Membership).where(Membership.id == three.teachers[2]).values(is_active=False))
    for teacher in range(2):
        assert three.at(teacher).post(f"/cycles/{cycle_id}/next", wish="go_on").status_code == 303
    assert sorted((who, role) for number, who, role in three.roles() if number == 2) == [(0, "coach"), (1, "host")]
    assert "Your next step" in three.at(0).get("/") and three.at(1).status("/pair") == 200


def test_how_far_one_goes_is_taken_from_the_round_unless_said_here(three: Three, database: Database) -> None:
    """Of two, since the protocol of three has no ladder."""
    one, other = three.teachers[3:5]
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == three.coaching).values(protocol="collegial"))
        going_on.say_step(session, one, three.round_id, "data")
        going_on.say_step(session, other, three.round_id, "look")
        going_on.say_step(session, other, three.coaching, "talk")
        pair_id = pairing.pair_up(session, [one, other], three.coaching, three.clock.now)
        assert pair_id is not None
        roles = {one: "host", other: "coach"}
        going_on.start(session, pair_id=pair_id, activity_id=three.coaching, roles=roles, now=three.clock.now)
        steps = session.execute(select(CycleMember.membership_id, CycleMember.step)).all()
        assert going_on.step_wish(session, one, three.coaching) == "data"
    assert dict(steps) == {one: "data", other: "talk"}
