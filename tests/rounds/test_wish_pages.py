"""The page on which a teacher says what they would like of a round, and the one of those they would rather not meet."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from browsers import Browser, recorded
from flask import Flask
from flask_babel import force_locale, get_locale  # type: ignore[attr-defined]
from rounds.proposed import keyring_of
from rounds.rounds_school import MadeRound, make_round
from sqlalchemy import update

from lti_tool.activities.models import Activity
from lti_tool.cycles import going_on
from lti_tool.people.models import Person
from lti_tool.rounds import answer_words, setting, wish_words, wishes
from lti_tool.rounds.rules import Settings, Why, Wish
from lti_tool.store.database import Database

PATH, LIST = "/round/wishes", "/round/wishes/not-with"
ALL = {
    "whole": "1", "want": ["questions", "waiting"], "offer": ["groups", "no such topic"], "focus": "waiting",
    "language": ["ga", "xx"], "subject": "  Maths\r\n ", "year": "Second", "at-0-0": "free", "at-4-8": "teach",
    "at-9-9": "free", "at-0-1": "\0", "step": "data", "same_step": "1", "other_school": "1",
}  # fmt: skip
SAID = Wish(
    wants=("questions", "waiting"), offers=("groups",), focus="waiting", languages=("ga",), subject="Maths",
    level="Second", free=("0-0",), teaching=("4-8",), same_step=True,
)  # fmt: skip


@pytest.fixture
def made(database: Database, clock: Any) -> MadeRound:
    return make_round(database, clock.now, teachers=6)


@pytest.fixture
def browser(app: Flask, database: Database, clock: Any, made: MadeRound) -> Browser:
    return Browser(app, database, clock, made.teachers[0], made.activity_id)


@pytest.fixture
def mine(database: Database, clock: Any, made: MadeRound) -> Callable[[], Wish]:
    def read() -> Wish:
        with database.read() as session:
            return wishes.mine(session, keyring_of(database), made.teachers[0], made.activity_id, clock())

    return read


def send(browser: Browser, path: str = PATH, **form: Any) -> Any:
    return browser.client.post(browser.at + path, data={"csrf_token": browser.token} | form)


def test_one_tap_is_enough_and_another_one_takes_it_back(browser: Browser, mine: Callable[[], Wish]) -> None:
    assert "Would you like a partner in this round?" in browser.get(PATH)
    assert send(browser, do="yes").location.endswith("/round/wishes?told=yes")
    assert mine() == Wish(is_in=True) and "looked for on your behalf" in browser.get(PATH)
    send(browser, do="yes", **ALL)
    assert send(browser, do="no").location.endswith("?told=no")
    assert mine() == SAID, "without the form nothing else changes"


def test_all_that_is_said_comes_back(browser: Browser, mine: Callable[[], Wish], database: Database, made: Any) -> None:
    assert send(browser, do="keep", **ALL).status_code == 303
    assert mine() == SAID, "another school is not asked for here"
    page = browser.get(PATH)
    ticked = re.findall(r'name="([\w-]+)"[^>]*value="([^"]*)"[^>]* checked', page)
    assert {
        ("want", "questions"),
        ("want", "waiting"),
        ("offer", "groups"),
        ("language", "ga"),
        ("at-0-0", "free"),
    } <= {*ticked}
    assert {("at-4-8", "teach"), ("at-1-1", ""), ("step", "data"), ("same_step", "1")} <= {*ticked}
    assert 'value="Maths"' in page and re.search(r'value="waiting" selected', page)
    with database.write() as session:
        setting.keep(session, made.activity_id, Settings(between_schools=True, periods=("08:50",)))
        assert going_on.step_wish(session, made.teachers[0], made.activity_id) == "data"
    assert mine().teaching == () and "08:50" in browser.get(PATH)
    send(browser, do="keep", **ALL | {"at-1-0": "teach", "step": ""})
    assert mine().other_school
    with database.read() as session:
        assert going_on.step_wish(session, made.teachers[0], made.activity_id) == ""


def test_an_error_loses_nothing_and_a_no_is_kept_all_the_same(browser: Browser, mine: Callable[[], Wish]) -> None:
    send(browser, do="yes")
    keys = list(re.findall(r'name="want" value="(\w+)"', browser.get(PATH)))[:6]
    typed = ALL | {"want": keys, "subject": "x" * 61, "at-4-8": "", "step": "look"}
    for do, is_in in (("keep", True), ("no", False)):
        answer = send(browser, do=do, **typed)
        page = html.unescape(answer.get_data(as_text=True))
        assert answer.status_code == 400 and mine() == Wish(is_in=is_in)
        for sentence in (
            "Choose up to 5 topics that you",
            "Say your subject in up to 60",
            "leave the whole week empty",
        ):
            assert sentence in page
        assert len(re.findall(r'name="want"[^>]* checked', page)) == 6 and "x" * 61 in page
        assert re.search(r'id="step-look"[^>]* checked', page) and 'value="Second"' in page


def test_buttons_of_the_week_fill_it_without_a_script_and_keep_what_is_typed(
    browser: Browser, mine: Callable[[], Wish]
) -> None:
    page = send(browser, do="fill teach", **ALL).get_data(as_text=True)
    assert len(re.findall(r'name="at-[^>]*value="teach"[^>]* checked', page)) == 45
    assert 'value="Second"' in page and re.search(r'id="step-data"[^>]* checked', page)
    page = send(browser, do="fill day 0", **ALL | {f"at-0-{each}": "teach" for each in range(9)}).get_data(as_text=True)
    assert len(re.findall(r'name="at-0-[^>]*value="free"[^>]* checked', page)) == 9
    assert mine() == Wish(), "it is kept by the buttons that say so"


def test_colleagues_are_named_searched_and_taken_off_and_nothing_of_it_stands_in_an_address(
    browser: Browser, mine: Callable[[], Wish], made: MadeRound
) -> None:
    assert send(browser, do="not_with", **ALL).location.endswith(LIST)
    assert mine() == SAID, "what was typed is kept on the way"
    found = send(browser, LIST, q="sean").get_data(as_text=True)
    assert "Seán Ó Dónaill" in found and "Gráinne" not in found
    assert "Nobody here has a name like that" in send(browser, LIST, q="zz").get_data(as_text=True)
    for teacher in made.teachers[1:4]:
        assert send(browser, LIST, add=teacher).location.endswith("/round/wishes?told=kept#not-with")
    # On a page that was opened before the list was full.
    too_many = send(browser, LIST, add=made.teachers[4])
    assert too_many.status_code == 409 and "Your list is full" in too_many.get_data(as_text=True)
    assert mine().not_with == made.teachers[1:4], "three at most"
    assert "Your list is full" in browser.get(LIST)
    # In the form that was open, something was typed meanwhile.
    answer = send(browser, do=f"remove {made.teachers[1]}", **ALL | {"year": "Third"})
    assert answer.location.endswith("?told=removed#not-with")
    assert mine().not_with == made.teachers[2:4] and mine().level == "Third"
    assert send(browser, LIST, remove=made.teachers[2]).status_code == 303
    assert mine().not_with == (made.teachers[3],) and "Oisín" in browser.get(PATH)
    course = made.course
    for nobody in (made.teachers[0], course.trainer, course.leader, "x", "a\0b", "é", "0" * 16):
        assert send(browser, LIST, add=nobody).status_code == 404
    assert mine().not_with == (made.teachers[3],)


def test_a_closed_round_only_takes_a_no(browser: Browser, mine: Callable[[], Wish], database: Database) -> None:
    send(browser, do="yes")
    with database.write() as session:
        session.execute(update(Activity).values(status="archived"))
    assert send(browser, do="keep", **ALL).status_code == 409
    assert send(browser, do="no").status_code == 303 and mine() == Wish()
    assert "Find me a partner in this round" not in browser.get(PATH)


def test_odd_input_is_borne_and_the_pages_are_small(
    browser: Browser, database: Database, app: Flask, clock: Any
) -> None:
    for odd in ("\0", "x" * 100_000, "remove ", "fill", "fill day 9999999999999999999", "fill period \u0663"):
        for name in ("do", "step", "subject", "at-0-0", "want", "q", "page", "whole"):
            assert send(browser, **ALL | {name: odd}).status_code in (200, 303, 400)
            assert send(browser, LIST, **{name: odd}).status_code == 200
    large = make_round(database, clock.now, teachers=3000)
    with database.write() as session:
        setting.keep(session, large.activity_id, Settings(between_schools=True, periods=tuple(map(str, range(12)))))
        wish = Wish(is_in=True, not_with=large.teachers[1:4])
        wishes.say(session, keyring_of(database), large.teachers[0], large.activity_id, wish, clock())
        session.execute(update(Person).values(name=""))
    teacher = Browser(app, database, clock, large.teachers[0], large.activity_id)
    for path in (PATH, LIST):
        with recorded(database) as statements:
            page = teacher.get(path)
        assert len(statements) <= 12 and len(page) < 70_000, (len(statements), len(page))


def test_it_is_there_for_who_takes_part_in_a_round_alone(
    app: Flask, database: Database, clock: Any, made: MadeRound
) -> None:
    course = made.course
    for who in (course.trainer, course.guest, course.leader, course.administrator):
        other = Browser(app, database, clock, who, made.activity_id)
        assert {other.status(PATH), other.status(LIST), send(other, do="yes").status_code} == {404}
    in_cycle = Browser(app, database, clock, made.teachers[0], course.activity_id)
    assert {in_cycle.status(PATH), in_cycle.status(LIST), send(in_cycle, do="yes").status_code} == {404}


def test_it_is_found_from_the_page_of_the_next_step_in_a_round_alone(
    browser: Browser, app: Flask, database: Database, clock: Any, made: MadeRound
) -> None:
    page = browser.get("/")
    assert page.count('/round/wishes"') == 1 and "Find a partner yourself" in page
    browser.post(f"/partner/{made.teachers[1]}")
    assert "What you would like in this round" in browser.get("/"), "also while an invitation waits"
    assert "/round/wishes" not in Browser(app, database, clock, made.teachers[0], made.course.activity_id).get("/")


def test_a_suggestion_is_the_same_in_every_language(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    irish = {"Mathematics": "Matamaitic", "Transition year": "Idirbhliain"}

    def translated(text: str) -> str:
        return irish.get(text, text) if str(get_locale()) == "ga" else text

    monkeypatch.setattr(wish_words, "_", translated)
    with app.test_request_context(), force_locale("ga"):
        assert wish_words.kept("matamaitic") == wish_words.kept("mathematics") == "Mathematics"
        assert (wish_words.shown("Mathematics"), wish_words.shown("Own words")) == ("Matamaitic", "Own words")
        assert wish_words.kept("Own words") == "Own words"
        why = Why(subject="Mathematics", level="Transition year")
        assert "Matamaitic" in answer_words.why_us(why, [], "me", {})[0]
