"""Finding a partner through the app; and that nobody can see that somebody declined."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from browsers import Browser, recorded
from factories import MadeCourse, make_course, sign_in
from flask import Flask
from sqlalchemy import select, update

from lti_tool.pairing import service
from lti_tool.pairing.models import Invitation, Pair
from lti_tool.pairing.rules import OPEN_FOR
from lti_tool.people.models import Membership, Person
from lti_tool.store.database import Database


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=5, now=clock.now)


@pytest.fixture
def browsers(app: Flask, database: Database, clock: Any, course: MadeCourse) -> list[Browser]:
    return [Browser(app, database, clock, teacher, course.activity_id) for teacher in course.teachers]


def invitation_id(database: Database, host: str, coach: str) -> str:
    with database.read() as session:
        return (
            session.scalars(
                select(Invitation.id)
                .where(Invitation.host_id == host, Invitation.coach_id == coach)
                .order_by(Invitation.created_at.desc(), Invitation.status.desc())
            ).first()
            or ""
        )


def test_from_the_list_to_a_pair(database: Database, course: MadeCourse, browsers: list[Browser]) -> None:
    niamh, sean = browsers[:2]
    assert "Invite Seán" in niamh.get("/partner")
    confirm = niamh.get(f"/partner/{course.teachers[1]}")
    assert "Niamh Ní Bhriain invites you" in confirm
    assert niamh.post(f"/partner/{course.teachers[1]}").status_code == 303
    assert "waits for an answer" in niamh.get("/")
    assert "Niamh Ní Bhriain invites you" in sean.get("/")
    answer = sean.post(f"/invitations/{invitation_id(database, course.teachers[0], course.teachers[1])}/accept")
    assert answer.status_code == 303 and answer.location.endswith("/")
    with database.read() as session:
        assert session.scalars(select(Pair.status)).all() == ["active"]


def test_search_finds_names_without_their_accents(browsers: list[Browser]) -> None:
    page = browsers[0].get("/partner?q=sean")
    assert "Invite Seán" in page and "Invite Gráinne" not in page
    nobody = browsers[0].get("/partner?q=xyzzy")
    assert "Nobody here has a name like that" in nobody and "Show all colleagues" in nobody


def test_a_course_without_other_teachers_says_what_to_do(app: Flask, database: Database, clock: Any) -> None:
    alone = make_course(database, teachers=1, now=clock.now)
    page = Browser(app, database, clock, alone.teachers[0], alone.activity_id).get("/partner")
    assert "Ask a colleague to open this activity once" in page


def test_the_list_is_paged_and_names_are_text(
    app: Flask, database: Database, clock: Any, course: MadeCourse, browsers: list[Browser]
) -> None:
    with database.write() as session:
        person = session.scalars(select(Membership.person_id).where(Membership.id == course.teachers[1])).one()
        session.execute(update(Person).where(Person.id == person).values(name="<b>Seán</b>"))
    assert "&lt;b&gt;Seán&lt;/b&gt;" in browsers[0].get("/partner")
    many = make_course(database, teachers=65, now=clock.now)
    browser = Browser(app, database, clock, many.teachers[0], many.activity_id)
    pages = [browser.get(f"/partner?page={page}") for page in (1, 2, 3)]
    assert [page.count("/partner/") for page in pages] == [30, 30, 4]
    assert browser.get("/partner?page=99") == browser.get("/partner?page=3")
    assert browser.get("/partner?page=-1&q=") == browser.get("/partner?page=x")


# Silence


def everything_the_host_sees(
    database: Database, clock: Any, host: Browser, colleagues: tuple[str, ...]
) -> list[object]:
    """Every page of the host, byte for byte, and the SQL statements behind each."""
    seen: list[object] = []
    pages = ["/", "/partner", "/partner?q=sean", "/partner?told=invited", "/about", "/you", "/pair", "/progress"]
    pages += [f"/partner/{colleague}" for colleague in colleagues]
    # Tokens against forged forms carry the second they were made in; the frozen clock makes whole pages comparable.
    with time_machine.travel(clock.now, tick=False):
        for path in pages:
            with recorded(database) as statements:
                answer = host.client.get(host.at + path)
            body = answer.data if answer.status_code < 400 else b""  # an error page has its own reference number
            seen.append((path, answer.status_code, body, answer.headers.get("Location"), statements))
    return seen


def test_the_inviter_cannot_see_whether_somebody_declined(
    database: Database, course: MadeCourse, clock: Any, browsers: list[Browser]
) -> None:
    host = browsers[0]
    for coach in (1, 2):
        host.post(f"/partner/{course.teachers[coach]}")
    declined = invitation_id(database, course.teachers[0], course.teachers[1])
    others = course.teachers[1:]
    begin = clock.now
    for days in (0, 7, 13.99, 14, 20, 28):
        clock.now = begin + timedelta(days=days)
        host.at = sign_in(database, host.client, host.membership, course.activity_id, clock.now)
        seen = []
        for status in ("open", "declined") if days < OPEN_FOR.days else ("open", "declined", "lapsed"):
            answered_at = clock.now if status == "declined" else None
            with database.write() as session:
                session.execute(
                    update(Invitation).where(Invitation.id == declined).values(status=status, answered_at=answered_at)
                )
            seen.append(everything_the_host_sees(database, clock, host, others))
        assert all(each == seen[0] for each in seen)
        assert [status for _, status, *_ in seen[0]][:2] == [200, 200]


@pytest.mark.parametrize("declines", [False, True])
def test_what_the_inviter_does_next_goes_the_same_way(
    database: Database, course: MadeCourse, clock: Any, browsers: list[Browser], declines: bool
) -> None:
    host, coach = browsers[:2]
    host.post(f"/partner/{coach.membership}")
    invitation = invitation_id(database, host.membership, coach.membership)
    if declines:
        answer = coach.post(f"/invitations/{invitation}/decline")
        assert answer.status_code == 303
        assert "invites you" not in coach.get("/partner")
    assert host.post(f"/partner/{coach.membership}").status_code == 303, "asking again"
    assert host.get("/partner").count("waits for an answer, until") == 1
    for other in (2, 3):
        assert host.post(f"/partner/{course.teachers[other]}").status_code == 303
    assert host.post(f"/partner/{course.teachers[4]}").status_code == 409, "a declined one counts like a waiting one"
    assert host.post(f"/invitations/{invitation}/withdraw").location.endswith("told=withdrawn")
    assert "Seán Ó Dónaill</strong>" not in host.get("/partner")
    assert host.post(f"/partner/{coach.membership}").status_code == 303
    assert "Niamh Ní Bhriain invites you" in coach.get("/partner")


@pytest.mark.parametrize("declines", [False, True])
def test_an_invitation_back_tells_nothing(
    database: Database, course: MadeCourse, browsers: list[Browser], declines: bool
) -> None:
    """If one could invite back only after declining, an invitation back would say that one had declined."""
    host, coach = browsers[:2]
    host.post(f"/partner/{coach.membership}")
    if declines:
        coach.post(f"/invitations/{invitation_id(database, host.membership, coach.membership)}/decline")
    assert coach.post(f"/partner/{host.membership}").status_code == 303
    page = host.get("/partner")
    assert "Seán Ó Dónaill invites you" in page and "waits for an answer, until" in page


def test_the_list_is_the_same_whoever_is_paired(
    database: Database, course: MadeCourse, clock: Any, browsers: list[Browser]
) -> None:
    looks_on = browsers[0]
    with time_machine.travel(clock.now, tick=False):
        before = looks_on.get("/partner")
        browsers[1].post(f"/partner/{course.teachers[2]}")
        browsers[2].post(f"/invitations/{invitation_id(database, course.teachers[1], course.teachers[2])}/accept")
        assert looks_on.get("/partner") == before
        for paired in (1, 2):
            assert "Send the invitation" in looks_on.get(f"/partner/{course.teachers[paired]}")


# Doors that stay closed


def test_an_invitation_is_for_two_people_only(
    app: Flask, database: Database, clock: Any, course: MadeCourse, browsers: list[Browser]
) -> None:
    host, coach, third = browsers[:3]
    host.post(f"/partner/{coach.membership}")
    invitation = invitation_id(database, host.membership, coach.membership)
    others = [third] + [
        Browser(app, database, clock, member, course.activity_id)
        for member in (course.trainer, course.guest, course.leader, course.administrator)
    ]
    foreign = make_course(database, now=clock.now)
    others.append(Browser(app, database, clock, foreign.teachers[0], foreign.activity_id))
    for other in others:
        for what in ("accept", "decline", "withdraw"):
            assert other.post(f"/invitations/{invitation}/{what}").status_code == 404
    assert host.post(f"/invitations/{invitation}/accept").status_code == 404
    assert host.post(f"/invitations/{invitation}/decline").status_code == 404
    assert coach.post(f"/invitations/{invitation}/withdraw").status_code == 404
    assert coach.post("/invitations/no-such-one/accept").status_code == 404
    with database.read() as session:
        assert session.scalars(select(Invitation.status)).all() == ["open"]


@pytest.mark.parametrize("who", ["trainer", "guest", "leader", "administrator"])
def test_only_teachers_look_for_partners(
    app: Flask, database: Database, clock: Any, course: MadeCourse, who: str
) -> None:
    browser = Browser(app, database, clock, getattr(course, who), course.activity_id)
    for path in ("/partner", f"/partner/{course.teachers[0]}", "/pair"):
        assert browser.status(path) == 404
    for path in (f"/partner/{course.teachers[0]}", "/pair/pause", "/pair/resume", "/pair/end"):
        assert browser.post(path).status_code == 404


def test_nothing_happens_in_an_activity_that_is_not_open(app: Flask, database: Database, clock: Any) -> None:
    fresh = make_course(database, status="new", now=clock.now)
    browser = Browser(app, database, clock, fresh.teachers[0], fresh.activity_id)
    assert browser.status("/partner") == 404
    assert browser.post(f"/partner/{fresh.teachers[1]}").status_code == 404


def test_a_person_of_another_course_is_not_there(
    database: Database, clock: Any, course: MadeCourse, browsers: list[Browser]
) -> None:
    foreign = make_course(database, now=clock.now).teachers[0]
    for nobody in (foreign, "no-such-member", course.trainer, course.leader, browsers[0].membership):
        assert browsers[0].status(f"/partner/{nobody}") == 404
        assert browsers[0].post(f"/partner/{nobody}").status_code == 404


def test_who_has_not_read_the_welcome_reads_it_first(app: Flask, database: Database, clock: Any) -> None:
    made = make_course(database, welcomed=False, now=clock.now)
    browser = Browser(app, database, clock, made.teachers[0], made.activity_id)
    for path in ("/partner", f"/partner/{made.teachers[1]}", "/pair"):
        answer = browser.client.get(browser.at + path)
        assert answer.status_code == 303 and answer.location == f"{browser.at}/"
    assert browser.post(f"/partner/{made.teachers[1]}").location == f"{browser.at}/"
    with database.read() as session:
        assert not session.scalars(select(Invitation.id)).all()


def test_pages_work_where_the_lms_gives_no_names(
    database: Database, course: MadeCourse, browsers: list[Browser]
) -> None:
    with database.write() as session:
        session.execute(update(Person).values(name="", given_name="", family_name=""))
    assert "A colleague whose name the LMS does not give" in browsers[0].get("/partner")
    host, coach = paired(database, browsers)
    assert "your partner" in host.get("/") and "your partner" in coach.get("/pair")


# Late answers, pauses and changes


def test_a_yes_that_comes_too_late_says_so(database: Database, course: MadeCourse, browsers: list[Browser]) -> None:
    host, coach = browsers[:2]
    host.post(f"/partner/{coach.membership}")
    invitation = invitation_id(database, host.membership, coach.membership)
    host.post(f"/invitations/{invitation}/withdraw")
    answer = coach.post(f"/invitations/{invitation}/accept")
    assert answer.status_code == 409
    assert "no longer open" in answer.get_data(as_text=True)
    assert host.post(f"/invitations/{invitation}/withdraw").status_code == 303, "twice is once"


def paired(database: Database, browsers: list[Browser]) -> tuple[Browser, Browser]:
    host, coach = browsers[:2]
    host.post(f"/partner/{coach.membership}")
    coach.post(f"/invitations/{invitation_id(database, host.membership, coach.membership)}/accept")
    return host, coach


def test_a_pair_can_pause_go_on_and_part(database: Database, course: MadeCourse, browsers: list[Browser]) -> None:
    host, coach = paired(database, browsers)
    assert "Pause for now" in coach.get("/pair")
    assert coach.post("/pair/pause").status_code == 303
    assert "Go on with Niamh" in coach.get("/")
    page = host.get("/")
    assert "Seán has paused" in page and "Go on with" not in page
    assert coach.post("/pair/resume").status_code == 303
    assert host.post("/pair/end").status_code == 303
    assert "Find a partner" in coach.get("/")
    for late in ("pause", "resume", "end"):
        assert coach.post(f"/pair/{late}").status_code == 303, "the other was quicker; nothing is left to do"


def test_in_a_pair_an_invitation_explains_itself(
    database: Database, course: MadeCourse, browsers: list[Browser]
) -> None:
    paired(database, browsers)
    third = browsers[2]
    third.post(f"/partner/{browsers[1].membership}")
    page = browsers[1].get("/partner")
    assert "Gráinne Byrne invites you" in page and "You coach with Niamh now" in page
    assert "Yes, coach together" not in page and "No, thank you" in page
    answer = browsers[1].post(
        f"/invitations/{invitation_id(database, third.membership, browsers[1].membership)}/accept"
    )
    assert answer.status_code == 409
    assert "waits for an answer" in third.get("/partner")


def test_pages_cost_the_same_with_many_colleagues(app: Flask, database: Database, clock: Any) -> None:
    counts = []
    for teachers in (30, 300):
        made = make_course(database, teachers=teachers, now=clock.now)
        browser = Browser(app, database, clock, made.teachers[0], made.activity_id)
        with database.write() as session:
            for coach in made.teachers[1:4]:
                service.invite(
                    session,
                    host_id=made.teachers[0],
                    coach_id=coach,
                    course_id=made.course_id,
                    activity_id=made.activity_id,
                    now=clock.now,
                )
        with recorded(database) as statements:
            browser.get("/partner")
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 12


def test_what_was_accepted_a_moment_ago_is_not_said_to_be_taken_back(
    database: Database, course: MadeCourse, browsers: list[Browser]
) -> None:
    niamh, sean = browsers[:2]
    niamh.post(f"/partner/{course.teachers[1]}")
    invitation = invitation_id(database, course.teachers[0], course.teachers[1])
    sean.post(f"/invitations/{invitation}/accept")
    answer = niamh.post(f"/invitations/{invitation}/withdraw")
    assert answer.status_code == 303
    assert answer.location == f"{niamh.at}/"


@pytest.mark.parametrize("button", ["end", "pause"])
def test_a_page_of_an_earlier_pair_does_not_touch_the_present_one(
    database: Database, course: MadeCourse, browsers: list[Browser], button: str
) -> None:
    niamh, sean, grainne = browsers[:3]

    def become_a_pair(host: Browser, coach: Browser) -> None:
        host.post(f"/partner/{coach.membership}")
        coach.post(f"/invitations/{invitation_id(database, host.membership, coach.membership)}/accept")

    become_a_pair(niamh, sean)
    form = re.search(rf'action="[^"]*/pair/{button}".*?</form>', niamh.get("/pair"), re.S)
    assert form
    named = re.search(r'name="pair" value="([^"]+)"', form.group(0))
    assert named
    sean.post("/pair/end")
    become_a_pair(grainne, niamh)
    answer = niamh.post(f"/pair/{button}", pair=named.group(1))
    assert answer.status_code == 303 and answer.location == f"{niamh.at}/"
    with database.read() as session:
        assert sorted(session.scalars(select(Pair.status))) == ["active", "ended"]


def test_who_pauses_finds_the_way_back_beside_an_invitation(
    database: Database, course: MadeCourse, browsers: list[Browser]
) -> None:
    niamh, sean, grainne = browsers[:3]
    niamh.post(f"/partner/{course.teachers[1]}")
    sean.post(f"/invitations/{invitation_id(database, course.teachers[0], course.teachers[1])}/accept")
    sean.post("/pair/pause")
    grainne.post(f"/partner/{course.teachers[1]}")
    assert "Gráinne Byrne invites you" in sean.get("/")
    assert f'href="{sean.at}/pair"' in sean.get("/")
