"""The page of a school, its test of the connection, and the charter, through the app."""

import json
from typing import Any

import pytest
from browsers import Browser, recorded
from conftest import Clock
from factories import MadeCourse, make_course, make_settings
from flask import Flask
from schools.conftest import CHARTER, Visitor, add_school, person_of
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.lms.advice import Need, where_to_find
from lti_tool.lti.http import CallFailed, Response
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform, School
from lti_tool.schools import service
from lti_tool.schools.models import Charter
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

UNSIGNED = "has not signed the charter yet"


@pytest.fixture
def people(app: Flask, database: Database, clock: Clock, made: MadeCourse) -> Any:
    """Opens the activity for a membership of `made`."""

    def arrive(membership: str) -> Browser:
        return Browser(app, database, clock, membership, made.activity_id)

    return arrive


def launched(database: Database, memberships: tuple[str, ...], now: Any) -> None:
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id.in_(memberships)).values(launched_at=now))


def set_platform(database: Database, made: MadeCourse, **values: Any) -> None:
    with database.write() as session:
        session.execute(update(Platform).where(Platform.id == made.platform_id).values(**values))


# The page.


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pending", "waits to be approved"),
        ("suspended", "The connection is paused"),
        ("active", "teachers can come in"),
    ],
)
def test_the_page_says_how_the_lms_is_connected(
    database: Database, clock: Clock, made: MadeCourse, visitor: Visitor, status: str, words: str
) -> None:
    launched(database, made.teachers[:1], clock())
    set_platform(database, made, status=status)
    page = visitor.get("/")
    assert words in page and "Connection with Moodle" in page
    assert ("Test the connection now" in page) == (status != "suspended")


def test_nothing_of_people_is_on_the_page(database: Database, clock: Clock, made: MadeCourse, visitor: Visitor) -> None:
    launched(database, made.teachers[:4], clock())
    few = visitor.get("/")
    launched(database, made.teachers[:6], clock())
    page = visitor.get("/")
    assert page == few, "who has opened it is not counted live"
    with database.read() as session:
        names = set(session.scalars(select(Person.name)))
        titles = {*session.scalars(select(Activity.title)), *session.scalars(select(Course.title))}
    assert names and titles
    assert not [text for text in names | titles if text in page]


def test_what_is_missing_comes_with_the_way_to_mend_it(
    database: Database, clock: Clock, made: MadeCourse, visitor: Visitor
) -> None:
    fresh = visitor.get("/")
    assert "Nobody has opened it yet" in fresh and "choose Activate" in fresh
    launched(database, made.teachers[:5], clock())
    page = visitor.get("/")
    assert "They arrive: partners know" in page
    assert "IMS LTI Names and Role Provisioning" in page, "no roster was offered"
    assert "IMS LTI Assignment and Grade Services" in page
    with database.write() as session:
        session.execute(update(Course).values(memberships_url="https://lms.example/m"))
        session.execute(update(Activity).values(line_items_url="https://lms.example/i"))
        session.execute(update(Person).values(name=""))
        session.add(Deployment(platform_id=made.platform_id, deployment_id="2", status="pending", created_at=clock()))
    mended = visitor.get("/")
    assert "They do not arrive" in mended and "Share launcher" in mended
    assert "It was not read to its end yet" in mended and "IMS LTI" not in mended
    assert "one more part of the LMS" in mended
    with database.write() as session:
        session.execute(update(Course).values(roster_read_at=clock()))
        session.execute(update(Person).where(Person.id == person_of(database, made.teachers[0]).id).values(name="N"))
    half = visitor.get("/")
    assert "It was last read on" in half and "They arrive for some people only" in half


@pytest.mark.parametrize(
    ("family", "menu"),
    [
        ("moodle", "Manage tools"),
        ("canvas", "Developer Keys"),
        ("BlackboardLearn", "LTI Tool Providers"),
        ("desire2learn", "Manage Extensibility"),
        ("sakai", "Administration Workspace"),
        ("", "Look at the tool in the administration of your LMS"),
        ("schoology", "Look at the tool in the administration of your LMS"),
    ],
)
def test_advice_names_the_menus_of_this_lms(
    app: Flask, database: Database, made: MadeCourse, visitor: Visitor, family: str, menu: str
) -> None:
    set_platform(database, made, family=family)
    assert menu in visitor.get("/")
    with app.test_request_context():
        assert len({where_to_find(family, need) for need in Need}) == len(Need)


def test_an_administrator_and_a_leader_come_from_the_lms(made: MadeCourse, people: Any) -> None:
    administrator, leader = people(made.administrator), people(made.leader)
    for browser, may_test in ((administrator, True), (leader, False)):
        assert f'{browser.at}/school"' in browser.get("/")
        page = browser.get("/school")
        assert "Connection with Moodle" in page and "Read and sign the charter" in page
        assert ("Test the connection now" in page) == may_test
        assert ("Last opened" in page) == may_test
    assert leader.post("/school/test").status_code == 404
    for membership in (made.trainer, made.guest, made.teachers[0]):
        browser = people(membership)
        assert f'{browser.at}/school"' not in browser.get("/")
        assert browser.status("/school") == browser.post("/school/test").status_code == 404


def test_pages_of_schools_take_few_statements(
    app: Flask, database: Database, clock: Clock, made: MadeCourse, visitor: Visitor, people: Any
) -> None:
    for number in range(40):
        add_school(database, made.platform_id, f"Scoil {number}", clock())
    administrator, teacher = people(made.administrator), people(made.teachers[0])
    for look, path in (
        (visitor, "/"),
        (visitor, "/charter"),
        (administrator, "/school"),
        (administrator, "/charter"),
        (teacher, "/charter"),
        (teacher, "/"),
        (teacher, "/you"),
    ):
        with recorded(database) as statements:
            look.get(path)
        assert len(statements) <= 12, path


# The test of the connection.


def test_the_test_says_step_by_step_what_works(
    app: Flask, database: Database, clock: Clock, made: MadeCourse, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_transaction: list[bool] = []

    def request(_method: str, url: str, **_options: Any) -> Response:
        in_transaction.append(database.engine.pool.checkedout() > 0)  # type: ignore[attr-defined]
        if url.endswith("/jwks"):
            return Response(200, {}, json.dumps({"keys": []}).encode())
        raise CallFailed("down")

    monkeypatch.setattr(app.extensions["meitheal"].lti.http, "request", request)
    launched(database, made.teachers[:1], clock())
    with database.write() as session:
        session.execute(update(Course).values(memberships_url="https://lms.example/m"))
    answer = visitor.post("/test")
    page = answer.text
    assert answer.status_code == 200 and "Something has to be mended" in page
    assert "None of them can be used to check a launch" in page
    assert "The LMS does not answer" in page
    assert "It could not be tried without the permission to ask" in page
    assert in_transaction and not any(in_transaction)
    assert "Niamh" not in page and "lms.example/m" not in page


def test_the_test_cannot_be_used_to_wear_out_an_lms(database: Database, clock: Clock, made: MadeCourse) -> None:
    limited = create_app(make_settings(limits={"enabled": True}), database=database, clock=clock)

    def down(*_arguments: Any, **_options: Any) -> Response:
        raise CallFailed("down")

    limited.extensions["meitheal"].lti.http.request = down
    visitor = Visitor(limited, database, made.platform_id, clock())
    administrator = Browser(limited, database, clock, made.administrator, made.activity_id)
    for send in (lambda: visitor.post("/test"), lambda: administrator.post("/school/test")):
        assert [send().status_code for _ in range(7)] == [200] * 6 + [429]
    assert visitor.client.get(visitor.at + "/").status_code == 200, "looking is not limited so soon"


# The charter.


def test_leadership_signs_and_teachers_see_name_position_date_and_minutes(
    database: Database, clock: Clock, made: MadeCourse, visitor: Visitor, people: Any
) -> None:
    teacher = people(made.teachers[0])
    banner = teacher.get("/")
    assert UNSIGNED in banner and f"{teacher.at}/charter" in banner
    assert "has not signed it yet" in teacher.get("/charter")
    signed = visitor.post("/charter", **CHARTER)
    assert signed.status_code == 303
    shown = visitor.client.get(signed.location).text
    day = clock().strftime("%B %Y")
    assert "Signed by Bríd Ní Cheallaigh, Principal, on" in shown and day in shown and "120 minutes" in shown
    home = teacher.get("/")
    assert UNSIGNED not in home
    assert "signed by Bríd Ní Cheallaigh, Principal," in home and "120 minutes for each cycle" in home
    assert "Signed by Bríd Ní Cheallaigh, Principal, on" in teacher.get("/charter")
    with database.read() as session:
        schools = session.execute(select(School.name, School.named_by)).all()
        assert [tuple(row) for row in schools] == [("Scoil Éanna", "charter")]


def test_the_charter_stands_on_the_welcome_too(app: Flask, database: Database, clock: Clock) -> None:
    made = make_course(database, now=clock(), welcomed=False)
    browser = Browser(app, database, clock, made.teachers[0], made.activity_id)
    assert "I have read this" in browser.get("/") and UNSIGNED in browser.get("/")


@pytest.mark.parametrize(
    ("changes", "box"),
    [
        ({"signed_by": " \0 "}, "#signed-by"),
        ({"signed_by": "B" * 201}, "#signed-by"),
        ({"position": ""}, "#position"),
        ({"minutes": "two hours"}, "#minutes"),
        ({"minutes": "9" * 400}, "#minutes"),
        ({"no_reporting": None}, "#no-reporting"),
        ({"time": None}, "#time"),
    ],
)
def test_a_charter_that_is_not_whole_is_not_signed_and_nothing_typed_is_lost(
    database: Database, visitor: Visitor, changes: dict[str, str | None], box: str
) -> None:
    form = {name: value for name, value in (CHARTER | changes).items() if value is not None}
    refused = visitor.post("/charter", **form)
    assert refused.status_code == 400 and f'href="{box}"' in refused.text
    for name, typed in CHARTER.items():
        if name in form and name not in changes and typed != "1":
            assert f'value="{typed}"' in refused.text
    assert refused.text.count(" checked>") == len({"no_reporting", "time"} & form.keys())
    with database.read() as session:
        assert session.scalars(select(Charter.id)).all() == []
        assert session.scalars(select(School.id)).all() == []


def test_what_a_signatory_types_is_shown_as_text(visitor: Visitor, made: MadeCourse, people: Any) -> None:
    visitor.post("/charter", **CHARTER | {"signed_by": "<b>Bríd</b>", "position": "{{ 7*7 }}"})
    page = people(made.teachers[0]).get("/charter")
    assert "&lt;b&gt;Bríd" in page and "{{ 7*7 }}" in page


def test_one_charter_is_signed_once_and_taken_back_with_both_dates_kept(
    database: Database, clock: Clock, made: MadeCourse, visitor: Visitor, people: Any
) -> None:
    teacher = people(made.teachers[0])
    first = visitor.post("/charter", **CHARTER)
    again = visitor.post("/charter", **CHARTER | {"signed_by": "Somebody Else"})
    assert (first.status_code, again.status_code) == (303, 303)
    assert "Bríd" in teacher.get("/charter") and "Else" not in teacher.get("/charter")
    before = visitor.get("/charter/take-back")
    assert "nothing opens to anybody" in before
    assert "Bríd" in teacher.get("/charter"), "reading what it means takes nothing back"
    clock.advance(60)
    assert visitor.post("/charter/take-back").status_code == 303
    assert visitor.post("/charter/take-back").status_code == 303, "a double click"
    assert visitor.client.get(visitor.at + "/charter/take-back").status_code == 404
    assert UNSIGNED in teacher.get("/") and "Bríd" not in teacher.get("/")
    assert visitor.post("/charter", **CHARTER | {"signed_by": "Eoin Foley", "minutes": "40"}).status_code == 303
    assert "Eoin Foley" in teacher.get("/") and "40 minutes" in teacher.get("/")
    with database.read() as session:
        kept = session.execute(select(Charter.signed_by, Charter.taken_back_at).order_by(Charter.signed_at)).all()
        assert [tuple(row) for row in kept] == [("Bríd Ní Cheallaigh", clock()), ("Eoin Foley", None)]
        assert len(session.scalars(select(School.id)).all()) == 1


def test_who_may_sign(made: MadeCourse, people: Any) -> None:
    for membership in (made.trainer, made.guest, made.teachers[0]):
        browser = people(membership)
        assert "Sign the charter" not in browser.get("/charter")
        assert browser.post("/charter", **CHARTER).status_code == 404
    administrator, leader = people(made.administrator), people(made.leader)
    assert leader.post("/charter", **CHARTER).status_code == 303
    assert administrator.post("/charter/take-back").status_code == 303
    assert administrator.post("/charter", **CHARTER).status_code == 303
    teacher = people(made.teachers[0])
    assert teacher.status("/charter/take-back") == teacher.post("/charter/take-back").status_code == 404
    assert "Bríd" in teacher.get("/charter")


def test_nobody_above_gets_anything_of_another_platform(
    app: Flask, database: Database, clock: Clock, made: MadeCourse, elsewhere: MadeCourse, people: Any
) -> None:
    theirs = add_school(database, elsewhere.platform_id, "Coláiste Bríde", clock())
    for membership in (made.administrator, made.leader):
        browser = people(membership)
        assert browser.status(f"/charter?school={theirs}") == 404
        assert browser.post("/charter", school=theirs, **CHARTER).status_code == 404
        assert browser.post("/charter/take-back", school=theirs).status_code == 404
        assert "Bríde" not in browser.get("/school") + browser.get("/charter") + browser.get("/you")


# Many schools on one platform.


@pytest.fixture
def three(database: Database, clock: Clock, made: MadeCourse) -> tuple[str, ...]:
    """Three schools of an operator's file; the first two teachers work in the first two of them."""
    names = ("Scoil Eoin", "Scoil Pól", "Scoil Áine")
    ids = tuple(add_school(database, made.platform_id, name, clock()) for name in names)
    with database.write() as session:
        for membership, school in zip(made.teachers, ids[:2], strict=False):
            person = select(Membership.person_id).where(Membership.id == membership).scalar_subquery()
            session.execute(update(Person).where(Person.id == person).values(school_id=school, school_said_by="file"))
    return ids


def test_each_school_of_a_platform_has_its_own_charter(
    made: MadeCourse, visitor: Visitor, people: Any, three: tuple[str, ...]
) -> None:
    page = visitor.get("/")
    assert "0 of 3 schools have signed it" in page and "Scoil Áine, not signed" in page
    assert "Choose a school above" in visitor.get("/charter")
    assert visitor.post("/charter", **CHARTER).status_code == 404, "for which school is not said"
    assert visitor.post("/charter", school=three[0], **CHARTER).status_code == 303
    assert "1 of 3 schools have signed it" in visitor.get("/")
    first, second, unknown = (people(teacher) for teacher in made.teachers[:3])
    assert "Bríd" in first.get("/") and UNSIGNED not in first.get("/")
    assert "Bríd" not in second.get("/") and UNSIGNED in second.get("/")
    home = unknown.get("/")
    assert "Bríd" not in home and UNSIGNED not in home, "no banner of a school that may be another's"
    assert "Say in which one you work" in unknown.get("/charter")
    assert second.status(f"/charter?school={three[0]}") == 404
    assert first.status(f"/charter?school={three[0]}") == 200


def test_a_leader_signs_for_their_own_school_only(made: MadeCourse, people: Any, three: tuple[str, ...]) -> None:
    leader = people(made.leader)
    assert "Say first in which one you work" in leader.get("/school")
    assert leader.post("/charter", **CHARTER).status_code == 404
    assert leader.post("/your-school", school=three[1]).status_code == 303
    assert leader.post("/charter", school=three[0], **CHARTER).status_code == 404
    page = leader.get("/school")
    assert "Scoil Eoin" not in page and "Read and sign the charter" in page
    assert leader.post("/charter", school=three[1], **CHARTER).status_code == 303
    administrator = people(made.administrator)
    assert administrator.post("/charter", school=three[0], **CHARTER).status_code == 303


def test_ones_own_word_is_chosen_from_the_list_and_nobody_overwrites_it(
    database: Database, made: MadeCourse, people: Any, three: tuple[str, ...]
) -> None:
    teacher = people(made.teachers[0])
    page = teacher.get("/you")
    assert "Scoil Áine" in page and 'name="school_name"' not in page
    assert teacher.post("/your-school", school=three[2]).status_code == 303
    me = person_of(database, made.teachers[0])
    assert (me.school_id, me.school_said_by) == (three[2], "person")
    with database.write() as session:
        assert not service.say_school(session, me.id, three[0], "file")
        assert not service.say_school(session, me.id, three[0], "group")
    assert person_of(database, made.teachers[0]).school_id == three[2]
    for wrong in ("0123456789abcdef", "\0", "x" * 5000):
        refused = teacher.post("/your-school", school=wrong)
        assert refused.status_code == (303 if wrong == "\0" else 400)
    refused = teacher.post("/your-school", school="", school_name="Scoil Nua")
    assert refused.status_code == 400 and "Choose your school from the list" in refused.text
    assert teacher.post("/your-school", school="").status_code == 303
    with database.write() as session:
        assert service.say_school(session, me.id, three[0], "group"), "once it is not said any more"


def test_a_name_is_typed_where_the_operator_named_none_and_changes_nobody_elses_banner(
    database: Database, made: MadeCourse, visitor: Visitor, people: Any
) -> None:
    one, other = people(made.teachers[0]), people(made.teachers[1])
    assert 'name="school_name"' in one.get("/you")
    assert one.post("/your-school", school_name="  Scoil  Eoinn ").status_code == 303
    assert UNSIGNED in other.get("/"), "what one types is not the school of all"
    assert one.post("/your-school", school_name="Scoil Eoin").status_code == 303
    assert other.post("/your-school", school_name="SCOIL EOIN").status_code == 303
    with database.read() as session:
        assert session.scalars(select(School.name)).all() == ["Scoil Eoin"], "the slip is gone, the same is the same"
    long = one.post("/your-school", school_name="S" * 201)
    assert long.status_code == 400 and "S" * 201 in long.text
    assert "0 of 2 schools have signed it" in visitor.get("/"), "that one, and the LMS as a whole"
    assert visitor.post("/charter", school="", **CHARTER).status_code == 303
    assert "Bríd" not in one.get("/") and "Bríd" in people(made.teachers[2]).get("/")


def test_a_school_of_another_platform_cannot_be_chosen(
    database: Database, clock: Clock, made: MadeCourse, elsewhere: MadeCourse, people: Any
) -> None:
    theirs = add_school(database, elsewhere.platform_id, "Coláiste Bríde", clock())
    assert people(made.teachers[0]).post("/your-school", school=theirs).status_code == 400
    assert person_of(database, made.teachers[0]).school_id is None
