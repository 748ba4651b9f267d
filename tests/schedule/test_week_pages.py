"""The page on which a trainer says the bells, days and holidays of a course, or of one school in it."""

import html
import re
from datetime import date
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import select, update

from lti_tool.people.models import Membership, Person, School
from lti_tool.schedule import school_weeks, week, week_forms
from lti_tool.schedule.models import SchoolWeek
from lti_tool.schedule.week import Holiday, Period
from lti_tool.store.database import Database

PATH = "/school-week"
LIST = """
Mon - Thu
1 08:50-09:30
2, 9.30 to 10.10
Small break 10:50-11:05
Dé hAoine: Friday
1 8:50am - 9:30am
26/10/2026 - 30/10/2026 Mid-term
2027-03-17 St Patrick's Day
rubbish \0
31/02/2026 no such day
"""


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=3, now=clock.now)


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return Browser(app, database, clock, course.trainer, course.activity_id)


def typed(page: str) -> dict[str, str]:
    """What the boxes of the page hold, and which button it is sent by is left to say."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") != "checkbox" or " checked" in tag:
            found[given["name"]] = html.unescape(given["value"])
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        if chosen := re.search(r'value="([^"]*)" selected', options):
            found[name] = chosen.group(1)
    found.pop("csrf_token")
    return found


def kept(database: Database, course: MadeCourse, school: str = "") -> week.SchoolWeek | None:
    with database.read() as session:
        said = school_weeks.of_course(session, course.course_id).get(school)
        return said.week if said else None


def in_schools(database: Database, course: MadeCourse, clock: Any) -> list[str]:
    """Two schools, each with one teacher of the course, and one in which nobody of it works."""
    with database.write() as session:
        made = [School(platform_id=course.platform_id, name=name, created_at=clock.now) for name in "ABC"]
        session.add_all(made)
        session.flush()
        for teacher, school in zip(course.teachers, made[:2], strict=False):
            person = select(Membership.person_id).where(Membership.id == teacher).scalar_subquery()
            session.execute(update(Person).where(Person.id == person).values(school_id=school.id))
        return [school.id for school in made]


def test_a_shipped_week_is_changed_and_kept(trainer: Browser, database: Database, course: MadeCourse) -> None:
    page = trainer.get(PATH)
    assert "Nobody has said the bells yet" in page and kept(database, course) is None
    page = trainer.post(PATH, **typed(page), do="start short").get_data(as_text=True)
    form = typed(page)
    assert (
        form["same-1"] == "0" and form["same-2"] == "own" and form["same-4"] == "2" and kept(database, course) is None
    )
    form |= {"from-0-0": "8.45", "to-0-0": "9:20", "first-0": "2026-10-26", "last-0": "2026-10-30", "holiday-0": "H"}
    assert trainer.post(PATH, **form, do="keep").status_code == 303
    said = kept(database, course)
    assert said and said.days[1][0] == Period("1", 8 * 60 + 45, 9 * 60 + 20) and len(said.lessons(4)) == 6
    assert said.holidays == (Holiday(date(2026, 10, 26), date(2026, 10, 30), "H"),)
    page = trainer.get(PATH + "?told=kept")
    assert "Times are proposed by it from now on" in page and typed(page)["from-0-0"] == "08:45"


def test_errors_say_where_and_keep_all_that_was_typed(trainer: Browser, database: Database, course: MadeCourse) -> None:
    form = typed(trainer.get(PATH)) | {
        "from-0-0": "9 o’clock", "name-0-1": "x" * 41, "to-0-2": "8:00", "same-6": "5", "talk_after": "an hour",
        "last-0": "2026-10-30", "holiday-0": "Mid-term", "zone": "Mars/Base", "paste": "typed before",
    }  # fmt: skip
    answer = trainer.post(PATH, **form, do="keep")
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 400 and kept(database, course) is None
    for sentence in (
        "Choose the time zone", "Monday, line 1: Say the time", "Monday, line 2: A name can have 40",
        "Monday, line 3: The end comes before", "Sunday: This day is to be like",
        "After the last bell: Say the minutes", "Holidays, line 1: Say the day",
    ):  # fmt: skip
        assert sentence in page
    again = typed(page)
    for box in ("from-0-0", "name-0-1", "to-0-2", "same-6", "talk_after", "last-0", "holiday-0"):
        assert again[box] == form[box], box
    assert "typed before" in page
    for box, _said in re.findall(r'<a href="#([\w-]+)">([^<]+)', page.partition('id="error-summary"')[2])[:7]:
        assert f'id="{box}"' in page


def test_bells_and_holidays_are_pasted_as_people_write_them(
    trainer: Browser, database: Database, course: MadeCourse
) -> None:
    answer = trainer.post(PATH, **typed(trainer.get(PATH)), do="paste", paste=LIST)
    page = html.unescape(answer.get_data(as_text=True))
    assert "2 lines of what you pasted could not be read" in page and "rubbish" in page and "31/02/2026 no" in page
    form = typed(page)
    assert trainer.post(PATH, **form, do="keep").status_code == 303
    said = kept(database, course)
    short = (Period("1", 530, 570),)
    full = (*short, Period("2", 570, 610), Period("Small break", 650, 665, is_lesson=False))
    assert said and said.days == (full, full, full, full, short, (), ())
    assert said.holidays == (
        Holiday(date(2026, 10, 26), date(2026, 10, 30), "Mid-term"),
        Holiday(date(2027, 3, 17), date(2027, 3, 17), "St Patrick's Day"),
    )


def test_a_day_gets_bells_of_its_own_and_the_page_grows_as_it_is_filled(trainer: Browser) -> None:
    form = typed(trainer.get(PATH)) | {"same-3": "own", "first-1": "2026-10-26"}
    assert "from-3-0" not in form
    again = typed(trainer.post(PATH, **form, do="open").get_data(as_text=True))
    assert again["from-3-0"] == "08:50" and again["break-3-3"] == "1" and "first-3" in again
    assert again["first-1"] == "2026-10-26"


def test_a_school_has_a_week_of_its_own_copied_from_another_one(
    trainer: Browser, database: Database, course: MadeCourse, clock: Any
) -> None:
    first, second, foreign = in_schools(database, course, clock)
    at = f"{PATH}?school={first}"
    assert "This school has no week of its own" in trainer.get(at)
    form = typed(trainer.get(at)) | {"name-0-0": "Registration"}
    assert trainer.post(PATH, **form, do="keep").location.endswith(f"school={first}&told=kept")
    page = trainer.get(f"{PATH}?school={second}")
    assert "As A" in page and "has its own" in page and typed(page)["name-0-0"] == "1"
    page = trainer.post(PATH, **typed(page), do=f"start school {first}").get_data(as_text=True)
    assert typed(page)["name-0-0"] == "Registration" and kept(database, course, second) is None
    with database.read() as session:
        said = school_weeks.of_course(session, course.course_id)
        assert school_weeks.of_school(said, first).week.days[0][0].name == "Registration"
        assert school_weeks.of_school(said, second) == school_weeks.of_school(said, None)
    assert trainer.post("/school-week/forget", school=first).status_code == 303
    assert kept(database, course, first) is None
    assert trainer.status(f"{PATH}?school={foreign}") == 404
    assert trainer.post(PATH, **form | {"school": foreign}, do="keep").status_code == 404
    assert trainer.post(PATH, **form, do="start school x").status_code == 404


def test_of_two_trainers_the_second_is_told_and_loses_nothing(
    trainer: Browser, database: Database, course: MadeCourse
) -> None:
    form = typed(trainer.get(PATH))
    for was, name in (("0", "first"), ("1", "second")):
        assert trainer.post(PATH, **form | {"was": was, "name-0-0": name}, do="keep").status_code == 303
    late = trainer.post(PATH, **form | {"was": "1", "name-0-0": "late"}, do="keep")
    page = late.get_data(as_text=True)
    assert late.status_code == 409 and "Another trainer changed this" in page
    assert typed(page)["name-0-0"] == "late" and typed(page)["was"] == "2"
    assert trainer.post(PATH, **typed(page), do="keep").status_code == 303
    said = kept(database, course)
    assert said and said.days[0][0].name == "late"
    for was in ("", "x", "99999999999", "-1", "٣"):
        assert trainer.post(PATH, **form | {"was": was}, do="keep").status_code == 409


def test_only_trainers_of_the_course_have_it_and_it_costs_little(
    app: Flask, database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    for member in (course.teachers[0], course.guest, course.leader, course.administrator):
        other = Browser(app, database, clock, member, course.activity_id)
        assert other.status(PATH) == 404 and other.post(PATH, do="keep").status_code == 404
    with database.read() as session:
        assert session.scalars(select(SchoolWeek.id)).all() == []
    in_schools(database, course, clock)
    trainer.get(PATH)
    with recorded(database) as statements:
        trainer.get(PATH)
    assert len(statements) <= 12


def test_what_is_odd_in_a_paste_is_given_back() -> None:
    begin = week.typed(week.primary())
    for text, unread in (
        ("9:00", 1), ("9:00 10:00 11:00", 1), ("Tuesday lunch", 1), ("", 0), ("9:00-9:40\n" * 30, 0),
        ("1/1/2026 2/1/2026 3/1/2026", 1), ("²:00 - 9:40", 1), ("Sat 9:00-12:00", 0), ("x" * 30_000, 1),
    ):  # fmt: skip
        found, lines = week_forms.pasted(begin, text)
        assert len(lines) == unread, text
        assert set(found) <= set(week_forms.boxes()) and all(len(each) <= 100 for each in found.values())
