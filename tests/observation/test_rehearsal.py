"""A rehearsal: lessons that hold together, the author's notes, where two differ, and that nothing of it is kept."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask

from lti_tool.observation import entries, hints, instrument
from lti_tool.observation.entries import Entry
from lti_tool.observation.pictures import draw
from lti_tool.observation.rehearsal import OFFERED, Lesson, differences, lessons
from lti_tool.store.database import Database

LESSONS = list(lessons().values())
END = 10 * 60_000


@pytest.fixture(params=LESSONS, ids=lambda each: each.key)
def lesson(request: pytest.FixtureRequest) -> Lesson:
    return request.param  # type: ignore[no-any-return]


def test_there_is_a_lesson_for_each_level() -> None:
    assert [each.level for each in LESSONS] == ["primary", "post_primary"]


def test_a_lesson_holds_together(lesson: Lesson) -> None:
    assert 8 <= lesson.minutes <= 10 and lesson.lines[-1].at_s < 60 * lesson.minutes
    seats = {each.number for each in lesson.plan.seats}
    assert [each.at_s for each in lesson.lines] == sorted({each.at_s for each in lesson.lines})
    said = [each for each in lesson.lines if each.who is not None]
    for line, following in pairwise(said):
        # Nobody speaks before another has ended, by more than a moment.
        assert line.end_s <= following.at_s + 1, line.text.en
    for line in lesson.lines:
        assert line.who is None or line.who == 0 or line.who in seats, line
        assert line.to in (0, -1) or line.to in seats, line
        assert bool(line.how) == bool(line.who), f"how a pupil came to speak, and no teacher: {line}"
        assert not line.q or line.who == 0, line
        if line.doing:
            assert sorted(seat for _, seat in line.doing) == sorted(seats), line
        for text in (line.text.en, line.text.ga):
            assert text and len(text) <= 300, text
            # No names in it, and it judges nobody in what is seen.
            assert hints.names(text, hints.shipped()) == [], text
            if line.who is None:
                assert hints.judging(text, hints.shipped()) == [], text


@pytest.mark.parametrize("language", ["en", "ga"])
@pytest.mark.parametrize("base", OFFERED)
def test_what_the_author_noted_can_be_read_and_drawn(lesson: Lesson, base: str, language: str) -> None:
    used = lesson.instrument(base, language)
    assert instrument.read(used.to_json()) == used and instrument.undecided(used) == ()
    noted = lesson.noted(base, language, END)
    assert len(noted) >= 8
    for each in noted:
        assert entries.read(each.to_json(), used) == each
    assert draw(used, noted, lesson.minutes).words
    half = lesson.noted(base, language, END // 2)
    assert half == noted[: len(half)] and len(half) < len(noted)
    # Each code that can be told apart turns up, or it could not be rehearsed.
    if base not in ("scripting", "participation_spread", "at_task_sweep"):
        assert {each.code for each in noted} == ({code.key for code in used.codes} or {""})


@pytest.mark.parametrize("base", OFFERED)
def test_who_notes_as_the_author_a_moment_later_differs_nowhere(lesson: Lesson, base: str) -> None:
    used, theirs = lesson.instrument(base, "en"), lesson.noted(base, "en", END)
    # In a stretch what counts is the stretch; else a tap comes a moment after what is seen.
    late = 0 if base == "interval_codes" else 2500
    mine = [replace(each, device="here", at_ms=each.at_ms + late) for each in theirs]
    assert differences(lesson, used, mine, theirs) == (None if base == "scripting" else ())


@pytest.mark.parametrize("base", [each for each in OFFERED if each != "scripting"])
def test_what_only_one_noted_and_what_was_noted_otherwise_is_said(lesson: Lesson, base: str) -> None:
    used, theirs = lesson.instrument(base, "en"), lesson.noted(base, "en", END)
    left_out = theirs[4]
    told = differences(lesson, used, [each for each in theirs if each != left_out], theirs)
    if base != "wait_time" or left_out.code != "speech":
        assert told and [each.theirs for each in told] == [(left_out,)] and not told[0].mine
    if base == "wait_time":
        return
    more = Entry("here", 999, left_out.at_ms, **_says_otherwise(base, used, left_out))
    (told,) = differences(lesson, used, [*(each for each in theirs if each != left_out), more], theirs) or (None,)
    assert told and told.mine == (more,) and told.theirs == (left_out,)
    assert bool(told.line) == (base != "interval_codes")


def _says_otherwise(base: str, used: instrument.Instrument, entry: Entry) -> dict[str, Any]:
    if base == "class_traffic":
        return {"x": 9.0 - (entry.x or 0), "y": 5.0}
    # One that is not noted in that minute by the author, so that it is another one.
    codes = [each.key for each in used.codes if each.key != entry.code]
    return {"code": codes[-1], "seat": entry.seat, "to_seat": entry.to_seat}


class TestPages:
    @pytest.fixture
    def made(self, database: Database, clock: Any) -> MadeCourse:
        return make_course(database, teachers=2, now=clock.now)

    @pytest.fixture
    def teacher(self, app: Flask, database: Database, clock: Any, made: MadeCourse) -> Browser:
        return Browser(app, database, clock, made.teachers[0], made.activity_id)

    @pytest.mark.parametrize("base", OFFERED)
    def test_both_are_drawn_and_nothing_is_kept(self, teacher: Browser, database: Database, base: str) -> None:
        page = teacher.get(f"/rehearsal/ice/{base}")
        assert page.count("data-at=") == len(lessons()["ice"].lines)
        theirs = lessons()["ice"].noted(base, "en", END)
        noted = json.dumps([each.to_json() | {"device": "here"} for each in theirs[2:]])
        with recorded(database) as statements:
            answer = teacher.post(f"/rehearsal/ice/{base}", entries=noted, until=str(END))
        assert answer.status_code == 200
        page = answer.get_data(as_text=True)
        assert page.count('class="observation-picture"') == 2
        # Of the sign-in alone: no table is written, and none of observation even read.
        assert statements
        for statement, _ in statements:
            assert statement.lstrip().upper().startswith("SELECT"), statement
            assert not re.search(r"entries|observations|instrument|word_lists", statement), statement
        assert not re.search(
            r"\d+ ?%|points|score|out of \d", page.partition("Where the two differ")[2].partition("</section>")[0]
        )

    def test_where_they_differ_is_said_beside_what_was_heard(self, teacher: Browser) -> None:
        noted = [{"device": "here", "number": 1, "at_ms": 45_500, "code": "weigh"}]
        page = teacher.post("/rehearsal/ice/question_level", entries=json.dumps(noted), until="60000").get_data(
            as_text=True
        )
        rows = re.findall(r'<tr role="row"><th scope="row".*?</tr>', page)
        # Of the first minute: one not noted, one noted otherwise.
        assert len(rows) == 2
        assert "0:28" in rows[0] and "What did we put around" in rows[0] and ">nothing<" in rows[0]
        assert "0:45" in rows[1] and ">Weigh it up<" in rows[1] and ">Explain<" in rows[1]

    def test_without_a_script_the_author_is_shown_alone(self, teacher: Browser) -> None:
        page = teacher.post("/rehearsal/tiles/verbal_flow", entries="", until="").get_data(as_text=True)
        assert page.count('class="observation-picture"') == 1 and "Where the two differ" not in page

    @pytest.mark.parametrize(
        "noted",
        [
            "\x00", "{", "null", "{}", "[1]", "[[]]", '[{"device":"here","number":1,"at_ms":1,"code":"best"}]',
            "[" * 100_000, '"' + "x" * 500_000 + '"', f"[{'1,' * 700}1]", '[{"at_ms":1e999}]', '["\\ud800"]',
            f'[{{"device":"here","number":{"9" * 5000},"at_ms":1,"code":"weigh"}}]',
        ],
        ids=range(13),
    )  # fmt: skip
    def test_odd_entries_are_refused_with_words(self, teacher: Browser, noted: str) -> None:
        answer = teacher.post("/rehearsal/ice/question_level", entries=noted, until="9" * 4301)
        assert answer.status_code == 400 and "cannot be read" in answer.get_data(as_text=True)

    @pytest.mark.parametrize("until", ["", "-1", "x", "٣", "9" * 4301, "0"])
    def test_an_odd_end_is_the_end_of_the_lesson(self, teacher: Browser, until: str) -> None:
        assert teacher.post("/rehearsal/ice/tally", entries="", until=until).status_code == 200

    @pytest.mark.parametrize("path", ["/rehearsal/ice/anecdotal", "/rehearsal/x/tally", "/rehearsal/ice/x"])
    def test_what_is_not_offered_is_not_there(self, teacher: Browser, path: str) -> None:
        assert teacher.status(path) == 404
        assert teacher.post(path).status_code == 404

    def test_who_leads_a_school_has_no_rehearsal(
        self, app: Flask, database: Database, clock: Any, made: MadeCourse
    ) -> None:
        for membership in (made.leader, made.administrator):
            browser = Browser(app, database, clock, membership, made.activity_id)
            assert browser.status("/rehearsal") == browser.status("/rehearsal/ice/tally") == 404
