"""What is counted of requests, and what is not: whoever runs the tool may lead the school too."""

from typing import Any

from browsers import Browser
from factories import make_course
from flask import Flask
from rounds.proposed import asked
from rounds.rounds_school import make_round

from lti_tool.pairing import service as pairing
from lti_tool.store.database import Database


def test_the_metrics_do_not_tell_that_somebody_declined(app: Flask, database: Database, clock: Any) -> None:
    course = make_course(database, now=clock.now)
    host, coach, *_others = course.teachers
    with database.write() as session:
        pairing.invite(
            session, host_id=host, coach_id=coach, course_id=course.course_id, activity_id=course.activity_id,
            now=clock.now,
        )  # fmt: skip
    with database.read() as session:
        invitation = pairing.received_by(session, coach, course.activity_id, clock.now)[0].id
    answer = Browser(app, database, clock, coach, course.activity_id).post(f"/invitations/{invitation}/decline")
    assert answer.status_code == 303
    metrics = app.test_client().get("/metrics").get_data(as_text=True)
    assert 'endpoint="pairing"' in metrics
    assert not [line for line in metrics.splitlines() if "pairing." in line]


def test_the_metrics_do_not_tell_what_is_answered_or_said_in_a_round(
    app: Flask, database: Database, clock: Any
) -> None:
    made = make_round(database, clock.now, teachers=2)
    (proposal,) = asked(database, made.activity_id, [made.teachers], clock.now)
    browser = Browser(app, database, clock, made.teachers[0], made.activity_id)
    assert browser.post(f"/round/proposal/{proposal}", answer="another").status_code == 303
    assert browser.post("/round/wishes/not-with", add=made.teachers[1]).status_code == 303
    metrics = app.test_client().get("/metrics").get_data(as_text=True)
    assert not [line for line in metrics.splitlines() if "rounds." in line]
