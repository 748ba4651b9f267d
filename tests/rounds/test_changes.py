"""What another pair costs: the trainer's moves, the few alternatives, and why not with somebody."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from rounds.test_calculation import IN, School, drawn, found, keyring  # noqa: F401
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.matching.forced import cost
from lti_tool.matching.values import values
from lti_tool.ownership.erasure import erase
from lti_tool.people.models import Membership
from lti_tool.rounds import changes, wishes
from lti_tool.rounds.changes import WhyNot
from lti_tool.rounds.models import Proposal, RoundRun
from lti_tool.rounds.rules import MOVED, TOPICS, Wish

SECRET = b"s" * 32


def alternatives(school: School, run_id: str, member: str) -> list[changes.Alternative]:
    with school.database.read() as session:
        return changes.alternatives(session, school.keyring, run_id, member, SECRET, school.clock())


def move(school: School, run_id: str, *together: tuple[str, str]) -> changes.Cost:
    return changes.move(school.database, school.keyring, run_id, together, secret=SECRET, now=school.clock())


def why_not(school: School, run_id: str, me: str, other: str) -> WhyNot:
    with school.database.read() as session:
        return changes.why_not(session, school.keyring, run_id, me, other, secret=SECRET, now=school.clock())


@pytest.fixture
def calculated(found: Callable[[int], School]) -> tuple[School, str]:  # noqa: F811
    school = found(24)
    school.say(*((member, replace(wish, is_in=True)) for member, wish in drawn(random.Random(3), school.teachers)))
    return school, school.calculate()


def test_a_move_costs_what_was_said_and_the_rest_is_calculated_around_it(calculated: tuple[School, str]) -> None:
    school, run_id = calculated
    before, member = school.groups(run_id), school.stored(run_id).members[0]
    everybody = set().union(*before, school.left(run_id))
    offered = alternatives(school, run_id, member)
    assert 0 < len(offered) <= changes.OFFERED
    order = [(each.cost.after.left, -each.cost.after.worst, -each.cost.after.total) for each in offered]
    assert order == sorted(order)
    # By name: the very pairs that stay keep what was written of them.
    with school.database.read() as session:
        ids = set(session.scalars(select(Proposal.id).where(Proposal.run_id == run_id)))
    said, done = offered[-1].cost, move(school, run_id, (member, offered[-1].membership_id))
    assert (done.before, done.after) == (said.before, said.after)
    after = school.groups(run_id)
    assert frozenset((member, offered[-1].membership_id)) in after - before
    assert set().union(*after, school.left(run_id)) == everybody
    stored = school.stored(run_id)
    reached = values(stored.problem, stored.solution.pairs, stored.solution.triads, stored.solution.left)
    summary = school.summary(run_id)
    assert (summary.left, summary.worst, summary.total) == (reached.left, reached.worst, reached.total)
    assert (said.after.left, said.after.worst, said.after.total) == (reached.left, reached.worst, reached.total)
    with school.database.read() as session:
        rows = session.execute(
            select(Proposal.id, Proposal.moved, Proposal.attention).where(Proposal.run_id == run_id)
        ).all()
    assert [row.attention & MOVED for row in rows if row.moved] == [MOVED]
    assert len({row.id for row in rows} & ids) == len(before & after) > 0
    # A second move keeps the first, unless it is about the same people.
    other = next(each for each in stored.members if each not in (member, offered[-1].membership_id))
    second = next(
        each.membership_id
        for each in alternatives(school, run_id, other)
        if each.membership_id not in (member, offered[-1].membership_id)
    )
    move(school, run_id, (other, second))
    assert {frozenset((member, offered[-1].membership_id)), frozenset((other, second))} <= school.groups(run_id)
    assert len(school.stored(run_id).moved) == 2
    changes.move_back(school.database, school.keyring, run_id, now=school.clock())
    assert school.groups(run_id) == before and not school.stored(run_id).moved


def test_only_what_was_offered_can_be_moved(calculated: tuple[School, str]) -> None:
    school, run_id = calculated
    stored = school.stored(run_id)
    member = stored.members[0]
    offered = {each.membership_id for each in alternatives(school, run_id, member)}
    others = set(stored.members) - offered - {member}
    assert len(others) > 10
    for other in (*sorted(others)[:3], school.made.course.guest):
        with pytest.raises(changes.NotOffered):
            move(school, run_id, (member, other))


def test_nothing_is_moved_that_changed_meanwhile(
    calculated: tuple[School, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    school, run_id = calculated
    member, other = school.stored(run_id).members[:2]
    first = alternatives(school, run_id, member)[0].membership_id
    solve = changes.cost

    def meanwhile(*args: Any, **more: Any) -> Any:
        # The trainer's other window is quicker.
        monkeypatch.setattr(changes, "cost", solve)
        move(school, run_id, (other, alternatives(school, run_id, other)[0].membership_id))
        return solve(*args, **more)

    monkeypatch.setattr(changes, "cost", meanwhile)
    with pytest.raises(changes.Changed):
        move(school, run_id, (member, first))
    school.publish(run_id)
    with pytest.raises(changes.Changed):
        move(school, run_id, (member, first))


def test_a_quarter_of_the_possible_is_never_offered_and_the_same_quarter_each_time() -> None:
    drawn_out = Counter(changes._is_drawn_out(SECRET, "course", "me", f"m{number}") for number in range(4000))
    assert 900 < drawn_out[True] < 1100
    for number in range(50):
        one = changes._is_drawn_out(SECRET, "course", "me", f"m{number}")
        assert one is changes._is_drawn_out(SECRET, "course", f"m{number}", "me")


def test_who_left_or_found_a_partner_is_in_no_change(calculated: tuple[School, str]) -> None:
    school, run_id = calculated
    stored = school.stored(run_id)
    pairs = [tuple(stored.members[each] for each in pair) for pair in stored.solution.pairs]
    (gone, alone), (one, left_over), *_rest = pairs
    with school.database.write() as session:
        session.execute(update(Membership).where(Membership.id == gone).values(is_active=False))
    school.pair(one, school.teachers[-1] if school.teachers[-1] not in stored.members else pairs[2][0])
    assert alternatives(school, run_id, gone) == []
    offered = alternatives(school, run_id, alone)
    assert {each.membership_id for each in offered}.isdisjoint({gone, one})
    move(school, run_id, (alone, offered[0].membership_id))
    places = set().union(*school.groups(run_id), school.left(run_id))
    assert places.isdisjoint({gone, one}) and {alone, left_over} <= places


def test_who_is_left_is_offered_a_partner_of_somebody_else(found: Callable[[int], School]) -> None:  # noqa: F811
    school = found(9)
    school.choose(triads=False)
    school.say(*((member, IN) for member in school.teachers))
    run_id = school.calculate()
    (alone,) = school.left(run_id)
    offered = alternatives(school, run_id, alone)
    assert offered and {(each.cost.before.left, each.cost.after.left) for each in offered} == {(1, 1)}
    move(school, run_id, (alone, offered[0].membership_id))
    assert len(school.left(run_id)) == 1 and alone not in school.left(run_id)
    # Whoever was put together is gone for good: the other is as free as before.
    with school.database.write() as session:
        erase(session, school.keyring, person_of(session, alone), school.clock())
    other = offered[0].membership_id
    again = alternatives(school, run_id, other)
    assert again
    move(school, run_id, (other, again[0].membership_id))
    assert frozenset((other, again[0].membership_id)) in school.groups(run_id)
    move_back = changes.move_back(school.database, school.keyring, run_id, now=school.clock())
    assert move_back.after.left == 0 and alone not in set().union(*school.groups(run_id))


def person_of(session: Session, membership_id: str) -> str:
    return session.scalars(select(Membership.person_id).where(Membership.id == membership_id)).one()


def test_who_said_no_meanwhile_is_not_told_by_a_move(calculated: tuple[School, str]) -> None:
    school, run_id = calculated
    stored = school.stored(run_id)
    quiet, member = stored.members[0], stored.members[5]
    with school.database.write() as session:
        wishes.leave_round(session, school.keyring, quiet, school.made.activity_id, school.clock())
    partner = next(each.membership_id for each in alternatives(school, run_id, member) if each.membership_id != quiet)
    move(school, run_id, (member, partner))
    assert quiet in set().union(*school.groups(run_id), school.left(run_id))


# Why not


def test_why_not_is_said_by_the_first_aim_that_gets_worse(found: Callable[[int], School]) -> None:  # noqa: F811
    school = found(8)
    a, b, c, d, e, f, out, silent = school.teachers
    much = {"wants": TOPICS[:3], "offers": TOPICS[:3]}
    school.say(
        (a, Wish(True, not_with=(e,), **much)),
        (b, Wish(True, **much)),
        (c, Wish(True, wants=TOPICS[:2])),
        (d, Wish(True, offers=TOPICS[:2])),
        (e, Wish(True, **much)),
        (f, Wish(True, not_with=(a,), **much)),
        (out, Wish(False, **much)),
    )
    run_id = school.calculate()
    assert frozenset((c, d)) in school.groups(run_id)
    assert why_not(school, run_id, a, e) == "mine"
    # Nobody else learns of it.
    assert why_not(school, run_id, e, a) in ("as_good", "total")
    assert why_not(school, run_id, a, c) in ("worst", "total")
    stored = school.stored(run_id)
    for pair in stored.solution.pairs:
        one, two = (stored.members[each] for each in pair)
        assert why_not(school, run_id, one, two) == "as_good"
    assert why_not(school, run_id, silent, a) == "as_good"
    # Who said nothing has the answer of one who said as little, and is left.
    for other in (out, silent):
        assert why_not(school, run_id, a, other) != "mine"


def test_a_colleagues_veto_does_not_change_why_not(found: Callable[[int], School]) -> None:  # noqa: F811
    school, rnd = found(8), random.Random(2)
    said = {
        member: IN if number < 3 else Wish(True, tuple(rnd.sample(TOPICS[:4], 2)), tuple(rnd.sample(TOPICS[:4], 2)))
        for number, member in enumerate(school.teachers)
    }
    school.say(*said.items())
    first = school.calculate()
    apart = [
        (me, other)
        for me in school.teachers[:4]
        for other in school.teachers
        if me != other and frozenset((me, other)) not in school.groups(first)
    ]
    before = {pair: why_not(school, first, *pair) for pair in apart}
    assert len(set(before.values())) > 1
    run_id = first
    for me, other in (next(pair for pair in apart if before[pair] == code) for code in set(before.values())):
        school.drop(run_id)
        school.say((other, replace(said[other], not_with=(me,))))
        run_id = school.calculate()
        assert why_not(school, run_id, me, other) == before[me, other]
        assert why_not(school, run_id, other, me) == "mine"
        school.say((other, said[other]))


def test_nothing_is_offered_or_moved_that_leaves_more_people_out(
    found: Callable[[int], School],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    school = found(4)
    a, b, c, d = school.teachers
    monkeypatch.setattr(changes, "_is_drawn_out", lambda *_who: False)
    # C and D can only go with A and B.
    school.say((a, IN), (b, IN), (c, Wish(True, not_with=(d,))), (d, IN))
    run_id = school.calculate()
    (partner,) = next(group - {a} for group in school.groups(run_id) if a in group)
    assert [each.membership_id for each in alternatives(school, run_id, a)] == list({c, d} - {partner})
    with pytest.raises(changes.NotOffered):
        move(school, run_id, (a, b))


def test_the_cost_is_that_of_the_round_solved_again(calculated: tuple[School, str]) -> None:
    school, run_id = calculated
    stored = school.stored(run_id)
    me = stored.members[3]
    for each in alternatives(school, run_id, me):
        pair = (3, stored.members.index(each.membership_id))
        found_ = cost(stored.problem, stored.solution, [pair])
        assert each.cost.after.total == each.cost.before.total - found_.total_less
        assert each.cost.after.left == each.cost.before.left + found_.left_more


def test_a_forgotten_run_offers_nothing(calculated: tuple[School, str]) -> None:
    school, run_id = calculated
    member = school.stored(run_id).members[0]
    with school.database.write() as session:
        session.execute(update(RoundRun).where(RoundRun.id == run_id).values(problem=None, proof=None))
    assert school.stored(run_id) is None and alternatives(school, run_id, member) == []
    with pytest.raises(changes.Changed):
        move(school, run_id, (member, member))
