"""The rhythm of a pair, through the door: the hint on the pair's own pages, and who was host how often."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import make_cycle
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles import going_on
from lti_tool.cycles.models import Cycle
from lti_tool.pairing.models import Pair
from lti_tool.store.database import Database

HINT = "since your last cycle. When would suit?"


@dataclass
class School:
    """A pair whose first cycle is finished, in an activity with a rhythm of three weeks."""

    app: Flask
    database: Database
    clock: Any
    course: MadeCourse
    cycle_id: str
    pair_id: str

    def browser(self, membership: str) -> Browser:
        # A sign-in of its own each time: it is over after some hours, and weeks pass here.
        return Browser(self.app, self.database, self.clock, membership, self.course.activity_id)

    @property
    def host(self) -> Browser:
        return self.browser(self.course.teachers[0])

    @property
    def coach(self) -> Browser:
        return self.browser(self.course.teachers[1])

    def after(self, **time: int) -> None:
        self.clock.now = self.clock.now + timedelta(**time)


@pytest.fixture
def school(app: Flask, database: Database, clock: Any) -> Iterator[School]:
    clock.now = datetime(2026, 10, 1, 12, tzinfo=UTC)
    course = make_course(database, teachers=3, now=clock.now)
    cycle_id = make_cycle(database, course, clock.now)
    with database.write() as session:
        session.execute(update(Cycle).values(status="finished", finished_at=clock.now))
        session.execute(update(Activity).values(cadence_weeks=3))
        pair_id = session.scalars(select(Pair.id)).one()
    yield School(app, database, clock, course, cycle_id, pair_id)


def test_the_hint_comes_when_the_time_is_over_and_each_can_put_it_away(school: School) -> None:
    school.after(days=20)
    assert HINT not in school.host.get()
    school.after(days=1)
    host = school.host
    with recorded(school.database) as statements:
        page = host.get()
    assert "It is 3 weeks since your last cycle. When would suit?" in page and len(statements) <= 12
    assert HINT in host.get("/pair") and HINT in school.coach.get()
    assert host.post("/pair/rhythm/away", pair=school.pair_id).status_code == 303
    assert HINT not in host.get() and HINT not in host.get("/pair") and HINT in school.coach.get()
    school.after(days=60)
    assert HINT not in school.host.get()


def test_nobody_else_is_hinted_at_and_a_pause_or_the_summer_keeps_it_quiet(school: School) -> None:
    school.after(days=30)
    for membership in (school.course.trainer, school.course.teachers[2], school.course.leader):
        assert HINT not in school.browser(membership).get()
    school.host.post("/pair/pause", pair=school.pair_id)
    assert HINT not in school.host.get() and HINT not in school.host.get("/pair") and HINT not in school.coach.get()
    school.host.post("/pair/resume", pair=school.pair_id)
    assert HINT in school.host.get()
    school.clock.now = datetime(2027, 7, 15, 12, tzinfo=UTC)
    assert HINT not in school.host.get()
    school.clock.now = datetime(2027, 9, 2, 12, tzinfo=UTC)
    assert "It is 48 weeks since" in school.coach.get()
    # Where nothing new begins, there is nothing to suggest.
    with school.database.write() as session:
        session.execute(update(Activity).values(status="archived"))
    assert HINT not in school.coach.get() and HINT not in school.coach.get("/pair")


def test_a_pair_can_have_a_rhythm_of_its_own_or_none(school: School) -> None:
    school.after(days=21)
    assert "As the activity says: every 3 weeks" in school.coach.get("/pair")
    for weeks, is_due in (("4", False), ("2", True), ("0", False), ("", True)):
        assert school.host.post("/pair/rhythm", pair=school.pair_id, weeks=weeks).status_code == 303
        page = school.coach.get("/pair")
        assert f'<option value="{weeks}" selected>' in page
        assert (HINT in page) == is_due == (HINT in school.coach.get())
    for weeks in ("27", "-1", "x", "\0", "9" * 40):
        assert school.host.post("/pair/rhythm", pair=school.pair_id, weeks=weeks).status_code == 400
    assert school.host.post("/pair/rhythm", pair="0" * 16, weeks="2").status_code == 404
    for who in (school.course.teachers[2], school.course.trainer):
        for path in ("/pair/rhythm", "/pair/rhythm/away"):
            assert school.browser(who).post(path, pair=school.pair_id, weeks="2").status_code == 404


def test_the_trainer_says_how_often_and_a_copy_keeps_it(school: School) -> None:
    trainer = school.browser(school.course.trainer)
    page = trainer.get("/activity")
    assert re.search(r'name="cadence" value="3"', page)
    settings = {"what": "cycle:light", "audience": "everyone", "purpose": "x"}
    refused = trainer.post("/activity", **settings, cadence="many")
    assert refused.status_code == 400 and "from 1 to 26" in refused.text and 'value="many"' in refused.text
    assert trainer.post("/activity", **settings, cadence="5").status_code == 303
    trainer.post("/activity/duplicate")
    with school.database.read() as session:
        assert session.scalars(select(Activity.cadence_weeks)).all() == [5, 5]
    assert trainer.post("/activity", **settings, cadence="").status_code == 303
    school.after(days=400)
    assert HINT not in school.host.get()


def test_both_see_how_often_each_was_host_and_the_missing_half_comes_first(school: School) -> None:
    def ways(browser: Browser, cycle_id: str) -> list[str]:
        return re.findall(r'name="wish" value="(\w+)"', browser.get(f"/cycles/{cycle_id}/end"))

    end = unescape(school.host.get(f"/cycles/{school.cycle_id}/end"))
    assert "It would be Seán’s turn to host." in end and ways(school.host, school.cycle_id) == ["swap", "continue"]
    assert "It would be your turn to host." in unescape(school.coach.get(f"/cycles/{school.cycle_id}/end"))
    page = " ".join(unescape(school.host.get("/pair")).split())
    assert "<dt>You</dt><dd>host once, coach not yet</dd><dt>Seán</dt><dd>host not yet, coach once</dd>" in page
    assert "It would be your turn to host." in unescape(school.coach.get("/pair"))
    # The same host twice, and then the other: their turn is still theirs, so going on as they are comes first.
    host, coach = school.course.teachers[:2]
    for number, roles in ((2, {host: "host", coach: "coach"}), (3, {coach: "host", host: "coach"})):
        with school.database.write() as session:
            last = going_on.start(
                session,
                pair_id=school.pair_id,
                activity_id=school.course.activity_id,
                roles=roles,
                number=number,
                now=school.clock.now,
            )
            session.execute(update(Cycle).values(status="finished", finished_at=school.clock.now))
    assert ways(school.host, last) == ways(school.coach, last) == ["continue", "swap"]
    assert "host twice, coach once" in school.host.get("/pair")
    # Where it is even, nobody's turn is named.
    with school.database.write() as session:
        session.execute(update(Cycle).where(Cycle.number == 2).values(status="stopped"))
    assert "turn to host" not in school.host.get("/pair") and ways(school.host, last) == ["swap", "continue"]
