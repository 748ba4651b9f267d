"""Reminders as messages of Moodle: at most once, and what is not known is said to be unknown."""

from datetime import timedelta
from typing import Any

import pytest
from live_moodle import Moodle
from moodle_pairs import Pairs, furnish
from sqlalchemy import select

from lti_tool.lti.http import Http
from lti_tool.people.models import Person
from lti_tool.privacy.sealing import Masters
from lti_tool.store.database import Database
from moodle_sync import writing
from moodle_sync.messages import Messages
from moodle_sync.models import MoodleWrite

SEND = "core_message_send_instant_messages"
SUBJECT, TEXT = "Coaching: something is coming up", "Look at https://lms.example"


@pytest.fixture
def pairs(database: Database, masters: Masters, clock: Any, moodle: Moodle, platform_id: str) -> Pairs:
    return furnish(database, masters, clock, moodle.school, platform_id)


@pytest.fixture
def sender(pairs: Pairs, masters: Masters, http: Http, clock: Any) -> Messages:
    return Messages(pairs.database, masters, http, clock)


def rows(pairs: Pairs) -> list[MoodleWrite]:
    with pairs.database.read() as session:
        return list(session.scalars(select(MoodleWrite).order_by(MoodleWrite.made_at)))


def test_a_reminder_arrives_and_nothing_is_kept_of_whom_and_what(
    pairs: Pairs, sender: Messages, moodle: Moodle
) -> None:
    sub = pairs.waiting[0]
    assert sender.send(pairs.people[sub], SUBJECT, TEXT).status == "sent"
    (message,) = moodle.school.messages
    assert (message.to, message.text) == (sub, f"{SUBJECT}\n\n{TEXT}")
    (row,) = rows(pairs)
    assert (row.kind, row.status, row.body, row.course_id) == ("message", "done", {}, None)
    assert pairs.people[sub] not in row.key


@pytest.mark.parametrize(
    ("fault", "status", "problem", "arrived"),
    [
        ("cut_after", "unknown", "no_answer", 1),
        ("cut_before", "unknown", "no_answer", 0),
        ("error_after", "unknown", "server_error", 1),
        ("page", "unknown", "not_json", 0),
        ("nopermissions", "failed", "nopermissions", 0),
    ],
)
def test_what_went_wrong_is_said_and_it_is_not_sent_again(
    fault: str, status: str, problem: str, arrived: int, pairs: Pairs, sender: Messages, moodle: Moodle
) -> None:
    person = pairs.people[pairs.waiting[0]]
    moodle.goes_wrong(fault, SEND, count=1)
    for _again in range(2):
        outcome = sender.send_once(person, TEXT, "batch")
        assert outcome.status == status
    assert len(moodle.school.messages) == arrived and moodle.calls[SEND] == 1
    assert pairs.state("batch") == (status, problem)
    pairs.look()
    assert pairs.state("batch") == (status, problem)


def test_a_success_that_says_it_reached_nobody_is_a_failure(pairs: Pairs, sender: Messages) -> None:
    person_id = pairs.people[pairs.waiting[0]]
    pairs.change(Person, Person.id == person_id, sub="999999")
    outcome = sender.send_once(person_id, TEXT, "batch")
    assert (outcome.status, outcome.problem) == ("failed", "not_taken") and pairs.state("batch")[0] == "failed"


def test_a_site_that_is_down_is_left_alone_and_nothing_is_lost(
    pairs: Pairs, sender: Messages, moodle: Moodle, clock: Any
) -> None:
    person = pairs.people[pairs.waiting[0]]
    moodle.goes_wrong("maintenance", SEND, count=1)
    assert sender.send_once(person, TEXT, "batch").status == "later"
    assert sender.send_once(person, TEXT, "batch").status == "later" and moodle.calls[SEND] == 1
    clock.advance(301)
    assert sender.send_once(person, TEXT, "batch").status == "sent" and len(moodle.school.messages) == 1


def test_none_leaves_where_the_site_does_not_allow_it(pairs: Pairs, sender: Messages, moodle: Moodle) -> None:
    person = pairs.people[pairs.waiting[0]]
    with pairs.database.read() as session:
        assert sender.offers(session, person)
    pairs.switch(messages=False)
    with pairs.database.read() as session:
        assert not sender.offers(session, person)
    assert sender.send(person, SUBJECT, TEXT).status == "failed" and SEND not in moodle.calls


def test_what_a_dead_worker_had_in_hand_is_unknown_and_all_is_forgotten_in_the_end(
    pairs: Pairs, sender: Messages, clock: Any
) -> None:
    assert sender._keep(pairs.platform_id, "batch")
    clock.advance(599)
    pairs.look()
    assert pairs.state("batch") == ("sending", "")
    clock.advance(1)
    pairs.look()
    assert pairs.state("batch") == ("unknown", "no_answer")
    assert sender.send_once(pairs.people[pairs.waiting[0]], TEXT, "batch").status == "unknown"
    clock.advance((writing.KEPT_FOR - timedelta(minutes=10)).total_seconds())
    pairs.look()
    assert not rows(pairs)
