"""Who is reminded of what, by the rows that there are: once, and never twice whatever dies on the way."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from browsers import recorded
from factories import MadeCourse, make_course, make_settings
from rounds.proposed import keyring_of
from schedule.mail_server import MailServer
from schedule.test_times import meet, pair_up, person_of
from sqlalchemy import delete, func, insert, select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles import service as cycles
from lti_tool.cycles.models import Cycle, CycleMember, Meeting, ProtocolVersion
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Invitation, Pair, PairMember
from lti_tool.people.models import Membership, Person, Platform
from lti_tool.rounds.models import Proposal, ProposalMember, RoundRun
from lti_tool.schedule import reminder_choices, reminder_words, reminders, school_weeks, week
from lti_tool.schedule.models import Reminder, ReminderChoice, ReminderSettings
from lti_tool.schedule.reminder_rules import KINDS, Outcome
from lti_tool.store.base import new_id
from lti_tool.store.database import Database

WEDNESDAY = datetime(2026, 11, 25, 9, tzinfo=UTC)
SETTINGS = make_settings()


@dataclass
class Sender:
    """Takes what is to be sent, and says of it what a test wants."""

    outcome: Outcome | Exception = field(default_factory=lambda: Outcome("sent"))
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def offers(self, _session: Any, _person_id: str) -> bool:
        return True

    def send(self, person_id: str, subject: str, text: str) -> Outcome:
        self.before()
        self.sent.append((person_id, subject, text))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class School:
    """A pair, and a worker that looks for what is to be sent."""

    def __init__(self, database: Database, clock: Any) -> None:
        clock.now = WEDNESDAY
        self.database, self.clock, self.sender = database, clock, Sender()
        self.course: MadeCourse = make_course(database, teachers=4, protocol="collegial", now=clock.now)
        self.pair, self.cycle = pair_up(database, self.course, clock, *self.course.teachers[:2])
        self.host, self.coach, self.third, _fourth = (person_of(database, each) for each in self.course.teachers)

    def choose(self, person_id: str, way: str = "lms", digest: str = "daily", *kinds: str) -> None:
        with self.database.write() as session:
            ways = dict.fromkeys(kinds or KINDS, way)
            reminder_choices.say(session, person_id, ways, digest, (8, 17))

    def run(self, hours: float = 0) -> list[tuple[str, str]]:
        """(To whom, text) of what left after so many hours."""
        self.clock.now += timedelta(hours=hours)
        self.sender.sent.clear()
        reminders.run(self.database, {"lms": self.sender}, SETTINGS, self.clock)
        return [(person_id, text) for person_id, _subject, text in self.sender.sent]

    def rows(self) -> list[tuple[str, str, str]]:
        with self.database.read() as session:
            rows = session.execute(select(Reminder.kind, Reminder.status, Reminder.problem).order_by(Reminder.kind))
            return [tuple(row) for row in rows]

    def change(self, *statements: Any) -> None:
        with self.database.write() as session:
            for each in statements:
                session.execute(each)

    def meeting(self, days: float, kind: str = "visit") -> None:
        meet(self.database, self.cycle, self.clock.now + timedelta(days=days), kind)


@pytest.fixture
def school(database: Database, clock: Any) -> School:
    return School(database, clock)


def test_who_said_nothing_is_sent_nothing(school: School) -> None:
    school.meeting(1)
    assert school.run() == [] and school.rows() == []
    school.choose(school.host, "page")
    school.choose(school.coach, "off")
    assert school.run(24) == [] and school.rows() == [], "nothing is even kept"


def test_a_booking_is_spoken_of_once_without_anybodys_name(school: School) -> None:
    school.choose(school.host)
    school.meeting(1)
    ((who, text),) = school.run()
    assert who == school.host and "The visit: Thursday 26 November, 09:00" in text and "https://lms-" in text
    assert school.sender.sent[0][1] == "Coaching: something is coming up"
    for name in ("Niamh", "Seán", "Bhriain", "Coaching cycle 1", "CPC"):
        assert name not in text
    assert school.run() == school.run(1) == school.run(30) == []
    assert school.rows() == [("meeting", "sent", "")]


def test_a_booking_that_moved_is_another_one(school: School) -> None:
    school.choose(school.host, "lms", "each")
    school.meeting(1)
    assert len(school.run()) == 1
    school.change(update(Meeting).values(starts_at=school.clock.now + timedelta(days=2)))
    assert school.run() == [], "it is two days ahead now"
    ((_who, text),) = school.run(24)
    assert "Friday 27 November" in text and school.run(1) == []


def test_several_things_leave_together_once_a_day(school: School) -> None:
    school.choose(school.host)
    school.meeting(1)
    school.meeting(1.1, "after")
    ((_who, text),) = school.run()
    assert text.index("The visit") < text.index("The conversation after the visit")
    school.change(update(Meeting).values(starts_at=Meeting.starts_at, minutes=20))
    school.meeting(0.2, "before")
    assert school.run() == [], "today's has left"
    school.choose(school.host, "lms", "each")
    assert len(school.run()) == 1


def test_one_message_for_each_where_somebody_wants_that(school: School) -> None:
    school.choose(school.host, "lms", "each")
    school.meeting(1)
    school.meeting(1.1, "after")
    assert len(school.run()) == 2 and school.run(1) == []


@pytest.mark.parametrize(
    ("days", "kind", "is_sent"),
    [(1, "meeting", True), (1, "turn", False), (1, "pairing", False)],
)
def test_each_kind_is_chosen_by_itself(school: School, days: int, kind: str, is_sent: bool) -> None:
    school.choose(school.host, "lms", "daily", kind)
    school.meeting(days)
    assert bool(school.run()) is is_sent


def test_a_step_that_has_waited_for_a_week_is_spoken_of_to_who_could_take_it(school: School) -> None:
    for each in (school.host, school.coach):
        school.choose(each, "lms", "daily", "turn")
    assert school.run(6 * 24) == []
    found = school.run(26)
    assert {who for who, _text in found} == {school.host, school.coach}
    assert "Your next step has been waiting since Wednesday 25 November." in found[0][1]
    assert school.run(24 * 5) == [], "once"


def test_many_cycles_at_once_are_as_one_by_one(school: School) -> None:
    with school.database.read() as session:
        loaded = cycles.load_many(session, Cycle.id == school.cycle)
        alone = {person: cycles.load(session, school.cycle, person) for person in (school.host, school.coach)}
    assert {cycle.viewer_id: cycle for cycle, _last in loaded} == alone
    school.change(update(CycleMember).where(CycleMember.person_id == school.coach).values(left_at=school.clock()))
    with school.database.read() as session:
        assert [each.viewer_id for each, _last in cycles.load_many(session, Cycle.id == school.cycle)] == [school.host]


def test_nothing_of_whoever_pauses_has_left_or_takes_part_no_longer(school: School) -> None:
    school.choose(school.host)
    school.meeting(1)
    host = school.course.teachers[0]
    for stop, go_on in (
        (
            update(PairMember).where(PairMember.membership_id == host).values(paused_at=school.clock()),
            update(PairMember).values(paused_at=None),
        ),
        (update(Pair).values(status="paused"), update(Pair).values(status="active")),
        (update(Pair).values(status="ended"), update(Pair).values(status="active")),
        (update(PairMember).values(is_current=False), update(PairMember).values(is_current=True)),
        (update(Cycle).values(status="stopped"), update(Cycle).values(status="running")),
        (update(Membership).values(is_active=False), update(Membership).values(is_active=True)),
        (update(Person).values(is_leader=True), update(Person).values(is_leader=False)),
        (update(Activity).values(audience="chosen"), update(Activity).values(audience="everyone")),
        (update(Platform).values(status="suspended"), update(Platform).values(status="active")),
    ):
        school.change(stop)
        assert school.run() == [] and school.rows() == []
        school.change(go_on)
    assert len(school.run()) == 1


def test_holidays_of_the_school_are_kept(school: School) -> None:
    school.choose(school.host)
    school.meeting(1)
    closed = week.Holiday(date(2026, 11, 23), date(2026, 11, 25))
    bells = week.SchoolWeek("Europe/Dublin", week.primary().days, (closed,))
    with school.database.write() as session:
        school_weeks.say(session, school.course.course_id, None, bells, 0, school.clock())
    assert school.run() == [] and school.rows() == []
    assert school.run(-9 + 24 + 7.9) == [], "before eight, on the day after"
    assert len(school.run(0.2)) == 1


def test_the_hours_are_those_of_the_readers_clock(school: School) -> None:
    school.choose(school.host)
    school.meeting(0.9)
    school.change(update(Person).where(Person.id == school.host).values(launch_zone="America/New_York"))
    assert school.run() == [], "four in the morning there"
    ((_who, text),) = school.run(4)
    assert "Thursday 26 November, 01:36" in text
    school.change(update(Person).where(Person.id == school.host).values(time_zone="Pacific/Auckland"))
    assert school.run(1) == []


def test_a_text_is_in_the_readers_language(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    class Irish:
        def gettext(self, text: str) -> str:
            return "An chuairt: %(when)s" if text.startswith("The visit") else f"ga {text}"

    assert reminder_words.language("", "ga-IE") == "ga" and reminder_words.language("", "../en") == "en"
    monkeypatch.setattr(
        reminder_words, "_catalogue", lambda code: Irish() if code == "ga" else pytest.fail("another language")
    )
    school.choose(school.host)
    school.meeting(1)
    school.change(update(Person).where(Person.id == school.host).values(locale="en", language="ga"))
    ((_who, text),) = school.run()
    assert "An chuairt: Déardaoin 26 Samhain, 09:00" in text
    assert school.sender.sent[0][1] == "ga Coaching: something is coming up"


def test_it_would_be_time_for_a_next_cycle(school: School) -> None:
    school.choose(school.host, "lms", "daily", "rhythm")
    finished = update(Cycle).values(status="finished", finished_at=school.clock())
    school.change(finished, update(Activity).values(cadence_weeks=2))
    assert school.run(13 * 24) == []
    ((_who, text),) = school.run(24)
    assert "ended on Wednesday 25 November" in text and school.run(24) == []
    school.change(update(Pair).values(cadence_weeks=0))
    school.choose(school.coach, "lms", "daily", "rhythm")
    assert school.run() == [], "the pair would like no hint"


def test_an_invitation_and_a_proposal_wait_for_an_answer(school: School, database: Database) -> None:
    school.choose(school.third, "lms", "each", "pairing")
    third, fourth = school.course.teachers[2:]
    where = {"course_id": school.course.course_id, "activity_id": school.course.activity_id}
    with database.write() as session:
        pairing.invite(session, host_id=fourth, coach_id=third, now=school.clock(), **where)
        run = RoundRun(
            activity_id=school.course.activity_id, number=1, status="out", seed=1, summary={},
            created_at=school.clock(), out_at=school.clock(), answer_by=school.clock() + timedelta(days=5),
        )  # fmt: skip
        session.add(run)
        session.flush()
        proposal = Proposal(run_id=run.id, status="open")
        session.add(proposal)
        session.flush()
        session.add(ProposalMember(proposal_id=proposal.id, membership_id=third))
    texts = sorted(text.splitlines()[2] for _who, text in school.run())
    assert texts[0].startswith("- A proposal for a partner waits") and texts[1].startswith("- An invitation")
    assert school.run(24) == []
    with database.write() as session:
        pairing.decline(session, session.scalars(select(Invitation.id)).all()[-1], school.clock())
    assert school.run(24) == []


# At most once


@pytest.mark.parametrize("status", ["sent", "unknown", "failed"])
def test_what_left_or_may_have_is_not_sent_again(school: School, status: str) -> None:
    school.choose(school.host, "lms", "each")
    school.meeting(1)
    school.sender.outcome = Outcome(status, "" if status == "sent" else "code")
    assert len(school.run()) == 1
    assert school.run() == school.run(1) == []
    assert school.rows() == [("meeting", status, "" if status == "sent" else "code")]


def test_what_did_not_leave_waits_and_a_way_that_is_down_is_left_alone(school: School) -> None:
    for each in (school.host, school.coach):
        school.choose(each)
    school.meeting(1)
    school.sender.outcome = Outcome("later", "unreachable", stops=True)
    assert len(school.run()) == 1, "not tried for everybody"
    assert {status for _kind, status, _problem in school.rows()} == {"waiting"}
    school.sender.outcome = Outcome("sent")
    assert len(school.run()) == 2 and school.run() == []


class Killed(BaseException):
    """A worker that dies."""


def test_a_worker_that_dies_between_sending_and_saying_so_sends_nothing_twice(school: School) -> None:
    for each in (school.host, school.coach):
        school.choose(each)
    school.meeting(1)

    def die() -> None:
        school.sender.sent.append(("somebody", "", ""))
        raise Killed

    school.sender.before = die
    with pytest.raises(Killed):
        school.run()
    assert len(school.sender.sent) == 1
    assert sorted(status for _kind, status, _problem in school.rows()) == ["sending", "waiting"]
    school.sender.before = lambda: None
    assert len(school.run()) == 1, "the other one's"
    assert sorted(status for _kind, status, _problem in school.rows()) == ["sending", "sent"]
    assert school.run(0.2) == []
    assert sorted(status for _kind, status, _problem in school.rows()) == ["sent", "unknown"]
    assert school.run(1) == []


def test_at_whatever_moment_a_worker_dies_nothing_is_sent_twice(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before or after each of its transactions, and before or after a message leaves; then others go on."""
    for each in (school.host, school.coach):
        school.choose(each, "lms", "each")
    school.meeting(1)
    delivered: list[tuple[str, str, str]] = []
    moments, deadly = [0], [0]
    write = Database.write

    def moment() -> None:
        moments[0] += 1
        if moments[0] == deadly[0]:
            raise Killed

    @contextlib.contextmanager
    def watched(database: Database) -> Iterator[Any]:
        moment()
        with write(database) as session:
            yield session
            moment()
        moment()

    def send(person_id: str, subject: str, text: str) -> Outcome:
        moment()
        delivered.append((person_id, subject, text))
        moment()
        return Outcome("sent")

    monkeypatch.setattr(Database, "write", watched)
    monkeypatch.setattr(school.sender, "send", send)
    died = True
    ended = set()
    while died:
        deadly[0] += 1
        moments[0], died = 0, False
        with contextlib.suppress(Killed):
            died = True
            school.run()
            died = False
        deadly_now, deadly[0] = deadly[0], -1
        school.run()
        left = [person_id for person_id, _subject, _text in delivered]
        assert len(left) == len(set(left)) and len(left) >= 1, deadly_now
        school.run(0.2)
        states = sorted(status for _kind, status, _problem in school.rows())
        assert states == ["sent", "sent"] if len(left) == 2 and not died else set(states) <= {"sent", "unknown"}
        ended |= set(states)
        deadly[0] = deadly_now
        delivered.clear()
        school.clock.now = WEDNESDAY
        school.change(delete(Reminder), update(ReminderSettings).values(last_sent_at=None))
    assert ended == {"sent", "unknown"} and deadly[0] > 15


def test_two_workers_at_once_send_a_thing_once(school: School) -> None:
    school.choose(school.host)
    school.meeting(1)
    other = Sender()

    def meanwhile() -> None:
        school.sender.before = lambda: None
        reminders.run(school.database, {"lms": other}, SETTINGS, school.clock)

    school.sender.before = meanwhile
    assert len(school.run()) == 1 and other.sent == []


def test_who_says_stop_while_it_is_about_to_leave_is_sent_nothing(school: School) -> None:
    for each in (school.host, school.coach):
        school.choose(each)
    school.meeting(1)

    def stop() -> None:
        with school.database.write() as session:
            for person_id in (school.host, school.coach):
                reminder_choices.stop(session, person_id)

    school.sender.before = stop
    assert len(school.run()) == 1 and school.run() == []


def test_e_mail_goes_to_a_confirmed_address_alone(school: School) -> None:
    server, keyring = MailServer(), keyring_of(school.database)
    mail = {"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "c@tool.example"}
    settings = make_settings(mail=mail)
    try:
        school.choose(school.host, "email")
        school.meeting(1)
        with school.database.write() as session:
            code = reminder_choices.say_address(session, keyring, school.host, "n@school.example", school.clock())
        reminders.run_all(school.database, keyring, settings, school.clock)
        assert server.messages == [] and school.rows() == []
        with school.database.write() as session:
            reminder_choices.confirm(session, keyring, school.host, code, school.clock())
        for _twice in range(2):
            reminders.run_all(school.database, keyring, settings, school.clock)
        ((to, message),) = server.messages
        assert to == "n@school.example" and message["Subject"] == "Coaching: something is coming up"
        reminders.run_all(school.database, keyring, make_settings(), school.clock)
        assert school.rows() == [("meeting", "sent", "")]
    finally:
        server.stop()


def test_old_reminders_and_addresses_of_strangers_are_deleted(school: School) -> None:
    keyring = keyring_of(school.database)
    school.choose(school.host)
    school.meeting(1)
    school.run()
    with school.database.write() as session:
        reminder_choices.say_address(session, keyring, school.coach, "stranger@school.example", school.clock())
        reminder_choices.forget_old(session, keyring, school.clock() + timedelta(hours=24))
        assert reminder_choices.mine(session, keyring, school.coach, school.clock()).email
        reminder_choices.forget_old(session, keyring, school.clock() + timedelta(hours=25))
        assert not reminder_choices.mine(session, keyring, school.coach, school.clock()).email
        reminder_choices.forget_old(session, keyring, school.clock() + timedelta(days=60))
        assert session.scalar(select(func.count()).select_from(Reminder)) == 1
        reminder_choices.forget_old(session, keyring, school.clock() + timedelta(days=60, minutes=1))
        assert session.scalar(select(func.count()).select_from(Reminder)) == 0


def many(school: School, pairs: int) -> None:
    """Pairs with a booking tomorrow and a step that waits, whose members all want to know."""
    now, course = school.clock(), school.course
    old = now - timedelta(days=8)
    with school.database.write() as session:
        version = session.scalars(select(ProtocolVersion.id)).first()
        people, members, couples, in_pairs, running, in_cycles, meetings, choices = ([] for _ in range(8))
        for _number in range(pairs):
            pair, cycle = new_id(), new_id()
            couples.append({"id": pair, "activity_id": course.activity_id, "status": "active", "created_at": old})
            running.append(
                {
                    "id": cycle, "pair_id": pair, "activity_id": course.activity_id, "number": 1, "status": "running",
                    "protocol_version_id": version, "stage": "start", "stage_since": old, "started_at": old,
                }
            )  # fmt: skip
            for role in ("host", "coach"):
                person, member = new_id(), new_id()
                people.append(
                    {"id": person, "platform_id": course.platform_id, "sub": person, "name": "N", "created_at": old}
                )
                members.append(
                    {
                        "id": member, "course_id": course.course_id, "person_id": person, "lms_role": "learner",
                        "created_at": old,
                    }
                )  # fmt: skip
                in_pairs.append({"pair_id": pair, "activity_id": course.activity_id, "membership_id": member})
                in_cycles.append({"cycle_id": cycle, "membership_id": member, "person_id": person, "role": role})
                choices += [{"person_id": person, "kind": kind, "way": "lms"} for kind in KINDS]
            meetings.append(
                {
                    "cycle_id": cycle, "kind": "visit", "starts_at": now + timedelta(days=1), "minutes": 40,
                    "place": b"", "set_by": people[-1]["id"],
                }
            )  # fmt: skip
        for table, rows in (
            (Person, people), (Membership, members), (Pair, couples), (PairMember, in_pairs), (Cycle, running),
            (CycleMember, in_cycles), (Meeting, meetings), (ReminderChoice, choices),
        ):  # fmt: skip
            session.execute(insert(table), rows)


def test_the_number_of_statements_does_not_depend_on_how_many_people_there_are(school: School) -> None:
    counts = []
    for pairs in (2, 30):
        many(school, pairs)
        with recorded(school.database) as statements:
            reminders.run(school.database, {"lms": school.sender}, SETTINGS, school.clock, stop=lambda: True)
        counts.append(len(statements))
    assert counts[0] <= 18 and counts[1] <= counts[0], counts
    with school.database.read() as session:
        waiting = select(Reminder.kind, func.count()).where(Reminder.status == "waiting").group_by(Reminder.kind)
        assert dict(session.execute(waiting).all()) == {"meeting": 64, "turn": 64}
    with recorded(school.database) as statements:
        assert len(school.run()) == 64
    assert len(statements) - counts[1] <= 64 * 3
    with school.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ReminderSettings)) == 64
