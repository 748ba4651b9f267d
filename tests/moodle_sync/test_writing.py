"""What waits to be written to a Moodle: said once, carried out by one worker, and never lost."""

from typing import Any

import pytest
from live_moodle import Moodle
from moodle_pairs import Pairs, furnish, tomorrow
from sqlalchemy import select

from lti_tool.lti.http import Http
from lti_tool.people.models import Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.store.database import Database
from lti_tool.store.jobs_models import Job
from moodle_sync import writing
from moodle_sync.errors import OutcomeUnknown
from moodle_sync.models import MoodleWrite


@pytest.fixture
def pairs(database: Database, masters: Masters, clock: Any, moodle: Moodle, platform_id: str) -> Pairs:
    return furnish(database, masters, clock, moodle.school, platform_id)


def test_the_dry_run_says_what_would_be_written_and_writes_nothing(
    pairs: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    first, second = pairs.pair(), pairs.pair()
    pairs.book(first, "visit", tomorrow(clock))

    def dry() -> list[str]:
        with pairs.database.read() as session:
            return writing.dry_run(session, pairs.platform_id, clock())

    assert dry() == ["CPC: 2 groups would be made."] and not moodle.calls
    pairs.work(http)
    assert dry() == []
    pairs.book(first, "visit", tomorrow(clock, 1))
    pairs.book(second, "before", tomorrow(clock))
    assert dry() == ["CPC: 1 event would be changed.", "CPC: 1 event would be made."]
    pairs.stop_cycle(first)
    assert dry() == ["CPC: 1 event would be deleted.", "CPC: 1 event would be made."]


def test_all_waits_while_a_platform_is_suspended_or_down(pairs: Pairs, moodle: Moodle, http: Http, clock: Any) -> None:
    pair_id = pairs.pair()
    pairs.look()
    pairs.change(Platform, Platform.id == pairs.platform_id, status="suspended")
    pairs.work(http)
    assert not moodle.calls and pairs.state(pair_id) == ("waiting", "")
    pairs.change(Platform, Platform.id == pairs.platform_id, status="active")
    moodle.goes_wrong("maintenance", count=3)
    pairs.work(http)
    assert pairs.state(pair_id) == ("waiting", "maintenance")
    with pairs.database.read() as session:
        assert session.scalars(select(Job.last_error).where(Job.kind == writing.JOB)).one() == "moodle_maintenance"
    moodle.heal()
    clock.advance(60)
    pairs.work(http)
    assert pairs.state(pair_id) == ("done", "")


def test_what_is_wanted_while_it_is_on_its_way_is_done_after_it(pairs: Pairs, clock: Any) -> None:
    pair_id = pairs.pair()
    pairs.look()
    work = writing._take(pairs.database, pairs.write(pair_id).id, clock())
    assert work and writing._take(pairs.database, work.id, clock()) is None
    with pairs.database.write() as session:
        assert writing.want(
            session, platform_id=pairs.platform_id, course_id=pairs.course_id, kind="group", key=pair_id, wanted=True,
            state="another", body=work.body, now=clock(),
        )  # fmt: skip
    with pairs.database.write() as session:
        writing._note_success(session, work, writing.Result(5))
    row = pairs.write(pair_id)
    assert (row.status, row.moodle_id, row.there_state) == ("waiting", 5, work.state)


def test_a_call_without_an_answer_is_over_two_minutes_after_it_not_after_the_first_of_several(
    pairs: Pairs, clock: Any
) -> None:
    pair_id = pairs.pair()
    pairs.look()
    work = writing._take(pairs.database, pairs.write(pair_id).id, clock())
    assert work
    # A slow Moodle: reading went well, and what was to be made was not answered.
    clock.advance(110)
    with pairs.database.write() as session:
        writing._note_failure(session, work, OutcomeUnknown("no_answer", ""), clock())
    clock.advance(writing.SETTLES_AFTER.total_seconds() - 1)
    assert writing._take(pairs.database, work.id, clock()) is None
    clock.advance(1)
    assert writing._take(pairs.database, work.id, clock())


def test_what_never_answers_is_unknown_in_the_end_and_tried_again_on_demand(
    pairs: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    pair_id = pairs.pair()
    moodle.goes_wrong("cut_before", "core_group_create_groups", count=10)
    for _try in range(10):
        pairs.work(http)
        clock.advance(3700)
    assert pairs.state(pair_id) == ("unknown", "no_answer")
    with pairs.database.read() as session:
        (line,) = writing.unsent(session)
    assert (line.platform, line.course, line.kind, line.status, line.number) == (
        "Coláiste Abhainn Rua", "CPC", "group", "unknown", 1,
    )  # fmt: skip
    with pairs.database.write() as session:
        assert writing.say(session, pairs.platform_id, clock()) == 1
    pairs.work(http)
    assert pairs.state(pair_id) == ("done", "")


def test_a_group_is_known_as_long_as_it_is_there_and_what_is_gone_is_forgotten(
    pairs: Pairs, http: Http, clock: Any
) -> None:
    pair_id = pairs.pair()
    pairs.book(pair_id, "visit", tomorrow(clock))
    pairs.work(http)
    refused = pairs.book(pair_id, "after", tomorrow(clock))
    pairs.look()
    pairs.change(MoodleWrite, MoodleWrite.key == refused, status="failed")
    clock.advance(writing.KEPT_FOR.total_seconds() + 1)
    pairs.look()
    with pairs.database.read() as session:
        assert session.scalars(select(MoodleWrite.key)).all() == [pair_id]
