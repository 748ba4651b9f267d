"""How a trainer has a round calculated: kept, checked, and never more than it says."""

import re
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from home.placed import add_activity
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from lti_tool.people.models import Membership, Person, School
from lti_tool.rounds import setting
from lti_tool.rounds.models import RoundRun
from lti_tool.rounds.rules import TOPICS, Settings, Topic
from lti_tool.rounds.setting_rules import Typed, arrange, check, typed_of
from lti_tool.rounds.words import shipped_topics
from lti_tool.store.database import Database

SHIPPED = {key: f"Topic {key}" for key in TOPICS}
GOOD = {"periods": "1, 2, Lunch", "subjects": "same", "again": "if_best", "rounds": "4", "days": "10"}


def kept(database: Database, activity_id: str) -> Settings:
    with database.read() as session:
        return setting.settings(session, activity_id)


@pytest.fixture
def made(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=3, now=clock.now)


@pytest.fixture
def round_id(database: Database, clock: Any, made: MadeCourse) -> str:
    return add_activity(database, made, clock.now, title="Partners", kind="pairing")


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, made: MadeCourse, round_id: str) -> Browser:
    return Browser(app, database, clock, made.trainer, round_id)


def topics_of(page: str) -> list[str]:
    return re.findall(r'name="topic" value="([^"]+)"', page)


def test_what_is_chosen_is_kept_and_topics_keep_their_keys(trainer: Browser, database: Database, round_id: str) -> None:
    assert topics_of(trainer.get("/round/settings")) == list(TOPICS)
    form = {
        "topic": ["waiting", "play"],
        "topic-waiting": " Longer  pauses ",
        "topic-play": "Play and learning outdoors",
    }
    answer = trainer.client.post(
        f"{trainer.at}/round/settings",
        data={"csrf_token": trainer.token, **GOOD, **form, "new-topic": "Drama", "triads": "yes"},
    )
    assert answer.status_code == 303
    chosen = kept(database, round_id)
    assert [(each.key, each.text) for each in chosen.topics[:2]] == [("waiting", "Longer pauses"), ("play", "")]
    added = chosen.topics[2]
    assert added.text == "Drama" and len(added.key) == 16
    assert (chosen.periods, chosen.subjects, chosen.again) == (("1", "2", "Lunch"), "same", "if_best")
    assert (chosen.triads, chosen.between_schools, chosen.rounds, chosen.days) == (True, False, 4, 10)
    page = trainer.get("/round/settings?told=saved")
    assert topics_of(page) == ["waiting", "play", added.key]
    # Moved and removed with everything else that was typed.
    rows = {"topic": ["waiting", "play", added.key], f"topic-{added.key}": "Theatre", "topic-waiting": "Waiting"}
    for do, keys in ((f"up {added.key}", [added.key, "waiting"]), ("remove waiting", [added.key])):
        data = {"csrf_token": trainer.token, **GOOD, **rows, "do": do}
        assert trainer.client.post(f"{trainer.at}/round/settings", data=data).status_code == 303
        # The box of the second was emptied, which removes it too.
        assert [each.key for each in kept(database, round_id).topics] == keys
    assert kept(database, round_id).topics[0].text == "Theatre"
    trainer.post("/round/settings", **GOOD, **{"topic": added.key, f"topic-{added.key}": "Theatre"}, do="shipped")
    assert [each.key for each in kept(database, round_id).topics] == [added.key, *TOPICS]


WRONG = (
    ({"rounds": "9"}, "from 1 to 8"),
    ({"rounds": "²"}, "from 1 to 8"),
    ({"days": "2"}, "from 3 to 14"),
    ({"days": ""}, "from 3 to 14"),
    ({"periods": " , "}, "Name the periods"),
    ({"periods": ",".join("abcdefghijklm")}, "there are 13"),
    ({"periods": "1, Two, two"}, "Two periods are called “two”"),
    ({"periods": "x" * 21}, "20 characters"),
    ({"new-topic": "x" * 81}, "this one has 81"),
    ({"new-topic": "WAITING"}, "twice"),
    ({"topic-waiting": ""}, "at least one topic"),
)


@pytest.mark.parametrize(("change", "words"), WRONG)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    trainer: Browser, database: Database, round_id: str, change: dict[str, str], words: str
) -> None:
    before = kept(database, round_id)
    form = GOOD | {"topic": "waiting", "topic-waiting": "Waiting", "periods": "Early, Late"} | change
    answer = trainer.post("/round/settings", **form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400 and words in page
    for name, value in form.items():
        if name not in ("topic", "subjects", "again") and value.strip(" ,"):
            assert f'value="{value}"' in page, name
    assert 'value="if_best" aria-describedby="about-again-if_best" checked' in page
    assert kept(database, round_id) == before


def test_two_trainers_do_not_overwrite_each_other_unseen(trainer: Browser, database: Database, round_id: str) -> None:
    def was() -> str:
        found = re.search(r'name="was" value="(\w+)"', trainer.get("/round/settings"))
        assert found
        return found.group(1)

    form = GOOD | {"topic": "waiting", "topic-waiting": "Waiting"}
    seen = was()
    trainer.post("/round/settings", **form, was=seen)
    late = trainer.post("/round/settings", **(form | {"days": "5"}), was=seen)
    page = late.get_data(as_text=True)
    assert late.status_code == 409 and 'name="days" value="5"' in page
    assert kept(database, round_id).days == 10
    again = re.search(r'name="was" value="(\w+)"', page)
    assert again and again.group(1) == was()
    trainer.post("/round/settings", **(form | {"days": "5"}), was=again.group(1))
    assert kept(database, round_id).days == 5


def test_other_schools_are_offered_only_where_there_are_several_and_a_review_is_told_of(
    trainer: Browser, database: Database, clock: Any, made: MadeCourse, round_id: str
) -> None:
    form = GOOD | {"topic": "waiting", "topic-waiting": "Waiting", "between_schools": "yes"}
    assert "different schools" not in trainer.get("/round/settings")
    trainer.post("/round/settings", **form)
    assert not kept(database, round_id).between_schools
    with database.write() as session:
        for number in (0, 1):
            school = School(platform_id=made.platform_id, name=f"Scoil {number}", created_at=clock.now)
            session.add(school)
            session.flush()
            of = select(Membership.person_id).where(Membership.id == made.teachers[number]).scalar_subquery()
            session.execute(update(Person).where(Person.id == of).values(school_id=school.id))
        run = RoundRun(activity_id=round_id, number=1, status="review", seed=1, summary={}, created_at=clock.now)
        session.add(run)
    with recorded(database) as statements:
        page = trainer.get("/round/settings")
    assert len(statements) <= 12
    assert "different schools" in page and "counts for the next one" in page
    assert trainer.post("/round/settings", **form).location.endswith("told=later")
    assert kept(database, round_id).between_schools


def test_only_the_trainer_of_a_round_is_there(
    app: Flask, database: Database, clock: Any, made: MadeCourse, round_id: str
) -> None:
    for who in (made.teachers[0], made.guest, made.leader, made.administrator):
        browser = Browser(app, database, clock, who, round_id)
        assert browser.status("/round/settings") == 404
        assert browser.post("/round/settings", **GOOD).status_code == 404
    # Of a coaching activity it is the trainer of no round.
    assert Browser(app, database, clock, made.trainer, made.activity_id).status("/round/settings") == 404


ODD = ("", "\0", "é", "‮", "💚", "-1", "x" * 3000, "{{7*7}}", "null", "up ", "remove", "٣")


def test_nothing_odd_breaks_the_page(trainer: Browser, database: Database, round_id: str) -> None:
    names = (*GOOD, "topic", "topic-waiting", "new-topic", "was", "do", "triads", "between_schools")
    for odd in ODD:
        assert trainer.post("/round/settings", **dict.fromkeys(names, odd)).status_code in (303, 400, 409)
        trainer.post("/round/settings", **GOOD, **{"new-topic": odd, "do": odd})
    url, headers = f"{trainer.at}/round/settings", {"X-CSRFToken": trainer.token}
    assert trainer.client.post(url, data=b"\xff=%ff", headers=headers).status_code < 500
    assert trainer.client.post(url, json=[1], headers=headers).status_code < 500
    assert "\0" not in repr(kept(database, round_id))


def test_the_topics_that_ship_have_words_in_the_readers_language(app: Flask) -> None:
    with app.test_request_context():
        assert tuple(shipped_topics()) == TOPICS
        assert all(shipped_topics().values())


def topic_lists() -> Any:
    topics = st.builds(Topic, st.sampled_from(TOPICS), st.text("ab ", min_size=1, max_size=5).map(str.strip))
    return st.lists(topics, unique_by=lambda each: each.key, max_size=8).map(tuple)


@given(
    topic_lists(), st.text("ab", max_size=3), st.sampled_from(["up waiting", "down play", "remove irish", "shipped"])
)
def test_a_list_of_topics_never_has_a_key_or_a_text_twice(topics: tuple[Topic, ...], new: str, do: str) -> None:
    typed = Typed(topics, new, "1", rounds="1", days="3")
    chosen, wrong = check(typed, SHIPPED, "new")
    if wrong:
        return
    assert 1 <= len(chosen.topics) <= len(topics) + 1
    moved = arrange(chosen.topics, do)
    assert len({each.key for each in moved}) == len(moved) >= 1
    if do.startswith(("up", "down")):
        assert set(moved) == set(chosen.topics)
    assert Settings.of(chosen.to_json()) == chosen
    # Looked at again and saved as it is, it stays what it is.
    said = tuple(Topic(each.key, each.text or SHIPPED[each.key]) for each in chosen.topics)
    assert check(typed_of(chosen, said), SHIPPED, "")[0] == chosen


def test_the_list_as_it_ships_is_kept_as_none() -> None:
    typed = Typed(tuple(Topic(key, SHIPPED[key]) for key in TOPICS), "", "1", rounds="1", days="3")
    assert check(typed, SHIPPED, "new")[0].topics == ()
