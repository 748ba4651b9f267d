"""The trainer's pages of a round through the app: where it stands, the review, and what is asked of the teachers."""

import html
from typing import Any

import pytest
from browsers import Browser, recorded
from flask import Flask
from rounds.proposed import keyring_of
from rounds.rounds_school import MadeRound, make_round, make_run
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.people.models import Membership
from lti_tool.rounds import wishes
from lti_tool.rounds.models import Proposal, RoundLeft, RoundRun
from lti_tool.rounds.rules import Wish
from lti_tool.store.database import Database


@pytest.fixture
def made(database: Database, clock: Any) -> MadeRound:
    return make_round(database, clock.now)


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, made: MadeRound) -> Browser:
    return Browser(app, database, clock, made.course.trainer, made.activity_id)


def read(browser: Browser, path: str) -> str:
    return html.unescape(browser.get(path))


@pytest.mark.parametrize("who", ["guest", "leader", "administrator", "teacher"])
def test_the_pages_are_for_the_trainer(
    app: Flask, database: Database, clock: Any, made: MadeRound, trainer: Browser, who: str
) -> None:
    run = make_run(database, made.activity_id, clock.now, [made.teachers[:2]], left=[(made.teachers[2], "")])
    member = made.teachers[0] if who == "teacher" else getattr(made.course, who)
    browser = Browser(app, database, clock, member, made.activity_id)
    assert trainer.status(f"/round/runs/{run}/publish") == 200
    for path in ("/round", f"/round/runs/{run}", f"/round/runs/{run}/state", f"/round/runs/{run}/publish"):
        assert browser.status(path) == 404
    for path in ("/round/calculate", f"/round/runs/{run}/drop", f"/round/runs/{run}/publish"):
        assert browser.post(path).status_code == 404


def test_a_run_of_another_round_is_not_there(database: Database, clock: Any, trainer: Browser) -> None:
    other = make_round(database, clock.now)
    run = make_run(database, other.activity_id, clock.now, [other.teachers[:2]])
    assert trainer.status(f"/round/runs/{run}") == 404 == trainer.post(f"/round/runs/{run}/drop").status_code


def test_before_anything_is_calculated_the_aims_are_said(trainer: Browser) -> None:
    page = read(trainer, "/round")
    assert "Nothing is calculated yet" in page
    aims = [page.index(aim) for aim in ("As few teachers", "fits least", "taken together", "somebody new", "a draw")]
    assert aims == sorted(aims)
    assert "Calculate the pairs" in page


def test_what_needs_a_look_comes_first_and_names_are_found(
    database: Database, clock: Any, made: MadeRound, trainer: Browser
) -> None:
    niamh, sean, grainne, oisin, aoife, _ = made.teachers
    run = make_run(
        database, made.activity_id, clock.now, [(niamh, aoife), (oisin, grainne)], left=[(sean, "triad")], again=[1]
    )
    page = read(trainer, f"/round/runs/{run}")
    order = [page.index(name) for name in ("Seán Ó Dónaill", "Gráinne Byrne", "Aoife Walsh")]
    assert order == sorted(order)
    assert page.count(">have met before<") == 1
    found = read(trainer, f"/round/runs/{run}?q=grainne")
    assert "Gráinne Byrne" in found and "Oisín" in found and "Niamh" not in found and "Seán" not in found
    assert "Nobody here has a name like that" in read(trainer, f"/round/runs/{run}?q=nobody")


def test_after_the_teachers_are_asked_only_asked_and_paired_are_told(
    database: Database, clock: Any, made: MadeRound, trainer: Browser
) -> None:
    run = make_run(database, made.activity_id, clock.now, [made.teachers[:2], made.teachers[2:4]], status="out")
    with database.write() as session:
        first = session.scalars(select(Proposal.id).where(Proposal.run_id == run)).first()
        session.execute(update(Proposal).where(Proposal.id == first).values(status="paired"))
    page = read(trainer, f"/round/runs/{run}")
    assert page.count(">asked<") == 1 and page.count(">paired<") == 1 and "1 of 2 are paired." in page
    assert "/people/" not in page, "nobody is moved any more"
    start = read(trainer, "/round")
    assert "Calculate again for those without a partner" in start
    # A count that goes down would tell of a silent pause.
    assert "had said that they would like a partner" not in start
    clock.advance(15 * 86400)
    trainer = Browser(trainer.client.application, database, clock, made.course.trainer, made.activity_id)
    page = read(trainer, f"/round/runs/{run}")
    assert page.count(">lapsed<") == 1 and page.count(">paired<") == 1 and ">asked<" not in page


def test_a_result_is_put_away(database: Database, clock: Any, made: MadeRound, trainer: Browser) -> None:
    run = make_run(database, made.activity_id, clock.now, [made.teachers[:2]], left=[(made.teachers[2], "")])
    assert trainer.post(f"/round/runs/{run}/drop").location.endswith("/round?told=dropped")
    start = read(trainer, "/round")
    assert "The last result was put away" in start
    assert "fewer than five teachers had said that they would like a partner" in start
    with database.read() as session:
        assert not session.scalars(select(Proposal.id)).all() and not session.scalars(select(RoundLeft.run_id)).all()
    for path in ("drop", "publish"):
        assert trainer.post(f"/round/runs/{run}/{path}").status_code == 409


def test_asking_says_whom_until_when_and_is_done_once(
    database: Database, clock: Any, made: MadeRound, trainer: Browser
) -> None:
    run = make_run(database, made.activity_id, clock.now, [made.teachers[:3], made.teachers[3:5]])
    page = read(trainer, f"/round/runs/{run}/publish")
    assert "1 pair and 1 of three. 5 teachers will be asked" in page and "No message is sent" in page
    assert trainer.post(f"/round/runs/{run}/publish").location.endswith(f"/round/runs/{run}?told=published")
    assert read(trainer, f"/round/runs/{run}").count(">asked<") == 2
    assert trainer.post(f"/round/runs/{run}/publish").status_code == 303, "a second tap"
    assert "The teachers are asked" in read(trainer, "/round")


def test_a_result_with_nobody_in_it_is_only_put_away(
    database: Database, clock: Any, made: MadeRound, trainer: Browser
) -> None:
    make_run(database, made.activity_id, clock.now, [made.teachers[:2]], status="out")
    run = make_run(database, made.activity_id, clock.now, number=2)
    page = read(trainer, f"/round/runs/{run}")
    assert "Nobody could be brought together" in page and "/publish" not in page and "Choose a name" not in page
    assert trainer.status(f"/round/runs/{run}/publish") == trainer.post(f"/round/runs/{run}/publish").status_code == 409
    assert trainer.post(f"/round/runs/{run}/drop").status_code == 303
    page = read(trainer, "/round")
    assert "The teachers are asked" in page, "and not that something was put away"
    assert page.index("Look at the pairs") < page.index("Calculate again")


def test_in_a_closed_round_nothing_new_begins(
    database: Database, clock: Any, made: MadeRound, trainer: Browser
) -> None:
    run = make_run(database, made.activity_id, clock.now, [made.teachers[:2]])
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == made.activity_id).values(status="archived"))
    for path in ("/round/calculate", f"/round/runs/{run}/publish"):
        assert trainer.post(path).status_code == 409
    assert "Calculate" not in read(trainer, "/round").replace("What the calculation aims at", "")


@pytest.mark.parametrize("status", ["waiting", "working", "stopped", "failed"])
def test_a_calculation_is_followed_without_javascript(
    database: Database, clock: Any, made: MadeRound, trainer: Browser, status: str
) -> None:
    run = make_run(database, made.activity_id, clock.now, status=status, done=420, doing="total")
    page = read(trainer, f"/round/runs/{run}")
    goes_on = status in ("waiting", "working")
    assert ("stops at its next step." in read(trainer, f"/round/runs/{run}?told=stopping")) == goes_on
    assert ('http-equiv="refresh"' in page) == ('value="420"' in page) == ("Stop the calculation" in page) == goes_on
    state = trainer.client.get(f"{trainer.at}/round/runs/{run}/state").get_json()
    assert state["going"] == goes_on and state["done"] == 420


def test_the_pages_cost_the_same_with_thirty_and_with_a_thousand_people(
    app: Flask, database: Database, clock: Any
) -> None:
    seen = []
    for people in (30, 1000):
        made = make_round(database, clock.now, teachers=people)
        groups = [made.teachers[place : place + 2] for place in range(0, people - 2, 2)]
        run = make_run(
            database,
            made.activity_id,
            clock.now,
            groups,
            left=[(each, "") for each in made.teachers[people - 2 :]],
            again=[3, 4],
        )
        browser = Browser(app, database, clock, made.course.trainer, made.activity_id)
        costs = []
        for path in (
            "/round",
            f"/round/runs/{run}",
            f"/round/runs/{run}?q=teacher&page=2",
            f"/round/runs/{run}/publish",
        ):
            browser.get(path)
            with recorded(database) as statements:
                page = browser.get(path)
            assert len(page) < 60_000
            costs.append(len(statements))
        seen.append(costs)
    assert seen[0] == seen[1] and max(seen[0]) <= 12


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=-3", "?page=x", "?page=99999999999999999999", "?q=%00", "?q=" + "x" * 5000]
)
def test_odd_questions_are_answered(
    database: Database, clock: Any, made: MadeRound, trainer: Browser, query: str
) -> None:
    run = make_run(database, made.activity_id, clock.now, [made.teachers[:2]])
    assert trainer.status(f"/round/runs/{run}{query}") == 200


def test_who_left_the_course_or_was_erased_is_no_error(
    database: Database, clock: Any, made: MadeRound, trainer: Browser
) -> None:
    run = make_run(database, made.activity_id, clock.now, [made.teachers[:2]], left=[(made.teachers[2], "x")])
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == made.teachers[0]).values(is_active=False))
        session.execute(update(RoundRun).values(summary={}))
    assert trainer.status(f"/round/runs/{run}") == 200


def test_who_watches_the_round_sees_no_yes_come_or_go(
    database: Database, clock: Any, made: MadeRound, trainer: Browser
) -> None:
    def seen() -> list[str]:
        return [line for line in read(trainer, "/round").splitlines() if "csrf_token" not in line]

    before = seen()
    with database.write() as session:
        for teacher in made.teachers:
            wishes.say(session, keyring_of(database), teacher, made.activity_id, Wish(is_in=True), clock())
    assert seen() == before
