"""What is not a page, after a whole term: metrics, logs, error pages, jobs, deliveries, exports, what the LMS was sent.

Two pairs meet, write and finish, somebody says no, people launch, and much goes wrong on the way. Afterwards everything
that leaves the tool by another way than its owner's page is searched for what was written, for names, tokens and keys.
"""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from browsers import Browser
from completion.coaching_school import CoachingSchool, Lms, enrol
from completion.sandbox_here import COURSE
from cycles.pair_at_work import Desk
from door.fake_platform import Door
from factories import forget_loggers, make_settings
from flask import Flask
from observation import observed
from observation.made import made
from schedule.mail_server import MailServer
from schedule.written import ics_of
from sqlalchemy import inspect, select
from werkzeug import Request
from werkzeug.test import TestResponse

from lti_tool import worker
from lti_tool.activities.models import Activity
from lti_tool.completion.models import Delivery
from lti_tool.cycles import going_on
from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember, Meeting
from lti_tool.observation import grants, library
from lti_tool.pairing.models import Invitation
from lti_tool.people.models import Membership, Person, Platform
from lti_tool.schedule import lms_calendar, reminders
from lti_tool.schedule.models import Reminder
from lti_tool.store import jobs
from lti_tool.store.database import Database
from lti_tool.store.jobs_models import Job
from lti_tool.web.app import create_app
from moodle_sync import messages, sites, writing
from moodle_sync.client import SiteInfo
from moodle_sync.models import MoodleCourse, MoodleWrite

MARK = "canary-"
"""In every text that anybody types in this term."""
SHARED = ("norms", "goal", "criteria", "looking_back", "next_steps")
ONES_OWN = ("happened", "own_learning", "own_next", "six.felt")


@dataclass
class Term:
    """A term, and what it left behind."""

    school: CoachingSchool
    door: Door
    mails: MailServer
    pairs: list[tuple[Desk, Desk]] = field(default_factory=list)
    refused: list[TestResponse] = field(default_factory=list)
    """Error pages, other than those that give somebody back what they have just typed."""
    told_lms: list[str] = field(default_factory=list)
    """Path and body of all that was sent to the LMS, without the token of its web services."""
    tokens: set[str] = field(default_factory=set)
    """Whatever lets somebody in: of browsers, of launches, and for the services of the LMS."""


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """All lines that are logged, at the lowest level."""
    stream = io.StringIO()
    monkeypatch.setattr("lti_tool.web.logs._StandardError", lambda: stream)
    return stream


@pytest.fixture
def mails() -> Iterator[MailServer]:
    made = MailServer()
    yield made
    made.stop()


@pytest.fixture
def app(logged: io.StringIO, mails: MailServer, database: Database, clock: Any) -> Flask:
    forget_loggers()
    mail = {"host": "127.0.0.1", "port": mails.port, "tls": "none", "from": "c@tool.example"}
    settings = make_settings(log={"level": "debug"}, mail=mail, rhythm={"quiet_months": []})
    made = create_app(settings, database=database, clock=clock)
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def term(
    app: Flask, mails: MailServer, database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Term]:
    lms = Lms("moodle", app.extensions["meitheal"].lti.keys.jwks(), lambda: clock().timestamp(), True)
    activity_id, members = enrol(lms.school, database, clock())
    # Launches come from an LMS of their own, whose network is a double.
    entrance = create_app(make_settings(log={"level": "debug"}), database=database, clock=clock)
    school = CoachingSchool(lms, app, database, clock, activity_id, members)
    lived = Term(school, Door(entrance, database, clock), mails)
    _listen(lived)
    _pair_up(lived)
    for pair in lived.pairs:
        _coach(lived, *pair)
        _write_beside(lived, *pair)
        _observe(lived, *pair)
    _remind(lived, monkeypatch)
    _launch(lived)
    _break(lived, monkeypatch)
    _report(lived)
    yield lived
    lms.stop()


def _listen(term: Term) -> None:
    """Notes what the LMS is sent, and with which token."""
    inner = term.school.lms.app.wsgi_app

    def listening(environ: dict[str, Any], start_response: Any) -> Any:
        body = Request(environ).get_data()
        request = Request(environ | {"wsgi.input": io.BytesIO(body)})
        if not request.path.startswith("/sandbox/") and "client_assertion" not in request.form:
            told = body.decode().replace(term.school.lms.school.web_services.token, "")
            term.told_lms.append(f"{request.full_path} {told}")
        if bearer := request.headers.get("Authorization"):
            term.tokens.add(bearer.removeprefix("Bearer "))
        if assertion := request.form.get("client_assertion"):
            term.tokens.add(assertion)
        environ["wsgi.input"] = io.BytesIO(body)
        return inner(environ, start_response)

    term.school.lms.app.wsgi_app = listening  # type: ignore[method-assign]


def _pair_up(term: Term) -> None:
    """Two pairs by invitation, a no, and a change of mind."""
    school = term.school
    people = [school.browser(sub) for sub in school.teachers[:5]]
    for browser in people:
        _keep_tokens(term, browser)
    _wish(term, people)
    for host, coach in ((people[0], people[1]), (people[2], people[3])):
        assert host.post(f"/partner/{people[4].membership}").status_code == 303
        assert people[4].post(f"/invitations/{_invitation(term, host)}/decline").status_code == 303
        assert host.post(f"/invitations/{_invitation(term, host)}/withdraw").status_code == 303
        assert host.post(f"/partner/{coach.membership}").status_code == 303
        assert coach.post(f"/invitations/{_invitation(term, host)}/accept").status_code == 303
        with school.database.read() as session:
            cycle = session.scalars(
                select(CycleMember.cycle_id).where(CycleMember.membership_id == host.membership)
            ).one()
        term.pairs.append((Desk(host.client, host.at, cycle), Desk(coach.client, coach.at, cycle)))


def _wish(term: Term, people: list[Browser]) -> None:
    """What each would like of a pairing round, which the activity is at first; and something too long, given back."""
    term.school.set_activity(kind="pairing")
    for browser, role in zip(people, ("host", "coach") * 2, strict=False):
        for words, status in ((f"{MARK}{role}-wish", 303), (f"{MARK}{role}-wish" + "x" * 60, 400)):
            said = {"whole": "1", "do": "yes", "subject": words}
            assert browser.post("/round/wishes", **said).status_code == status
        assert browser.post("/round/wishes/not-with", q=f"{MARK}name").status_code == 200
    term.school.set_activity(kind="cycle")


def _invitation(term: Term, host: Browser) -> str:
    with term.school.database.read() as session:
        open_ones = Invitation.status.in_(("open", "declined"))
        return session.scalars(select(Invitation.id).where(Invitation.host_id == host.membership, open_ones)).one()


def _keep_tokens(term: Term, browser: Browser) -> None:
    term.tokens |= {cookie.value for cookie in browser.client._cookies.values() if len(cookie.value) > 15}
    term.tokens.add(browser.token)


def _coach(term: Term, host: Desk, coach: Desk) -> None:
    """A cycle from the first word to both reflections."""
    for desk, role in ((host, "host"), (coach, "coach")):
        for key in ("hopes", *ONES_OWN, *(SHARED if desk is host else ())):
            desk.post(f"texts/{key}", text=f"{MARK}{role}-{key}")
            assert desk.status == 303, key
        growing = {"csrf_token": desk.token(), "text": f"{MARK}{role}-growth"}
        assert desk.client.post(f"{desk.at}/growth", data=growing).status_code == 303
        desk.client.get(f"{desk.at}/years")
    for desk in (host, coach):
        desk.get("start")
        desk.press("agreements/together")
    for desk in (host, coach):
        desk.get("before")
        desk.press("agreements/goal")
    starts = (term.school.clock() + timedelta(days=2)).strftime("%Y-%m-%dT12:00")
    host.get("before")
    host.press("before/meetings/before", before__starts=starts, before__minutes="20", before__place=f"{MARK}place")
    assert MARK + "place" in host.get("before")
    coach.get("before")
    coach.press("before/done")
    host.get("after")
    host.press("after/done")
    for desk in (host, coach):
        desk.get("reflect")
        desk.press("reflect/submit")
    with term.school.database.read() as session:
        assert session.scalars(select(Cycle.status).where(Cycle.id == host.cycle_id)).one() == "finished"


def _observe(term: Term, host: Desk, coach: Desk) -> None:
    """In their next cycle, which has a visit, the coach captures it with what the host built; what is odd, and what
    comes later, is refused."""
    app, database, now = term.school.app, term.school.database, term.school.clock()
    keyring = app.extensions["meitheal"].keyring
    built = replace(made("scripting"), name=f"{MARK}host-instrument")
    cycle_id = _begin_with_a_visit(term, host.cycle_id)
    instrument = observed.approved(database, keyring, cycle_id, built, now)
    visit = observed.observation(database, keyring, cycle_id, instrument, now)
    with database.write() as session:
        library.keep(
            session, keyring, observed.members(database, cycle_id)["host"][1], built, "t", now, with_plan=False
        )
        code = grants.new_code(session, visit, now)
    tab = observed.Tab(app.test_client(), visit)
    assert tab.client.post("/visit", data={"code": code}, headers=observed.ORIGIN).status_code == 303
    cookie = tab.client.get_cookie(f"__Host-visit-{visit}", domain="localhost")
    assert cookie is not None
    term.tokens |= {code, cookie.value}
    line = {"number": 1, "at_ms": 1, "column": "mine", "text": f"{MARK}coach-captured"}
    assert tab.send(line)["have"] == 1 and built.name in str(tab.data())
    tab.send(line | {"number": 2, "code": f"{MARK}code"})
    other = observed.Tab(term.pairs[0][0].client, visit)
    for ask in (other.data, other.close, lambda: other.send(line)):
        ask()
    tab.close()
    tab.send(line | {"number": 3})
    term.refused += [tab.answers[2], *other.answers, tab.answers[-1]]
    assert [each.status_code for each in term.refused[-5:]] == [400, 404, 404, 404, 410]


def _begin_with_a_visit(term: Term, last_id: str) -> str:
    """The second cycle of a pair, of a protocol in which something is noted; returns its id."""
    school = term.school
    roles = {membership: role for role, (membership, _) in observed.members(school.database, last_id).items()}
    school.set_activity(protocol="collegial")
    with school.database.write() as session:
        pair_id = session.scalars(select(Cycle.pair_id).where(Cycle.id == last_id)).one()
        cycle_id = going_on.start(
            session, pair_id=pair_id, activity_id=school.activity_id, roles=roles, now=school.clock(), number=2
        )
    school.set_activity(protocol="light")
    return cycle_id


def _write_beside(term: Term, host: Desk, coach: Desk) -> None:
    """A message of each in their thread, a door of the host, and one message too long, which is given back."""
    for desk, role in ((host, "host"), (coach, "coach")):
        thread = desk.client.get(f"{desk.at}/thread").location
        for text, status in ((f"{MARK}{role}-message", 303), (f"{MARK}long" + "x" * 2000, 400)):
            sent = desk.client.post(thread, data={"csrf_token": desk.token(), "text": text})
            assert sent.status_code == status
    offered = {"csrf_token": host.token(), "text-topic": f"{MARK}host-door", "text-suits": f"{MARK}host-suits"}
    assert host.client.post(f"{host.at}/doors/offer", data=offered).status_code == 303
    _say_times(term, host, coach)


def _say_times(term: Term, host: Desk, coach: Desk) -> None:
    """The host's timetable is at an address that nobody answers; the coach brings a file, and one that is none."""
    for desk, brought, status in (
        (host, {"address": f"http://127.0.0.1:1/{MARK}address.ics"}, 303),
        (coach, {"file": (io.BytesIO(ics_of(term.school.clock(), f"{MARK}lesson")), "x.ics")}, 303),
        (coach, {"file": (io.BytesIO(MARK.encode()), f"{MARK}name.ics")}, 400),
    ):
        sent = desk.client.post(f"{desk.at}/timetable/calendar", data={"csrf_token": desk.token()} | brought)
        assert sent.status_code == status
    for desk, role in ((host, "host"), (coach, "coach")):
        shown = desk.client.post(f"{desk.at}/calendar", data={"csrf_token": desk.token(), "names": "1"})
        found = re.search(r"/calendar/([\w-]{43})\.ics", shown.get_data(as_text=True))
        assert found
        term.tokens.add(found.group(1))
        assert term.school.app.test_client().get(found.group()).status_code == 200
        term.refused.append(term.school.app.test_client().get(found.group().replace(".ics", "x.ics")))
        spent = {"day": f"{term.school.clock():%Y-%m-%d}", "minutes": "20", "note": f"{MARK}{role}-time"}
        for note, status in ((spent["note"], 303), (spent["note"] + "x" * 200, 400)):
            sent = desk.client.post(f"{desk.at}/time", data={"csrf_token": desk.token()} | spent | {"note": note})
            assert sent.status_code == status


def _remind(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both pairs come into the groups, the calendar and the messages of the LMS, hosts are reminded by e-mail, too."""
    school = term.school
    tool = school.app.extensions["meitheal"]
    _connect(term)
    sender = messages.Messages(school.database, tool.keyring.masters, tool.lti.http, school.clock)
    monkeypatch.setitem(reminders.SENDERS, "lms", sender)
    now = school.clock()
    # On a school day, at an hour of the day at which somebody may be reminded.
    day = now + timedelta(days=(7 - now.weekday()) if now.weekday() > 3 else 1)
    hour = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    for pair in term.pairs:
        cycle_id = _running(term, pair[0].cycle_id)
        for desk, way in zip(pair, ("email", "lms"), strict=True):
            token = {"csrf_token": desk.token()}
            if way == "email":
                typed = {"email": f"{MARK}host@school.example"}
                assert desk.client.post(f"{desk.at}/reminders/address", data=token | typed).status_code == 303
                code = re.search(r"\b\d{6}\b", term.mails.messages[-1][1].get_content())
                assert code
                confirmed = desk.client.post(f"{desk.at}/reminders/code", data=token | {"code": code.group()})
                assert confirmed.status_code == 303
            ways = dict.fromkeys(("way-meeting", "way-turn", "way-rhythm", "way-pairing"), way)
            said = token | ways | {"digest": "each", "from": "6", "to": "21"}
            assert desk.client.post(f"{desk.at}/reminders", data=said).status_code == 303
        with school.database.write() as session:
            host = observed.members(school.database, cycle_id)["host"][1]
            session.add(
                Meeting(
                    cycle_id=cycle_id, kind="visit", starts_at=hour + timedelta(hours=5), minutes=40, place=b"",
                    set_by=host,
                )
            )  # fmt: skip
    reminders.run_all(school.database, tool.keyring, tool.settings, lambda: hour)
    writing.look_after(school.database, school.clock)
    kinds = worker.handlers(school.database, tool.lti, tool.keyring, school.clock)
    jobs.run_due(school.database, {writing.JOB: kinds[writing.JOB]}, (), school.clock)


def _connect(term: Term) -> None:
    """What an operator, a trainer and the pairs say so that something is written to the LMS."""
    school, sandbox = term.school, term.school.lms.school
    masters = school.app.extensions["meitheal"].keyring.masters
    info = SiteInfo("4.4", 2, frozenset(sandbox.web_services.functions), sandbox.issuer)
    token = sandbox.web_services.token
    term.tokens.add(token)
    with school.database.write() as session:
        platform_id = session.scalars(select(Platform.id).where(Platform.issuer == sandbox.issuer)).one()
        sites.connect(session, masters, platform_id, sandbox.base_url, token, info, school.clock())
        session.flush()
        sites.allow(session, platform_id, events=True, messages=True)
        course_id = session.scalars(select(Activity.course_id).where(Activity.id == school.activity_id)).one()
        session.add(MoodleCourse(course_id=course_id, moodle_id=int(COURSE), writes_groups=True))
        for person_id in session.scalars(select(Membership.person_id)).all():
            lms_calendar.say(session, person_id, wanted=True)


def _running(term: Term, last_id: str) -> str:
    """The cycle of a pair that goes on now."""
    with term.school.database.read() as session:
        pair_id = session.scalars(select(Cycle.pair_id).where(Cycle.id == last_id)).one()
        return session.scalars(select(Cycle.id).where(Cycle.pair_id == pair_id, Cycle.status == "running")).one()


def _launch(term: Term) -> None:
    """One comes in; others do not: used twice, forged, from elsewhere, with nonsense."""
    door = term.door
    client = door.browser()
    begun = door.begin(client)
    token = door.token(begun)
    assert door.post(client, begun, token).status_code == 303
    term.tokens |= {token, begun.state, begun.nonce}
    term.tokens |= {cookie.value for cookie in client._cookies.values() if len(cookie.value) > 15}
    forged = token[:-8] + "AAAAAAAA"
    term.refused.append(door.post(door.browser(), begun, token))
    again = door.begin(client)
    term.tokens |= {forged, again.state, again.nonce}
    term.refused.append(door.post(client, again, forged))
    term.refused.append(door.login(door.browser(), iss=f"https://{MARK}issuer.example"))
    term.refused.append(client.get(f"/lti/register?invite={MARK}invite&openid_configuration={MARK}"))
    term.refused.append(client.get(f"/school/open?code={MARK}code"))


def _break(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    """Foreign addresses, forms without a token, odd input, and an error that nobody foresaw with content in it."""
    (host, coach), (other, _) = term.pairs
    for path in ("start", "reflect", "reflect/versions/1", f"texts/own_learning/history?q={MARK}q"):
        term.refused.append(other.client.get(f"{other.at}/cycles/{host.cycle_id}/{path}"))
    term.refused.append(host.client.get(f"{host.at}/{MARK}nowhere"))
    term.refused.append(other.client.get(f"{host.at}/cycles/{host.cycle_id}"))
    # Whoever is refused gets back what they typed themselves: such pages are not searched.
    assert other.client.post(f"{host.at}/cycles/{host.cycle_id}/texts/goal", data={"text": MARK}).status_code == 401
    assert coach.client.post(f"{coach.cycle}/texts/happened", data={"text": f"{MARK}no-token"}).status_code == 400
    host.get("before")
    host.press("before/meetings/before", before__starts="\x00never", before__place=f"{MARK}place-2")

    def fails(*_arguments: Any, **_options: Any) -> Any:
        raise RuntimeError(f"{MARK}in an exception, near Niamh Ní Bhriain")

    with monkeypatch.context() as broken:
        broken.setattr(cycles, "read", fails, raising=False)
        broken.setattr(cycles, "current", fails)
        term.refused.append(host.client.get(f"{host.at}/"))
    assert term.refused[-1].status_code == 500
    assert not [(answer.request.path, answer.status) for answer in term.refused if answer.status_code < 400]


def _report(term: Term) -> None:
    """The first pair's completion reaches the gradebook, the second's does not; the worker does all it has to."""
    school = term.school
    tool = school.app.extensions["meitheal"]
    tasks = worker.periodic(tool.settings, school.database, tool.keyring, school.clock)
    jobs.schedule(school.database, tasks, school.clock())
    for pair, down in zip(term.pairs, (False, True), strict=True):
        if down:
            school.faults(down=True)
        for desk in pair:
            assert desk.client.post(f"{desk.at}/completion/tell", data={"csrf_token": desk.token()}).status_code == 303
        kinds = worker.handlers(school.database, tool.lti, tool.keyring, school.clock)
        jobs.run_due(school.database, kinds, tasks, school.clock)


# What is searched.


def leaves(term: Term, logged: io.StringIO) -> Iterator[tuple[str, str]]:
    """Everything that leaves the tool without being a page of the one who wrote: what it is, and its text."""
    client = term.school.app.test_client()
    for path in ("/metrics", "/healthz", "/readyz", "/lti/jwks.json", "/lti/config.json", "/"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        yield path, answer.get_data(as_text=True)
    yield "the log", logged.getvalue()
    for answer in term.refused:
        yield f"the page {answer.status_code} of {answer.request.path}", answer.get_data(as_text=True)
    yield "what the LMS was sent", "\n".join(term.told_lms)
    for _address, mail in term.mails.messages:
        yield "an e-mail", f"{mail['Subject']} {mail['From']} {mail.get_content()}"
    with term.school.database.read() as session:
        for model in (Job, Delivery, Reminder, MoodleWrite):
            for row in session.execute(select(*model.__table__.columns)):
                yield f"a row of {model.__tablename__}", repr(row)


def test_nothing_of_anybody_leaves_by_another_way_than_their_pages(
    term: Term, logged: io.StringIO, database: Database
) -> None:
    with database.read() as session:
        rows = session.execute(select(Person.name, Person.family_name, Person.given_name)).all()
        known = {row.name for row in rows if row.name} | {row.family_name for row in rows if len(row.family_name) > 3}
        waiting = session.scalars(select(Delivery.status)).all()
        errors = set(session.scalars(select(Job.last_error)))
    settings = term.school.app.extensions["meitheal"].settings
    keys = [getattr(settings, name).get_secret_value() for name in ("secret_key", "master_key")]
    secrets = term.tokens | {"PRIVATE KEY"}
    for key in keys:
        raw = key if isinstance(key, bytes) else str(key).encode()
        secrets |= {base64.b64encode(raw).decode(), raw.hex(), raw.decode("latin-1")}
    # The search means something only if there was something to find, and places where it could be.
    assert len(known) > 10 and len(term.tokens) > 10
    assert sum("scoreGiven" in sent for sent in term.told_lms) >= 2
    assert sorted(waiting) == ["sent", "sent", "waiting", "waiting"] and errors - {""}
    told = "\n".join(term.told_lms)
    for function in ("core_group_create_groups", "core_calendar_create_calendar_events", "core_message_send"):
        assert function in told, function
    assert len(term.mails.messages) >= 4, "a code and a reminder for each host"
    assert "unexpected" in logged.getvalue() and len(logged.getvalue().splitlines()) > 10
    found = {
        f"{where} holds {needle!r}"
        for where, text in leaves(term, logged)
        for needle in (MARK, "Niamh Ní Bhriain", *known, *secrets)
        if needle in _without_form_tokens(text)
    }
    found |= {*_published(term), *_taken(term), *_in_clear(term)}
    assert not found, "\n".join(sorted(found))


def _without_form_tokens(page: str) -> str:
    """A page without the tokens in its own forms: they are meant to be there, and within a second are all the same."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", page)


def _published(term: Term) -> Iterator[str]:
    keys = term.school.app.test_client().get("/lti/jwks.json").get_json()["keys"]
    if not keys or any(key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"} for key in keys):
        yield "no keys are published, or more than their public part"


def _taken(term: Term) -> Iterator[str]:
    """What somebody takes away holds what is theirs, and nothing that only their partner may read."""
    for host, coach in term.pairs:
        for mine, me, partner in ((host, "host", "coach"), (coach, "coach", "host")):
            for name in ("mine.json", "mine.html"):
                taken = mine.client.get(f"{mine.at}/mine/{name}").get_data(as_text=True)
                for key in (*ONES_OWN, "growth", "wish", "time", *(["captured"] if me == "coach" else [])):
                    if f"{MARK}{me}-{key}" not in taken or f"{MARK}{partner}-{key}" in taken:
                        yield f"{name} of the {me} lacks their {key}, or holds their partner's"
                if f"{MARK}host-instrument" not in taken or (f"{MARK}coach-captured" in taken) != (me == "coach"):
                    yield f"{name} of the {me} lacks what they look with, or holds what is the coach's alone"
                if f"{MARK}host-message" not in taken or f"{MARK}coach-message" not in taken:
                    yield f"{name} of the {me} lacks a message of their thread"
                if (f"{MARK}host-door" in taken) != (me == "host"):
                    yield f"{name} of the {me} lacks their door, or holds their partner's"


def _in_clear(term: Term) -> Iterator[str]:
    """Columns, of any table, with a word that was typed or with what lets somebody in."""
    database = term.school.database
    with database.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):
                text = " ".join(each.decode("latin-1") if isinstance(each, bytes) else str(each) for each in row)
                if any(needle in text for needle in (MARK, *term.tokens)):
                    yield f"{table} holds content or a token in clear"
