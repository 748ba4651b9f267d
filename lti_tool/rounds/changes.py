"""What another pair would cost: a trainer who moves people, the few alternatives offered, and why not with somebody.

Every answer is from the round solved again with that pair made. What is asked about is only ever whether it makes
others worse off, and never what forbids it.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.matching.certificate import Certificate, unit
from lti_tool.matching.forced import cost
from lti_tool.matching.graph import Graph, best_of_each, components
from lti_tool.matching.plan import narrowed
from lti_tool.matching.problem import Problem, Solution
from lti_tool.matching.solve import solve
from lti_tool.matching.values import Values, values
from lti_tool.privacy.keyring import Keyring
from lti_tool.rounds import everybody as people
from lti_tool.rounds import fit, keeping, wishes
from lti_tool.rounds.keeping import StoredProblem
from lti_tool.rounds.models import Proposal, ProposalMember, RoundLeft, RoundRun
from lti_tool.rounds.rules import Summary
from lti_tool.rounds.solving import helps_of
from lti_tool.store.database import Database

OFFERED = 5
"""Alternatives that a trainer is offered for one person, the least costly."""
NEVER_OFFERED = 4
"""Of the possible partners of somebody, one in so many is never offered: so that whoever is missing there can be so by
that alone, and need not have asked not to be paired."""

SOLVED_EXACTLY = 50_000
"""Up to so many possible pairs, those of some 300 people, a change is solved among all of them while a page waits."""
HELPED = 20
"""After a change, for so many of those who are left it is worked out anew what would help."""
NEAR, NEARER = 10, 100
"""Beyond, for each person so many pairs are looked at: what a change costs is what is said, or less."""
_AT_ONCE = 500

Group = tuple[int, ...]


class NotOffered(Exception):
    """The trainer was not offered to put these two together, whatever the reason."""


class Changed(Exception):
    """The run is not in review any more, or somebody else moved people meanwhile."""


@dataclass(frozen=True, slots=True)
class Cost:
    """How a result is by the aims, and how it would be."""

    before: Values
    after: Values
    others: int = 0
    """How many people, beside the two who are put together, have another partner then."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another partner for somebody, and what it costs all others."""

    membership_id: str
    cost: Cost


WhyNot = Literal["mine", "instead", "worst", "total", "as_good"]
"""Why two are not paired. mine: who asks has asked not to be. instead: who asks was left, and then somebody else would
be. worst: more would be without a partner, or the pair that fits least would fit less; which of the two is not said, as
it could tell who cannot go with whom. total: all together would fit less. as_good: nothing of it."""


def alternatives(
    session: Session, keyring: Keyring, run_id: str, membership_id: str, secret: bytes, now: datetime
) -> list[Alternative]:
    """The partners that a trainer is offered for somebody instead of what was calculated, the least costly first.

    None that would leave more people out: of few people it would tell that two others cannot go together.
    """
    stored = keeping.read(session, keyring.opened(session, run_id, now), run_id)
    me = stored.number(membership_id) if stored else None
    if stored is None or me is None:
        return []
    activity_id, course_id = _places(session, run_id)
    free = people.free(session, activity_id, now)
    now_there = _present(stored, free)
    before = _values(now_there, now_there.solution, free)
    shortlist = _shortlist(now_there, me, course_id, secret)
    now_there = _narrowed(now_there, (me, *shortlist), SOLVED_EXACTLY, stored.problem)
    found = []
    for other in shortlist:
        again = cost(now_there.problem, now_there.solution, _with(now_there.moved, (me, other))).solution
        others, after = _others(now_there.solution, again, (me, other)), _values(now_there, again, free)
        if after.left <= before.left:
            found.append(Alternative(stored.members[other], Cost(before, after, others)))
    return sorted(found, key=lambda each: (*_badness(each.cost.after), each.membership_id))


def move(
    database: Database,
    keyring: Keyring,
    run_id: str,
    together: Sequence[tuple[str, str]],
    *,
    secret: bytes,
    now: datetime,
) -> Cost:
    """Puts people together as their trainer wants it, and calculates all others around them and around those whom the
    trainer put together before; nobody is asked yet. Raises NotOffered, Changed.

    `together`: membership ids, of which the second was offered for the first.
    """
    with database.read() as session:
        stored = _in_review(session, keyring, run_id, now)
        activity_id, course_id = _places(session, run_id)
        free = people.free(session, activity_id, now)
    now_there = _present(stored, free)
    groups: Sequence[Group] = now_there.moved
    for one, other in together:
        a, b = stored.number(one), stored.number(other)
        if a is None or b is None or b not in _shortlist(now_there, a, course_id, secret):
            raise NotOffered
        groups = _with(groups, (a, b))
    return _rewrite(database, keyring, run_id, stored, groups, free, now)


def move_back(database: Database, keyring: Keyring, run_id: str, *, now: datetime) -> Cost:
    """Takes back all that the trainer moved: the result is the calculated one again. Raises Changed."""
    with database.read() as session:
        stored = _in_review(session, keyring, run_id, now)
        free = people.free(session, _places(session, run_id)[0], now)
    return _rewrite(database, keyring, run_id, stored, (), free, now)


def why_not(
    session: Session, keyring: Keyring, run_id: str, me: str, other: str, *, secret: bytes, now: datetime
) -> WhyNot:
    """Why somebody (`me`, of this run) is not paired with a colleague, whoever that is and whatever is against it.

    Only what was calculated counts. Nothing that anybody says now is read, but for whom oneself would rather not meet:
    else whoever changed their own wishes and asked again could read those of a colleague out of the answers. A pair
    that is not possible fits as those of `me` mostly do. A colleague who is not in the calculation is answered about
    like one who is, whom a draw chooses, so that no answer tells who takes part. Membership ids.
    """
    stored = keeping.read(session, keyring.opened(session, run_id, now), run_id)
    activity_id, _course_id = _places(session, run_id)
    if other in wishes.mine(session, keyring, me, activity_id, now).not_with:
        return "mine"
    number = stored.number(me) if stored else None
    if stored is None or number is None:
        return "as_good"
    if number in stored.solution.left:
        # Whatever there is against it: else it would tell who was left, too, or who would rather not.
        return "instead"
    number_of_other = stored.number(other)
    if number_of_other is None:
        number_of_other = _stand_in(stored, number, "/".join((run_id, me, other)), secret)
    if number_of_other is None:
        stored, number_of_other = _joined(stored, other), stored.problem.people
    pair = (min(number, number_of_other), max(number, number_of_other))
    # As if nothing were against it; of everybody, since whom the two could reach also tells what is possible.
    points = _points(stored.problem, pair, number)
    stored = _with_possible(_narrowed(stored, (number, number_of_other), SOLVED_EXACTLY, stored.problem), pair, points)
    solution = stored.solution
    before = values(stored.problem, solution.pairs, solution.triads, solution.left)
    again = cost(stored.problem, solution, _with(stored.moved, pair)).solution
    after = values(stored.problem, again.pairs, again.triads, again.left)
    if after.left > before.left or after.worst < before.worst:
        return "worst"
    return "total" if after.total < before.total else "as_good"


def _stand_in(stored: StoredProblem, me: int, what: str, secret: bytes) -> int | None:
    """Somebody of the calculation who is not together with `me`, by a draw that is the same each time; or None."""
    own = {me, *stored.solution.with_whom(me)}
    others = [each for each in range(stored.problem.people) if each not in own]
    drawn = int.from_bytes(hmac.new(secret, f"why-not/{what}".encode(), hashlib.sha256).digest()[:8])
    return others[drawn % len(others)] if others else None


def _points(problem: Problem, pair: tuple[int, int], me: int) -> int:
    """The fit of a pair, or that of the middle one of those that are possible for `me`; 1 where none is."""
    is_pair = (problem.first == pair[0]) & (problem.second == pair[1])
    fits = problem.fit[is_pair if is_pair.any() else (problem.first == me) | (problem.second == me)]
    return int(np.sort(fits)[(len(fits) - 1) // 2]) if len(fits) else 1


# Solving again


def _present(stored: StoredProblem, free: frozenset[str]) -> StoredProblem:
    """Without those who have found a partner meanwhile or take part no longer: they are in no pair, and in no group."""
    here = np.array([each in free for each in stored.members], np.bool_)
    problem, solution = stored.problem, stored.solution
    groups = [[each for each in group if here[each]] for group in (*solution.pairs, *solution.triads)]
    return replace(
        stored,
        problem=narrowed(problem, here[problem.first] & here[problem.second]),
        solution=keeping.solution_of(problem.people, groups, solution.certificate),
        moved=tuple(group for group in stored.moved if len(group) > 1 and here[list(group)].all()),
    )


def _narrowed(stored: StoredProblem, about: Sequence[int], exactly: int, calculated: Problem) -> StoredProblem:
    """With no more possible pairs than can be solved while a page waits: all up to `exactly`, else those that lose
    least against the prices of the proof, of what was `calculated`.

    For each person NEAR of them, NEARER of those it is about and of their partners, those among all of these, and who
    is together now. It can only make a change dearer.
    """
    problem, solution = stored.problem, stored.solution
    if problem.pairs <= exactly:
        return stored
    about = [*about, *(other for each in about for other in solution.with_whom(each))]
    pays = _pays(calculated, solution.certificate, problem.people)
    gains = np.rint(4 * (2 * problem.fit - pays[problem.first] - pays[problem.second])).astype(np.int32)
    graph = Graph(problem.people, problem.first, problem.second, gains, problem.again)
    kept = np.zeros(problem.pairs, np.bool_)
    kept[best_of_each(graph, NEAR, np.random.default_rng(problem.seed))] = True
    kept |= np.isin(problem.first, about) & np.isin(problem.second, about)
    for each in about:
        own = np.flatnonzero((problem.first == each) | (problem.second == each))
        kept[own[np.argsort(-gains[own], kind="stable")[:NEARER]]] = True
    groups = (*solution.pairs, *solution.triads)
    together = [a * problem.people + b for group in groups for a, b in combinations(sorted(group), 2)]
    kept |= np.isin(problem.first.astype(np.int64) * problem.people + problem.second, together)
    return replace(stored, problem=narrowed(problem, kept))


def _pays(calculated: Problem, certificate: Certificate, people: int) -> NDArray[np.float64]:
    """What each person pays by the proof, in points of fit; shape (people,)."""
    pays = np.zeros(people)
    label = components(calculated.people, calculated.first, calculated.second)
    for part in certificate.parts:
        here = np.flatnonzero(label == part.first)
        if len(here) == len(part.prices.each):
            pays[here] = np.array(part.prices.each) / (part.prices.scale * unit(len(here)))
    return pays


def _with_possible(stored: StoredProblem, pair: tuple[int, int], points: int) -> StoredProblem:
    """With this pair possible, and with that fit."""
    problem = stored.problem
    others = narrowed(problem, (problem.first != pair[0]) | (problem.second != pair[1]))
    return replace(
        stored,
        problem=replace(
            others,
            first=np.append(others.first, np.int32(pair[0])),
            second=np.append(others.second, np.int32(pair[1])),
            fit=np.append(others.fit, np.int32(points)),
            again=np.append(others.again, np.bool_(False)),
        ),
    )


def _values(stored: StoredProblem, solution: Solution, free: frozenset[str]) -> Values:
    """What a solution is worth; who is gone is not left."""
    left = [each for each in solution.left if stored.members[each] in free]
    return values(stored.problem, solution.pairs, solution.triads, left)


def _badness(after: Values) -> tuple[int, int, int, int]:
    return (after.left, -after.worst, -after.total, after.again)


def _with(groups: Sequence[Group], pair: tuple[int, int]) -> list[tuple[int, int]]:
    """The groups with one more pair, without those that it breaks up."""
    kept = [(group[0], group[1]) for group in groups if len(group) == 2 and not set(group) & set(pair)]
    return [*kept, (min(pair), max(pair))]


def _joined(stored: StoredProblem, membership_id: str) -> StoredProblem:
    """With one more person, whom nobody is possible with."""
    problem, solution = stored.problem, stored.solution
    return replace(
        stored,
        problem=replace(
            problem,
            people=problem.people + 1,
            was_in_triad=np.append(problem.was_in_triad, np.bool_(False)),
            no_triad=np.append(~problem.may_be_three, np.bool_(False)),
        ),
        members=(*stored.members, membership_id),
        solution=replace(solution, left=(*solution.left, problem.people)),
    )


# What is offered


def _shortlist(stored: StoredProblem, me: int, course_id: str, secret: bytes) -> list[int]:
    """Those whom a trainer is offered for somebody: of the possible ones that are not drawn out, those who seem to cost
    least if the two partners who are left over go with each other."""
    problem, solution = stored.problem, stored.solution
    here = (problem.first == me) | (problem.second == me)
    others = np.where(problem.first[here] == me, problem.second[here], problem.first[here])
    points = dict(zip(others.tolist(), problem.fit[here].tolist(), strict=True))
    partners = _partners(solution.pairs, solution.triads)
    mine = partners.get(me, ())
    fit_of = _table(problem, mine)

    def guessed(other: int) -> tuple[int, int, int]:
        theirs = partners.get(other, ())
        if len(mine) == len(theirs) == 1:
            rest = fit_of.get((min(mine[0], theirs[0]), max(mine[0], theirs[0])))
            return (2 * (rest is None), -points[other] - (rest or 0), other)
        return (len(mine) % 2 + len(theirs) % 2, -points[other], other)

    offered = [
        other
        for other in points
        if other not in mine and not _is_drawn_out(secret, course_id, stored.members[me], stored.members[other])
    ]
    return sorted(offered, key=guessed)[:OFFERED]


def _is_drawn_out(secret: bytes, course_id: str, one: str, other: str) -> bool:
    text = "/".join(("alternatives", course_id, *sorted((one, other))))
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()[0] % NEVER_OFFERED == 0


def _partners(pairs: Iterable[Group], triads: Iterable[Group]) -> dict[int, Group]:
    return {each: tuple(other for other in group if other != each) for group in (*pairs, *triads) for each in group}


def _others(before: Solution, after: Solution, together: Iterable[int]) -> int:
    """How many people have a partner then, and another than before, those of `together` not counted."""
    was, becomes = _partners(before.pairs, before.triads), _partners(after.pairs, after.triads)
    return len({each for each in becomes if becomes[each] != was.get(each)}.difference(together))


def _table(problem: Problem, those: Iterable[int]) -> dict[Group, int]:
    """Fit by pair, of all pairs with one of those people."""
    here = np.isin(problem.first, list(those)) | np.isin(problem.second, list(those))
    columns = (problem.first[here].tolist(), problem.second[here].tolist(), problem.fit[here].tolist())
    return {(a, b): points for a, b, points in zip(*columns, strict=True)}


# Keeping it


def _places(session: Session, run_id: str) -> tuple[str, str]:
    """(Id of the activity, of the course) of a run."""
    row = session.execute(
        select(RoundRun.activity_id, Activity.course_id)
        .join(Activity, Activity.id == RoundRun.activity_id)
        .where(RoundRun.id == run_id)
    ).one()
    return row.activity_id, row.course_id


def _in_review(session: Session, keyring: Keyring, run_id: str, now: datetime) -> StoredProblem:
    stored = keeping.read(session, keyring.opened(session, run_id, now), run_id)
    if stored is None or session.scalar(select(RoundRun.status).where(RoundRun.id == run_id)) != "review":
        raise Changed
    return stored


def _rewrite(
    database: Database,
    keyring: Keyring,
    run_id: str,
    stored: StoredProblem,
    moved: Sequence[Group],
    free: frozenset[str],
    now: datetime,
) -> Cost:
    """Solves again outside of any transaction, and then replaces the drafts, unless they have changed meanwhile."""
    now_there = _present(stored, free)
    before = _values(now_there, now_there.solution, free)
    kept = [(group[0], group[1]) for group in moved]
    problem = now_there.problem
    if kept:
        near = _narrowed(now_there, [each for group in kept for each in group], SOLVED_EXACTLY, stored.problem)
        again = cost(near.problem, now_there.solution, kept).solution
    else:
        # As it was calculated, which takes no time; it is solved again only where somebody of it is gone.
        again = stored.calculated
        if any(stored.members[each] not in free for group in (*again.pairs, *again.triads) for each in group):
            again = solve(_narrowed(now_there, (), SOLVED_EXACTLY, stored.problem).problem)
    again = replace(again, left=tuple(each for each in again.left if stored.members[each] in free))
    after = _values(now_there, again, free)
    if kept and after.left > before.left:
        raise NotOffered
    members, groups = stored.members, [*again.pairs, *again.triads]
    with database.read() as session:
        keys = keyring.opened(session, run_id, now)
        known = {
            row.membership_id: row.helps
            for row in session.execute(
                select(RoundLeft.membership_id, RoundLeft.helps).where(RoundLeft.run_id == run_id)
            )
        }
        # Also those who said meanwhile that they would like no partner: else a move would tell.
        all_ = people.read(session, keyring, _places(session, run_id)[0], now, among=members)
    by_hand = set(map(frozenset, stored.moved))
    there = {frozenset(group): frozenset(group) in by_hand for group in _groups(stored)}
    new = {group for group in groups if there.get(frozenset(group)) is not (group in kept)}
    rows = keeping.drafts(
        run_id,
        keys,
        [tuple(members[each] for each in group) for group in new],
        shared={
            tuple(members[each] for each in group): fit.why(
                [all_.members[each] for each in group], all_.settings, all_.topics
            )
            for group in new
        },
        again=all_.history.pairs,
        moved=[tuple(members[each] for each in group) for group in kept],
        calculated=_by_id(stored, (*stored.calculated.pairs, *stored.calculated.triads)),
    )
    stay = _by_id(stored, [group for group in groups if group not in new])
    # Few are looked at while a page waits: those who are left by this first. All others keep what was said of them.
    order = sorted(again.left, key=lambda each: each in stored.solution.left)
    helps = helps_of(all_, problem, replace(again, left=tuple(order)), most=HELPED)
    left = {members[person]: code or known.get(members[person], "") for person, code in helps.items()}
    with database.write() as session:
        _replace(session, run_id, _by_id(stored, _groups(stored)), stay, rows, left)
        _sum_up(session, run_id, again, after)
    return Cost(before, after)


def _replace(
    session: Session,
    run_id: str,
    as_read: set[frozenset[str]],
    stay: set[frozenset[str]],
    rows: keeping.Drafts,
    left: Mapping[str, str],
) -> None:
    status = session.scalar(select(RoundRun.status).where(RoundRun.id == run_id).with_for_update())
    found: dict[str, set[str]] = {}
    for proposal_id, member in session.execute(
        select(Proposal.id, ProposalMember.membership_id)
        .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
        .where(Proposal.run_id == run_id)
    ):
        found.setdefault(proposal_id, set()).add(member)
    if status != "review" or {frozenset(group) for group in found.values() if len(group) > 1} != as_read:
        raise Changed
    gone = [proposal_id for proposal_id, group in found.items() if frozenset(group) not in stay]
    for start in range(0, len(gone), _AT_ONCE):
        session.execute(
            delete(Proposal)
            .where(Proposal.id.in_(gone[start : start + _AT_ONCE]))
            .execution_options(synchronize_session=False)
        )
    keeping.write(session, run_id, rows, left)


def _sum_up(session: Session, run_id: str, again: Solution, after: Values) -> None:
    summary = replace(
        Summary.of(session.scalars(select(RoundRun.summary).where(RoundRun.id == run_id)).one()),
        pairs=len(again.pairs),
        triads=len(again.triads),
        left=len(again.left),
        worst=after.worst if again.pairs or again.triads else None,
        total=after.total,
        again=session.scalar(
            select(func.count()).select_from(Proposal).where(Proposal.run_id == run_id, Proposal.again)
        )
        or 0,
    )
    session.execute(update(RoundRun).where(RoundRun.id == run_id).values(summary=summary.to_json()))


def _groups(stored: StoredProblem) -> list[Group]:
    return [*stored.solution.pairs, *stored.solution.triads]


def _by_id(stored: StoredProblem, groups: Iterable[Group]) -> set[frozenset[str]]:
    return {frozenset(stored.members[each] for each in group) for group in groups}
