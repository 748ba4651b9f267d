"""Deliveries through the door of an LMS that is down, slow, forgetful or strict: each completion arrives, once."""

import io
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from completion.coaching_school import CoachingSchool
from flask import Flask
from sqlalchemy import select, update
from werkzeug import Request

from lti_tool.completion import service
from lti_tool.lti.grades import Gradebook
from lti_tool.people import registry
from lti_tool.people.models import Platform
from lti_tool.sandbox.people import CourseRole
from lti_tool.sandbox.school import Grade
from lti_tool.store.jobs import JobFailed
from lti_tool.store.jobs_models import Job

ALL = ("moodle", "canvas", "blackboard", "brightspace", "sakai")
FULL = (100.0, 100.0, "Completed")


def whole(environ: dict[str, Any]) -> Request:
    """The request, read to its end and left so that it can be read again."""
    request = Request(environ)
    environ["wsgi.input"] = io.BytesIO(request.get_data())
    return request


class Watch:
    """Every request that the LMS's services get, with the status it was answered with."""

    def __init__(self, school: CoachingSchool) -> None:
        self.seen: list[tuple[str, str, int]] = []
        self.bodies: list[dict[str, Any]] = []
        self.before_request: Callable[[Request], None] = lambda _: None
        self.before_answer: Callable[[Request], None] = lambda _: None
        app = school.lms.app
        inner = app.wsgi_app

        def watched(environ: dict[str, Any], start_response: Any) -> Any:
            request = whole(environ)
            if request.path.endswith("/scores"):
                self.bodies.append(request.get_json(force=True))
            self.before_request(request)
            answered: list[str] = []

            def start(status: str, headers: Any, info: Any = None) -> Any:
                answered.append(status)
                return start_response(status, headers)

            body = inner(environ, start)
            self.before_answer(request)
            self.seen.append((request.method, request.path, int(answered[0][:3])))
            return body

        app.wsgi_app = watched  # type: ignore[method-assign]

    def scores(self) -> list[int]:
        """Statuses of all scores sent, in order."""
        return [status for method, path, status in self.seen if method == "POST" and path.endswith("/scores")]


@pytest.fixture
def watch(school: CoachingSchool) -> Watch:
    return Watch(school)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("gradable", [True, False], ids=["with a column", "without"])
def test_completion_arrives_in_every_lms(
    open_school: Callable[..., CoachingSchool], clock: Any, name: str, gradable: bool
) -> None:
    school = open_school(name, gradable=gradable)
    first, second = school.teachers[:2]
    school.tap(first, second)
    assert school.work() == 1
    assert school.state(first) == school.state(second) == ("sent", "")
    assert school.delivery(first).sent_at == clock.now
    # A column of our own has one point; one that came with the activity has the LMS's hundred.
    full = FULL if gradable else (1.0, 1.0, "Completed")
    assert school.grades() == {first: full, second: full}
    column = next(iter(school.lms.school.line_items.values()))
    if not gradable:
        assert (column.tag, column.resource_id, column.maximum) == ("completion", school.activity_id, 1)
        assert school.activity().line_item_url
    # Whoever comes later goes into the same column.
    school.tap(school.teachers[2])
    school.work()
    assert len(school.lms.school.line_items) == 1 and len(school.grades()) == 3


def test_what_is_sent_and_nothing_else(school: CoachingSchool, watch: Watch, clock: Any) -> None:
    sub = school.teachers[0]
    school.tap(sub)
    school.work()
    assert watch.bodies == [
        {
            "userId": sub,
            "timestamp": clock.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "scoreGiven": 1,
            "scoreMaximum": 1,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "comment": "Completed",
        }
    ]


def test_a_double_tap_sends_once(school: CoachingSchool, watch: Watch) -> None:
    sub = school.teachers[0]
    school.tap(sub, sub)
    school.work()
    school.tap(sub)
    assert school.work() == 0
    assert watch.scores() == [200]


def test_an_expired_token_is_replaced(school: CoachingSchool, watch: Watch) -> None:
    first, second = school.teachers[:2]
    school.tap(first)
    school.work()
    school.faults(token_expired=True)
    school.tap(second)
    school.work()
    assert watch.scores() == [200, 401, 200]
    assert school.state(second) == ("sent", "")


def test_a_score_that_was_sent_before_the_worker_died_is_not_sent_again(
    school: CoachingSchool, watch: Watch, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between send and mark: the gradebook is asked first, and already says it."""
    sub = school.teachers[0]
    school.tap(sub)

    class Killed(BaseException):
        pass

    post = Gradebook.post_completion

    def post_and_die(*arguments: Any) -> None:
        post(*arguments)
        raise Killed

    monkeypatch.setattr(Gradebook, "post_completion", post_and_die)
    with pytest.raises(Killed):
        school.deliver()
    monkeypatch.undo()
    assert school.state(sub) == ("waiting", "") and school.delivery(sub).claimed_at == clock.now
    # The dead worker's lease has run out, or its job is lost altogether.
    clock.advance(3600)
    school.look_after()
    school.work()
    assert school.state(sub) == ("sent", "")
    assert watch.scores() == [200]


def test_a_claim_that_was_never_sent_is_sent_later_and_never_back_in_time(
    school: CoachingSchool, watch: Watch, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub = school.teachers[0]
    clock.advance(60)
    school.tap(sub)

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(Gradebook, "post_completion", die)
    with pytest.raises(Killed):
        school.deliver()
    monkeypatch.undo()
    before = school.delivery(sub).claimed_at
    # On a clock that was set back meanwhile.
    clock.advance(-30)
    school.deliver()
    assert school.state(sub) == ("sent", "")
    assert watch.bodies[0]["timestamp"] == (before + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.parametrize("ahead", [0, 600, 20_000])
def test_a_score_that_comes_too_late_is_sent_again_with_a_later_time(
    school: CoachingSchool, watch: Watch, clock: Any, ahead: int
) -> None:
    """409: somebody else's entry, made by a clock that may be ahead of ours."""
    sub = school.teachers[0]
    column = next(iter(school.lms.school.line_items))
    when = int(clock.now.timestamp()) + ahead
    school.lms.school.grades[column, sub] = Grade(40.0, "typed by hand", when)
    school.tap(sub)
    school.work()
    assert watch.scores() == [409, 200]
    assert school.grades()[sub] == FULL
    assert school.lms.school.grades[column, sub].modified == when + 1
    assert school.state(sub) == ("sent", "")


def test_a_conflict_with_the_same_result_is_the_end_of_it(school: CoachingSchool, watch: Watch, clock: Any) -> None:
    sub = school.teachers[0]
    column = next(iter(school.lms.school.line_items))
    school.lms.school.grades[column, sub] = Grade(100.0, "", int(clock.now.timestamp()) + 600)
    school.tap(sub)
    school.work()
    assert watch.scores() == [409] and school.state(sub) == ("sent", "")


def test_an_entry_from_another_year_is_not_followed(school: CoachingSchool, watch: Watch, clock: Any) -> None:
    sub = school.teachers[0]
    column = next(iter(school.lms.school.line_items))
    school.lms.school.grades[column, sub] = Grade(40.0, "", int(clock.now.timestamp()) + 400 * 86_400)
    school.tap(sub)
    school.work()
    assert watch.scores() == [409, 409, 409] and school.state(sub) == ("waiting", "conflict")
    sent = [body["timestamp"] for body in watch.bodies]
    assert sent == sorted(set(sent))


def test_canvas_says_bad_request_of_a_score_that_comes_too_late(
    open_school: Callable[..., CoachingSchool], clock: Any
) -> None:
    school = open_school("canvas")
    sub = school.teachers[0]
    column = next(iter(school.lms.school.line_items))
    school.lms.school.grades[column, sub] = Grade(40.0, "", int(clock.now.timestamp()) + 600)
    school.tap(sub)
    school.work()
    assert school.state(sub) == ("sent", "") and school.grades()[sub] == FULL


@pytest.mark.parametrize("name", ["moodle", "canvas"])
def test_somebody_without_grades_stops_and_holds_up_nobody(
    open_school: Callable[..., CoachingSchool], clock: Any, name: str
) -> None:
    school = open_school(name)
    first, second = school.teachers[:2]
    course = school.lms.school.courses["2"]
    course.members[first] = CourseRole.TEACHER
    school.tap(first)
    clock.advance(1)
    school.tap(second)
    school.work()
    assert school.state(first) == ("stopped", "not_gradable")
    assert school.state(second) == ("sent", "")
    # The trainer mends it in the LMS and tries again.
    course.members[first] = CourseRole.STUDENT
    with school.database.write() as session:
        assert service.retry(
            session, activity_id=school.activity_id, delivery_id=school.delivery(first).id, now=clock()
        )
    school.work()
    assert school.state(first) == ("sent", "")


@pytest.mark.parametrize(
    ("status", "problem"), [(500, "unreachable"), (503, "busy"), (429, "busy"), (408, "unreachable")]
)
def test_a_failing_lms_is_tried_again(
    school: CoachingSchool, watch: Watch, clock: Any, status: int, problem: str
) -> None:
    first, second = school.teachers[:2]
    school.faults(fail_next=3, status=status, match="/scores")
    school.tap(first, second)
    for _ in range(3):
        school.work()
        clock.advance(90)
    assert watch.scores() == [status] * 3
    assert (problem in school.state(first)) and (problem in school.state(second))
    school.work()
    assert school.state(first) == school.state(second) == ("sent", "")
    assert school.grades() == {first: FULL, second: FULL}


def test_an_lms_that_asks_to_be_left_alone_is(school: CoachingSchool, clock: Any) -> None:
    inner = school.lms.app.wsgi_app
    asked: list[Any] = []

    def busy(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].endswith("/scores"):
            asked.append(clock())
            start_response("429 Too Many Requests", [("Retry-After", "600")])
            return [b""]
        return inner(environ, start_response)

    school.lms.app.wsgi_app = busy  # type: ignore[method-assign]
    school.tap(*school.teachers[:5])
    assert school.work() == 1 and len(asked) == 1
    clock.advance(599)
    assert school.work() == 0
    school.lms.app.wsgi_app = inner  # type: ignore[method-assign]
    clock.advance(1)
    assert school.work() == 1
    assert len(school.grades()) == 5


def test_an_lms_that_is_down_for_a_day_gets_everything(school: CoachingSchool, watch: Watch, clock: Any) -> None:
    begun = clock.now
    school.faults(down=True)
    taps = school.teachers[:6]
    school.tap(*taps)
    while clock.now < begun + timedelta(hours=26):
        school.look_after()
        school.work()
        clock.advance(900)
    assert all(school.state(sub)[0] == "waiting" for sub in taps)
    asked = len(watch.seen)
    assert asked < 200, "an LMS that is down is not stormed"
    school.heal()
    back = clock.now
    while any(school.state(sub)[0] != "sent" for sub in taps):
        school.look_after()
        school.work()
        clock.advance(60)
        assert clock.now - back < timedelta(hours=1, minutes=15)
    assert school.grades() == dict.fromkeys(taps, FULL)


def test_a_refusal_waits_a_while_and_then_for_a_person(school: CoachingSchool, watch: Watch, clock: Any) -> None:
    first, second = school.teachers[:2]
    school.faults(fail_next=1000, status=403, match="/scores")
    school.tap(first, second)
    for _ in range(20):
        school.work()
        clock.advance(1200)
    assert school.state(first) == school.state(second) == ("stopped", "forbidden")
    assert watch.scores() == [403] * 16
    school.heal()
    with school.database.write() as session:
        assert service.retry_all(session, school.platform_id, clock()) == 2
    school.work()
    assert school.state(first) == school.state(second) == ("sent", "")


def test_a_token_that_is_refused_again_and_again(school: CoachingSchool, watch: Watch, clock: Any) -> None:
    sub = school.teachers[0]
    school.faults(fail_next=4, status=401, match="/scores")
    school.tap(sub)
    school.work()
    assert watch.scores() == [401, 401] and school.state(sub) == ("waiting", "unauthorized")
    for _ in range(2):
        clock.advance(60)
        school.work()
    assert school.state(sub) == ("sent", "")


def test_a_tool_that_gets_no_token_waits_until_it_does(school: CoachingSchool, clock: Any) -> None:
    sub = school.teachers[0]
    school.faults(fail_next=1000, status=400, match="token")
    school.tap(sub)
    for _ in range(12):
        school.work()
        clock.advance(3600)
    assert school.state(sub) == ("waiting", "no_token")
    school.heal()
    school.look_after()
    school.work()
    assert school.state(sub) == ("sent", "")


def test_a_column_that_was_deleted_is_made_anew(school: CoachingSchool, watch: Watch) -> None:
    first, second = school.teachers[:2]
    school.tap(first)
    school.work()
    old = school.activity().line_item_url
    school.lms.school.remove_line_item(next(iter(school.lms.school.line_items)))
    school.tap(second)
    school.work()
    assert school.state(second) == ("sent", "")
    assert watch.scores() == [200, 404, 200]
    assert school.activity().line_item_url not in ("", old)
    assert school.delivery(second).line_item_url == school.activity().line_item_url


def test_without_a_column_all_stop_until_a_launch_names_one(
    open_school: Callable[..., CoachingSchool], clock: Any
) -> None:
    school = open_school()
    url = school.activity().line_item_url
    school.set_activity(line_item_url="", line_items_url="")
    school.tap(*school.teachers[:3])
    assert school.work() == 1
    assert {school.state(sub) for sub in school.teachers[:3]} == {("stopped", "no_column")}
    school.look_after()
    assert school.work() == 0
    school.set_activity(line_item_url=url)
    school.look_after()
    school.work()
    assert {school.state(sub) for sub in school.teachers[:3]} == {("sent", "")}


def test_of_several_columns_ours_is_taken(open_school: Callable[..., CoachingSchool]) -> None:
    """As after Moodle names none in the launch, because the link has two."""
    school = open_school()
    lms, link = school.lms.school, school.activity().resource_link_id
    tool = next(iter(lms.tools.values()))
    ours = lms.add_line_item(lms.courses["2"], tool, "Ours", 1, activity_id=link, tag="completion", is_declared=True)
    lms.add_line_item(lms.courses["2"], tool, "Essay", 10, activity_id=link, is_declared=True)
    school.set_activity(line_item_url="")
    school.tap(school.teachers[0])
    school.work()
    assert {item for item, _ in lms.grades} == {ours.id}


def test_two_workers_at_once_tell_it_once(school: CoachingSchool, watch: Watch) -> None:
    taps = school.teachers[:6]
    school.tap(*taps)
    gate = threading.Barrier(2)

    def run() -> None:
        gate.wait()
        school.work()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {school.state(sub) for sub in taps} == {("sent", "")}
    assert watch.scores() == [200] * 6
    assert school.grades() == dict.fromkeys(taps, FULL)


@pytest.mark.parametrize(("moment", "statuses"), [("before_request", [200, 409]), ("before_answer", [200])])
def test_a_worker_whose_lease_ran_out_never_goes_back(
    school: CoachingSchool, watch: Watch, moment: str, statuses: list[int]
) -> None:
    """While the first one's score is on its way, or its answer, a second one delivers the same."""
    sub = school.teachers[0]
    school.tap(sub)
    begun = threading.Event()

    def second_worker(request: Request) -> None:
        if request.path.endswith("/scores") and not begun.is_set():
            begun.set()
            school.deliver()

    setattr(watch, moment, second_worker)
    school.deliver()
    assert school.state(sub) == ("sent", "")
    assert watch.scores() == statuses
    assert school.grades() == {sub: FULL}


def test_what_the_trainer_has_switched_off_is_not_sent(school: CoachingSchool, watch: Watch) -> None:
    sub = school.teachers[0]
    school.tap(sub)
    school.set_activity(reports_completion=False)
    school.work()
    assert watch.scores() == [] and school.state(sub) == ("stopped", "switched_off")


def test_a_suspended_platform_is_left_alone(school: CoachingSchool, watch: Watch, clock: Any) -> None:
    sub = school.teachers[0]
    with school.database.write() as session:
        registry.suspend(session, school.platform_id)
    school.tap(sub)
    school.work()
    school.look_after()
    assert school.work() == 0 and watch.seen == []
    with school.database.write() as session:
        session.execute(update(Platform).values(status="active"))
    school.look_after()
    school.work()
    assert school.state(sub) == ("sent", "")


def test_a_run_that_takes_long_makes_room_and_goes_on(school: CoachingSchool, clock: Any, watch: Watch) -> None:
    def slowly(_: Request) -> None:
        clock.advance(100)

    watch.before_answer = slowly
    school.tap(*school.teachers[:6])
    assert school.work() > 1
    assert len(school.grades()) == 6


def test_one_whom_the_lms_fails_on_never_stands_before_the_others(school: CoachingSchool, clock: Any) -> None:
    first, *others = school.teachers[:5]
    inner = school.lms.app.wsgi_app

    def fails_on_one(environ: dict[str, Any], start_response: Any) -> Any:
        request = whole(environ)
        if request.path.endswith("/scores") and request.get_json(force=True)["userId"] == first:
            start_response("500 Internal Server Error", [])
            return [b""]
        return inner(environ, start_response)

    school.lms.app.wsgi_app = fails_on_one  # type: ignore[method-assign]
    school.tap(first)
    clock.advance(1)
    school.tap(*others)
    with pytest.raises(JobFailed):
        school.deliver()
    with pytest.raises(JobFailed):
        school.deliver()
    assert {school.state(sub) for sub in others} == {("sent", "")}
    assert school.state(first) == ("waiting", "unreachable")


def test_a_job_of_an_activity_that_is_gone_does_nothing(app: Flask, database: Any, clock: Any) -> None:
    lti = app.extensions["meitheal"].lti
    service.deliver({"activity_id": "0" * 16}, database=database, http=lti.http, tokens=lti.tokens, clock=clock)


def test_nothing_waits_without_a_job(school: CoachingSchool, clock: Any) -> None:
    school.tap(school.teachers[0])
    with school.database.write() as session:
        session.execute(Job.__table__.delete())
    school.look_after()
    with school.database.read() as session:
        assert session.scalars(select(Job.key)).all() == [school.activity_id]
