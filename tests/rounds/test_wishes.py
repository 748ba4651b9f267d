"""What a teacher says for a round: the service, on both databases, and reading it for the calculation."""

import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser
from flask import Flask
from rounds.proposed import keyring_of
from rounds.rounds_school import MadeRound, make_round, make_run
from sqlalchemy import delete, func, insert, select, update

from lti_tool.activities.models import Activity
from lti_tool.ownership import erasure
from lti_tool.people.models import Membership
from lti_tool.privacy.models import ContentKey
from lti_tool.privacy.sealing import seal
from lti_tool.rounds import setting, wishes
from lti_tool.rounds.models import PairingWish
from lti_tool.rounds.rules import Settings, Topic, Wish, tidy
from lti_tool.rounds.wish_forms import filled, problems_of, week_of
from lti_tool.store.database import Database

SAID = Wish(
    is_in=True,
    wants=("questions", "waiting"),
    offers=("groups",),
    focus="questions",
    languages=("ga",),
    subject="Canary-subject",
    level="Canary-level",
    free=("0-0", "4-8"),
    teaching=("0-1",),
    same_step=True,
    other_school=True,
)


@pytest.fixture
def made(database: Database, clock: Any) -> MadeRound:
    return make_round(database, clock.now, teachers=5)


def say(database: Database, made: MadeRound, teacher: int, wish: Wish, now: Any) -> None:
    with database.write() as session:
        wishes.say(session, keyring_of(database), made.teachers[teacher], made.activity_id, wish, now)


def mine(database: Database, made: MadeRound, teacher: int, now: Any) -> Wish:
    with database.read() as session:
        return wishes.mine(session, keyring_of(database), made.teachers[teacher], made.activity_id, now)


def everybodys(database: Database, made: MadeRound, now: Any) -> dict[str, Wish]:
    with database.read() as session:
        return wishes.of_round(session, keyring_of(database), made.activity_id, now)


def test_what_is_said_is_kept_sealed_and_read_as_it_was(database: Database, made: MadeRound, clock: Any) -> None:
    wish = replace(SAID, not_with=(made.teachers[1],))
    assert mine(database, made, 0, clock()) == Wish()
    say(database, made, 0, Wish(), clock())
    assert everybodys(database, made, clock()) == {}, "nothing said leaves no row"
    for each in (SAID, wish):
        say(database, made, 0, each, clock())
    assert mine(database, made, 0, clock()) == wish
    assert everybodys(database, made, clock()) == {made.teachers[0]: wish}
    assert mine(database, made, 1, clock()) == Wish()
    with database.read() as session:
        row = session.execute(select(PairingWish)).scalars().one()
        assert b"anary" not in row.sealed and made.teachers[1].encode() not in row.sealed
        sealed = len(row.sealed)
    say(database, made, 1, Wish(is_in=True), clock())
    with database.read() as session:
        assert {len(each) for each in session.scalars(select(PairingWish.sealed))} == {sealed}, (
            "nor does its length tell"
        )


def test_leaving_keeps_all_but_that_one_is_in(database: Database, made: MadeRound, clock: Any) -> None:
    for _ in range(2):
        with database.write() as session:
            wishes.leave_round(session, keyring_of(database), made.teachers[0], made.activity_id, clock())
        assert not mine(database, made, 0, clock()).is_in
        say(database, made, 0, SAID, clock())
    with database.write() as session:
        wishes.leave_round(session, keyring_of(database), made.teachers[0], made.activity_id, clock())
    assert mine(database, made, 0, clock()) == replace(SAID, is_in=False)


def test_what_no_longer_holds_is_dropped_as_it_is_read(database: Database, made: MadeRound, clock: Any) -> None:
    gone, stays = made.teachers[1], made.teachers[2]
    say(database, made, 0, replace(SAID, not_with=(gone, stays)), clock())
    with database.write() as session:
        setting.keep(session, made.activity_id, Settings(topics=(Topic("waiting", "Waiting"),), periods=("1", "2")))
        person = session.scalars(select(Membership.person_id).where(Membership.id == gone)).one()
        erasure.erase(session, keyring_of(database), person, clock())
    expected = replace(SAID, wants=("waiting",), offers=(), focus="", free=("0-0",), not_with=(stays,))
    assert mine(database, made, 0, clock()) == expected
    assert everybodys(database, made, clock()) == {made.teachers[0]: expected}
    with database.read() as session:
        assert [id_ for id_, _name in wishes.names(session, (gone, stays))] == [stays]


def test_with_a_person_their_wish_and_its_key_go(database: Database, made: MadeRound, clock: Any) -> None:
    say(database, made, 0, SAID, clock())
    with database.write() as session:
        person = session.scalars(select(Membership.person_id).where(Membership.id == made.teachers[0])).one()
        erasure.erase(session, keyring_of(database), person, clock())
    assert everybodys(database, made, clock()) == {}
    with keyring_of(database).database.read() as session:
        assert session.scalars(select(ContentKey.id)).all() == []


@pytest.mark.parametrize(
    ("activity_age", "run_age", "is_kept"), [(399, None, 1), (401, None, 0), (900, 399, 1), (900, 401, 0)]
)
def test_wishes_of_a_round_that_is_not_used_any_more_are_deleted_with_their_keys(
    database: Database, made: MadeRound, clock: Any, activity_age: int, run_age: int | None, is_kept: int
) -> None:
    say(database, made, 0, SAID, clock())
    with database.write() as session:
        session.execute(update(Activity).values(created_at=clock() - timedelta(days=activity_age)))
    if run_age:
        make_run(database, made.activity_id, clock() - timedelta(days=run_age), status="over")
    with database.write() as session:
        assert wishes.delete_old(session, keyring_of(database), clock()) == 1 - is_kept
    assert len(everybodys(database, made, clock())) == is_kept
    with keyring_of(database).database.read() as session:
        assert session.scalar(select(func.count()).select_from(ContentKey)) == is_kept


@pytest.mark.parametrize("count", [1200, pytest.param(5000, marks=pytest.mark.soak)])
def test_thousands_of_wishes_are_read_in_a_few_seconds(database: Database, clock: Any, count: int) -> None:
    made = make_round(database, clock.now, teachers=count)
    # A keyring makes its tables at first use; to make keys one by one is not what is measured, to open them is.
    say(database, made, 0, SAID, clock())
    with database.write() as session:
        people = dict(session.execute(select(Membership.id, Membership.person_id)).all())
        session.execute(delete(PairingWish))
    keyring, rows, keys = keyring_of(database), [], []
    for number, member in enumerate(made.teachers):
        wish_id, person = f"{number:016d}", people[member]
        raw = bytes([number % 256]) * 32
        place = f"content_keys/{wish_id}/{person}".encode()
        keys.append(
            {"id": wish_id, "scope_id": wish_id, "author_id": person, "master": keyring._masters.name,
             "sealed_key": keyring._masters.seal(raw, place), "algorithm": "AES-256-GCM", "created_at": clock()}
        )  # fmt: skip
        rows.append((wish_id, member, person, raw))
    text = json.dumps(SAID.to_json()).encode()
    with keyring.database.write() as session:
        session.execute(insert(ContentKey), keys)
    with database.write() as session:
        session.execute(
            insert(PairingWish),
            [
                {"id": wish_id, "activity_id": made.activity_id, "membership_id": member, "person_id": person,
                 "sealed": seal(raw, text, f"pairing_wishes/{wish_id}".encode())}
                for wish_id, member, person, raw in rows
            ],
        )  # fmt: skip
    began = time.process_time()
    found = everybodys(database, made, clock())
    took = time.process_time() - began
    print(f"{count} wishes: {took:.2f} s")
    assert len(found) == count and set(found.values()) == {SAID}
    assert took < count / 1000


# The form, by rules


def test_taps_on_a_day_or_period_lead_all_of_it_on() -> None:
    wish = filled(Wish(), "teach", 2)
    assert len(wish.teaching) == 10 and problems_of(wish) == ["week"]
    wish = filled(wish, "day 1", 2)
    assert wish.free == ("1-0", "1-1") and len(wish.teaching) == 8 and problems_of(wish) == []
    assert filled(wish, "period 0", 2).free == ("1-1",), "mixed: all of it is taught"
    assert filled(filled(wish, "day 1", 2), "day 1", 2).free == ()
    for odd in ("day 9", "day -1", "period", "x", "day \u0663", ""):
        assert filled(wish, odd, 2) == wish or odd == "day 9"
    assert set(week_of(filled(wish, "none", 2), 2).values()) == {""}


def test_tidying_keeps_each_once_and_no_more_than_is_allowed() -> None:
    wish = Wish(wants=tuple("aabcdefgx"), free=("0-0", "0-0", "9-9"), teaching=("0-0", "0-1"), not_with=tuple("pqrs"))
    assert tidy(wish, "abcdefg", 2, "pqrs") == Wish(
        wants=tuple("abcde"), free=("0-0",), teaching=("0-1",), not_with=tuple("pqr")
    )


def test_times_of_which_a_shorter_week_leaves_half_count_as_not_said() -> None:
    wish = Wish(free=("0-0", "1-0"), teaching=("0-7", "1-7"))
    assert tidy(wish, (), 9, ()) == wish
    assert tidy(wish, (), 4, ()) == Wish() == tidy(replace(wish, free=wish.teaching, teaching=wish.free), (), 4, ())


# What is one's own


def test_the_owner_takes_it_along_in_words_and_deletes_it_with_its_key(
    app: Flask, database: Database, made: MadeRound, clock: Any
) -> None:
    keyring = app.extensions["meitheal"].keyring
    with database.write() as session:
        wish = replace(SAID, not_with=(made.teachers[1], "0" * 16))
        wishes.say(session, keyring, made.teachers[0], made.activity_id, wish, clock())
    owner, named = (Browser(app, database, clock, made.teachers[each], made.activity_id) for each in (0, 1))
    body = owner.client.get(f"{owner.at}/mine/mine.json").get_json()
    (said,) = body["what_you_said_for_pairing_rounds"]
    assert said["you_would_like_to_work_on"] == ["Questions that make pupils think", "Time to think after a question"]
    assert said["free"] == [{"weekday": 1, "periods": "1"}, {"weekday": 5, "periods": "9"}]
    assert said["not_with"] == ["Seán Ó Dónaill"] and said["subject"] == "Canary-subject"
    page = owner.get("/mine/mine.html")
    for words in ("Time to think after a question", "Friday: 9", "Canary-level", "Seán Ó Dónaill"):
        assert words in page
    assert "what you would like of 1 pairing round" in owner.get("/mine")
    theirs = named.get("/mine/mine.json")
    assert "Canary" not in theirs and json.loads(theirs)["what_you_said_for_pairing_rounds"] == []
    owner.post("/mine/everything", sure="1")
    assert everybodys(database, made, clock()) == {}
    with keyring.database.read() as session:
        assert session.scalars(select(ContentKey.id)).all() == []
