"""How a run ends: taken over, late, put aside for months, or with its key shredded before its rows are gone."""

from collections.abc import Callable
from typing import Any

import pytest
from rounds.test_calculation import IN, School, drawn, found, keyring  # noqa: F401
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.people.models import Membership
from lti_tool.rounds import answers, calculation, wishes
from lti_tool.rounds.models import ProposalMember

Found = Callable[[int], School]
DAY = 24 * 3600


def ready(found: Found, teachers: int = 4) -> School:  # noqa: F811
    school = found(teachers)
    school.say(*((member, IN) for member in school.teachers))
    return school


def test_a_worker_that_fails_after_it_was_taken_over_harms_nothing(
    found: Found,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    school = ready(found)
    run_id = school.ask()
    real = calculation.find

    def fails(*given: Any) -> Any:
        monkeypatch.setattr(calculation, "find", real)
        school.run(run_id)
        raise ValueError

    monkeypatch.setattr(calculation, "find", fails)
    school.run(run_id)
    assert school.row(run_id).status == "review"
    assert school.stored(run_id) is not None


def test_those_whose_time_is_over_are_calculated_over_before_the_worker_comes(found: Found) -> None:  # noqa: F811
    school = ready(found)
    school.publish(school.calculate())
    school.clock.advance(14 * DAY + 1)
    assert school.summary(school.calculate()).people == 4


def test_a_problem_whose_key_is_gone_is_as_one_that_is_forgotten(found: Found) -> None:  # noqa: F811
    school = ready(found)
    run_id = school.calculate()
    school.keyring.shred(run_id, run_id, school.clock())
    assert school.stored(run_id) is None


def look_after(school: School) -> None:
    with school.database.write() as session:
        calculation.look_after(session, school.clock())
        answers.forget_over(session, school.keyring, school.clock())


@pytest.mark.parametrize("archived", [False, True])
def test_a_result_that_nobody_reviews_is_dropped(found: Found, archived: bool) -> None:  # noqa: F811
    school = ready(found)
    run_id = school.calculate()
    school.clock.advance(59 * DAY)
    look_after(school)
    assert school.row(run_id).status == "review"
    if archived:
        with school.database.write() as session:
            session.execute(update(Activity).where(Activity.id == school.made.activity_id).values(status="archived"))
    else:
        school.clock.advance(2 * DAY)
    look_after(school)
    run = school.row(run_id)
    assert (run.status, run.problem, run.proof) == ("dropped", None, None)
    assert not school.groups(run_id)


def test_who_deletes_what_they_said_is_proposed_without_it(found: Found) -> None:  # noqa: F811
    school = ready(found, 2)
    run_id = school.calculate()
    school.publish(run_id)
    me = school.teachers[0]
    with school.database.write() as session:
        person = session.scalars(select(Membership.person_id).where(Membership.id == me)).one()
        wishes.delete_of(session, school.keyring, person, school.made.activity_id, school.clock())
    with school.database.read() as session:
        assert session.scalars(select(ProposalMember.why)).all() == [None, None]


def test_the_partner_of_somebody_who_is_gone_is_left_without_one(found: Found) -> None:  # noqa: F811
    school = ready(found)
    run_id = school.calculate()
    gone, partner = sorted(next(iter(school.groups(run_id))))
    with school.database.write() as session:
        session.execute(update(Membership).where(Membership.id == gone).values(is_active=False))
    school.publish(run_id)
    assert school.left(run_id) == {partner: ""}
    summary = school.summary(run_id)
    assert (summary.pairs, summary.left) == (1, 1)
