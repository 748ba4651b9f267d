"""The pages on which a teacher answers a proposal, through the app."""

import html
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from flask import Flask
from rounds.proposed import asked, keyring_of
from rounds.rounds_school import MadeRound, make_round
from sqlalchemy import update

from lti_tool.activities.models import Activity
from lti_tool.people.models import Membership
from lti_tool.rounds import answers, calculation, wishes
from lti_tool.rounds.rules import Settings, Topic, Why, Wish
from lti_tool.rounds.setting import keep
from lti_tool.store.database import Database


@pytest.fixture
def made(database: Database, clock: Any) -> MadeRound:
    return make_round(database, clock.now)


class People:
    """Browsers of the teachers of a round."""

    def __init__(self, app: Flask, database: Database, clock: Any, made: MadeRound) -> None:
        self.made, self.database, self.clock = made, database, clock
        self._open = lambda who: Browser(app, database, clock, who, made.activity_id)
        self._browsers: dict[str, Browser] = {}

    def browser(self, who: int | str) -> Browser:
        id_ = self.made.teachers[who] if isinstance(who, int) else who
        return self._browsers.setdefault(id_, self._browsers.get(id_) or self._open(id_))

    def read(self, who: int | str, path: str = "/round/proposal") -> str:
        return html.unescape(self.browser(who).get(path))

    def says(self, who: int, proposal: str, said: str) -> tuple[int, str]:
        answer = self.browser(who).post(f"/round/proposal/{proposal}", answer=said)
        return answer.status_code, (answer.location or "").removeprefix(self.browser(who).at)

    def asked(self, *groups: tuple[int, ...], **more: Any) -> list[str]:
        members = [[self.made.teachers[each] for each in group] for group in groups]
        return asked(self.database, self.made.activity_id, members, self.clock.now, **more)


@pytest.fixture
def people(app: Flask, database: Database, clock: Any, made: MadeRound) -> People:
    return People(app, database, clock, made)


def test_the_next_step_leads_to_the_proposal_and_the_proposal_says_why(
    people: People, database: Database, made: MadeRound
) -> None:
    with database.write() as session:
        keep(session, made.activity_id, Settings(topics=(Topic("own", "Yard games"),)))
    niamh, sean = made.teachers[:2]
    why = Why(wanted=((niamh, sean, "questions"), (sean, niamh, "own")), focus="waiting", languages=("ga",), talks=1)
    people.asked((0, 1), why=why)
    home = people.read(0, "/")
    assert "You could coach with Seán Ó Dónaill" in home and "/round/proposal" in home
    page = people.read(0)
    assert "You would like to work on “Questions that make pupils think”; Seán offers that." in page
    assert "Seán would like to work on “Yard games”; you offer that." in page
    assert "What matters most to each of you now is the same: “Time to think after a question”." in page
    assert "You would talk in Irish." in page and "There is 1 period in the week" in page
    assert "Seán offers that" not in people.read(1) and "Niamh would like to work on" in people.read(1)
    assert page.count("<h1") == 1 and "nobody learns it" in page
    assert "No proposal waits for you" in people.read(2)


def test_a_yes_of_all_leads_to_the_pair_and_nothing_else_does(people: People) -> None:
    first, second = people.asked((0, 1), (2, 3, 4))
    assert people.says(0, first, "yes") == (303, "/round/proposal")
    assert "You said yes." in people.read(0)
    assert "Your answer" in people.read(1), "nothing of the yes of the other"
    assert people.says(1, first, "yes") == (303, "/")
    assert people.says(1, first, "yes") == (303, "/"), "a double tap"
    assert "You coach with Niamh" in people.read(1, "/")
    assert "You coach with Seán in this round." in people.read(0)
    assert "Why you three" in people.read(2)
    for who in (2, 3):
        assert people.says(who, second, "yes") == (303, "/round/proposal")
    assert people.says(4, second, "yes") == (303, "/")
    # Names in order: of three, too.
    assert "You coach with Aoife and Oisín" in people.read(2, "/")
    page = people.read(2, "/pair")
    assert "all three of you in this round" in page and "the cycle that is open" not in page


def test_answers_can_be_changed_and_a_pause_takes_out_of_the_next_calculation(
    people: People, database: Database, clock: Any, made: MadeRound
) -> None:
    def is_in() -> bool:
        with database.read() as session:
            return wishes.mine(session, keyring_of(database), made.teachers[0], made.activity_id, clock.now).is_in

    with database.write() as session:
        wish = Wish(is_in=True, wants=("questions",))
        wishes.say(session, keyring_of(database), made.teachers[0], made.activity_id, wish, clock.now)
    (proposal,) = people.asked((0, 1))
    for said, page, stays in (
        ("pause", "You pause for now.", False),
        ("another", "You asked for another partner.", True),
        ("pause", "You pause for now.", False),
        ("yes", "You said yes.", True),
    ):
        assert people.says(0, proposal, said) == (303, "/round/proposal")
        assert page in people.read(0) and "Look at your answer" in people.read(0, "/")
        assert is_in() is stays


def test_what_one_would_like_tells_where_one_stands(people: People, database: Database, made: MadeRound) -> None:
    path, looked_for = "/round/wishes", "A partner is looked for"
    people.browser(0).post(path, do="yes")
    assert looked_for in people.read(0, path)
    (proposal,) = people.asked((0, 1))
    page = people.read(0, path)
    assert "A partner is proposed to you" in page and "/round/proposal" in page and looked_for not in page
    for who in (0, 1):
        people.says(who, proposal, "yes")
    page = people.read(0, path)
    assert "You coach with Seán" in page and looked_for not in page
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == made.activity_id).values(status="archived"))
    page = people.read(2, path)
    assert "Would you like a partner" not in page and page.count(" disabled>") == page.count('<fieldset class="card')


def test_who_is_not_asked_and_what_is_no_answer(
    people: People, made: MadeRound, database: Database, clock: Any
) -> None:
    (proposal,) = people.asked((0, 1))
    for who in (2, made.course.trainer, made.course.guest, made.course.leader, made.course.administrator):
        assert people.browser(who).post(f"/round/proposal/{proposal}", answer="yes").status_code == 404
        assert people.browser(who).status("/round/proposal") == (200 if who == 2 else 404)
    for odd in ("0" * 16, "x", "\0", "a" * 3000, "%00"):
        assert people.browser(0).post(f"/round/proposal/{odd}", answer="yes").status_code in (400, 404, 414)
    assert people.says(0, proposal, "no")[0] == 400 and people.says(0, proposal, "\0")[0] == 400
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == made.activity_id).values(status="archived"))
    assert people.says(0, proposal, "yes")[0] == 409
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == made.activity_id).values(status="open"))
    clock.now += timedelta(days=14)
    people._browsers.clear()
    assert people.says(0, proposal, "yes")[0] == 409, "late"
    assert "No proposal waits for you" in people.read(0)


def test_an_unread_proposal_of_somebody_who_is_gone_can_be_answered(
    people: People, database: Database, made: MadeRound
) -> None:
    (proposal,) = people.asked((0, 1))
    before = people.read(0)
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == made.teachers[1]).values(is_active=False))
    assert people.read(0) == before
    assert people.says(0, proposal, "yes") == (303, "/round/proposal")


@pytest.mark.parametrize(
    ("code", "said"),
    [("triad", "if three could go"), ("period", "one more free period"), ("", "No single change")],
)
def test_who_is_left_reads_what_would_help(people: People, made: MadeRound, code: str, said: str) -> None:
    people.asked((0, 1), left={made.teachers[2]: code})
    assert "/round/without" in people.read(2, "/") and "/round/without" not in people.read(3, "/")
    page = people.read(2, "/round/without")
    assert said in page and not any(name in page for name in ("Niamh", "Seán", "Oisín"))
    assert "did not leave you" in people.read(0, "/round/without")


def test_why_not_with_somebody_is_answered_from_what_it_would_cost(
    people: People, made: MadeRound, database: Database, clock: Any
) -> None:
    """Niamh and Seán, Gráinne and Oisín fit best; Aoife is left, and Pádraig said nothing."""
    keyring = keyring_of(database)
    with database.write() as session:
        for number, teacher in enumerate(made.teachers[:5]):
            topics = (("questions", "waiting"), ("feedback", "play"), ("irish", "routines"))[number // 2]
            wish = Wish(is_in=True, wants=topics, offers=topics, focus=topics[0])
            not_with = (made.teachers[3],) if number == 1 else ()
            wishes.say(session, keyring, teacher, made.activity_id, replace(wish, not_with=not_with), clock.now)
        keep(session, made.activity_id, Settings(triads=False))
        run_id = calculation.ask(session, made.activity_id, clock.now)
    calculation.run({"run_id": run_id}, database=database, keyring=keyring, clock=lambda: clock.now)
    assert "There is none at present" in people.read(0, "/round/why-not"), "nobody is asked yet"
    with database.write() as session:
        assert answers.publish(session, keyring, run_id, clock.now)
    assert "</span>Oisín Mac Cárthaigh</a>" in people.read(0, "/round/why-not?q=oisin")
    page = people.read(0, "/round/why-not")
    assert f"/why-not/{made.teachers[2]}" in page and f"/why-not/{made.teachers[1]}" not in page, "they are together"
    assert "You two" in people.read(0).replace("you two", "You two")
    said = [people.read(0, f"/round/why-not/{made.teachers[other]}") for other in (2, 3, 4, 5)]
    assert all("fit less well" in page or "would be left without a partner" in page for page in said)
    assert "You asked not to be paired with Oisín" in people.read(1, f"/round/why-not/{made.teachers[3]}")
    assert "You asked not" not in people.read(3, f"/round/why-not/{made.teachers[1]}")
    assert people.browser(0).status(f"/round/why-not/{made.teachers[1]}") == 303, "they are together"
    assert people.browser(5).status(f"/round/why-not/{made.teachers[1]}") == 303, "who was in no calculation"
    for odd in (made.teachers[0], made.course.trainer, made.course.leader, "0" * 16, "x", "%00", "a" * 2000):
        assert people.browser(0).status(f"/round/why-not/{odd}") == 404
    assert people.browser(made.course.trainer).status(f"/round/why-not/{made.teachers[1]}") == 404
    with recorded(database) as statements:
        people.read(0, f"/round/why-not/{made.teachers[2]}")
    assert len(statements) <= 12
    clock.now += timedelta(days=14)
    people._browsers.clear()
    assert people.browser(0).status(f"/round/why-not/{made.teachers[2]}") == 303


def test_the_pages_cost_at_most_twelve_statements(people: People, made: MadeRound, database: Database) -> None:
    people.asked((0, 1, 2), left={made.teachers[3]: "triad"}, why=Why(talks=3))
    for who, path in ((0, "/"), (0, "/round/proposal"), (3, "/"), (3, "/round/without")):
        people.browser(who).get(path)
        with recorded(database) as statements:
            people.browser(who).get(path)
        assert len(statements) <= 12, path
