"""How a result is kept: proposals and who is left as rows, and the problem and its proof sealed with the run's own key.

The key's scope and author are the run itself, so that it is shredded with one call when the run is over.
"""

import base64
import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lti_tool.matching.certificate import Certificate
from lti_tool.matching.problem import Problem, Solution
from lti_tool.privacy.keyring import KeyShredded, ScopeKeys
from lti_tool.rounds import fit
from lti_tool.rounds.models import Proposal, ProposalMember, RoundLeft, RoundRun
from lti_tool.rounds.rules import Why, attention_of
from lti_tool.store.base import new_id

_Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StoredProblem:
    """What a run was calculated from, and who goes with whom as it stands now."""

    problem: Problem
    members: tuple[str, ...]
    """Membership ids, by their numbers in the problem."""
    solution: Solution
    """As the proposals are now; the certificate is that of the run."""
    moved: tuple[tuple[int, ...], ...]
    """Those whom the trainer put together."""
    calculated: Solution
    """As it was calculated, before the trainer moved anybody."""

    def number(self, membership_id: str) -> int | None:
        """Of somebody who was calculated over; else None."""
        return self.members.index(membership_id) if membership_id in self.members else None


@dataclass(frozen=True, slots=True)
class Drafts:
    """Rows of new proposals, ready to be written."""

    proposals: _Rows
    members: _Rows


def pack(problem: Problem, members: Sequence[str], solution: Solution) -> str:
    """A problem whose pairs are in order, its people's membership ids, and who goes with whom, as a short text.

    Each pair is kept as the distance to the one before it, which is 1 for most where most are possible.
    """
    place = problem.first.astype(np.int64) * problem.people + problem.second
    head = {
        "members": list(members),
        "pairs": problem.pairs,
        "triads": problem.triads,
        "seed": problem.seed,
        "groups": [*solution.pairs, *solution.triads],
    }
    parts = (
        json.dumps(head).encode() + b"\n",
        np.diff(place, prepend=0).astype("<u4").tobytes(),
        problem.fit.astype("<u2").tobytes(),
        np.packbits(problem.again).tobytes(),
        np.packbits(problem.was_in_triad).tobytes(),
        np.packbits(~problem.may_be_three).tobytes(),
    )
    return base64.b64encode(zlib.compress(b"".join(parts), 1)).decode()


def unpack(text: str) -> tuple[Problem, tuple[str, ...], list[list[int]]]:
    """(Problem, membership ids, groups of who goes with whom) as pack() was given them."""
    head_, _newline, rest = zlib.decompress(base64.b64decode(text)).partition(b"\n")
    head = json.loads(head_)
    n, m = len(head["members"]), head["pairs"]
    place = np.cumsum(np.frombuffer(rest, "<u4", m).astype(np.int64))
    fits = np.frombuffer(rest, "<u2", m, 4 * m).astype(np.int32)
    again = np.unpackbits(np.frombuffer(rest, np.uint8, -(-m // 8), 6 * m), count=m).astype(np.bool_)
    of_people = np.frombuffer(rest, np.uint8, -1, 6 * m - (-m // 8)).reshape(2, -1)
    in_triad, no_triad = np.unpackbits(of_people, axis=1, count=n).astype(np.bool_)
    first, second = (each.astype(np.int32) for each in np.divmod(place, max(n, 1)))
    problem = Problem(n, first, second, fits, again, in_triad, head["triads"], head["seed"], no_triad)
    return problem, tuple(head["members"]), head["groups"]


def pack_proof(certificate: Certificate) -> str:
    """A certificate as a short text."""
    return base64.b64encode(zlib.compress(certificate.to_json().encode())).decode()


def unpack_proof(text: str) -> Certificate:
    """The certificate that pack_proof() was given."""
    return Certificate.from_json(zlib.decompress(base64.b64decode(text)).decode())


def drafts(
    run_id: str,
    keys: ScopeKeys,
    groups: Iterable[Sequence[str]],
    *,
    shared: Mapping[tuple[str, ...], Why],
    again: Iterable[tuple[str, str]],
    moved: Iterable[tuple[str, ...]] = (),
    calculated: Iterable[Collection[str]] | None = None,
) -> Drafts:
    """Rows for `groups` of membership ids; `shared` says what each of them shares, `again` who has met before, and
    `calculated`, where they are another result by now, the groups that had been calculated."""
    met, by_hand = {frozenset(pair) for pair in again}, {frozenset(each) for each in moved}
    known = None if calculated is None else {frozenset(each) for each in calculated}
    found = Drafts([], [])
    for group in groups:
        proposal_id, why = new_id(), shared[tuple(group)]
        is_again = any(met_ <= set(group) for met_ in _pairs_of(group) if met_ in met)
        is_moved = frozenset(group) in by_hand
        attention = attention_of(
            members=len(group),
            again=is_again,
            little=fit.has_little_in_common(why),
            moved=is_moved,
            new=known is not None and not is_moved and frozenset(group) not in known,
        )
        found.proposals.append(
            {
                "id": proposal_id,
                "run_id": run_id,
                "status": "draft",
                "attention": attention,
                "again": is_again,
                "moved": is_moved,
            }
        )
        text = json.dumps(why.to_json())
        found.members.extend(
            {
                "proposal_id": proposal_id,
                "membership_id": member,
                "answer": "",
                "why": keys.seal(run_id, text, f"round_proposal_members/{proposal_id}/{member}"),
            }
            for member in group
        )
    return found


def write(session: Session, run_id: str, rows: Drafts, left: Mapping[str, str]) -> None:
    """Writes new proposals, and who is left (membership id → code of rules.HELPS) in the place of who was."""
    session.execute(delete(RoundLeft).where(RoundLeft.run_id == run_id))
    if rows.proposals:
        session.execute(insert(Proposal), rows.proposals)
        session.execute(insert(ProposalMember), rows.members)
    if left:
        session.execute(
            insert(RoundLeft),
            [{"run_id": run_id, "membership_id": member, "helps": code} for member, code in left.items()],
        )


def read(session: Session, keys: ScopeKeys, run_id: str) -> StoredProblem | None:
    """What a run was calculated from, with who goes with whom now; None once that is forgotten, or its key is gone.

    Raises SealBroken.
    """
    sealed, proof = session.execute(select(RoundRun.problem, RoundRun.proof).where(RoundRun.id == run_id)).one()
    if sealed is None or proof is None:
        return None
    try:
        problem, members, calculated = unpack(keys.open(run_id, sealed, f"round_runs/{run_id}/problem"))
        certificate = unpack_proof(keys.open(run_id, proof, f"round_runs/{run_id}/proof"))
    except KeyShredded:
        return None
    number = {member: place for place, member in enumerate(members)}
    groups: dict[str, list[int]] = {}
    moved = set()
    for row in session.execute(
        select(Proposal.id, Proposal.moved, ProposalMember.membership_id)
        .join(ProposalMember, ProposalMember.proposal_id == Proposal.id)
        .where(Proposal.run_id == run_id)
    ):
        groups.setdefault(row.id, []).append(number[row.membership_id])
        if row.moved:
            moved.add(row.id)
    solution = solution_of(problem.people, groups.values(), certificate)
    return StoredProblem(
        problem,
        members,
        solution,
        tuple(sorted(tuple(sorted(groups[each])) for each in moved)),
        solution_of(problem.people, calculated, certificate),
    )


def solution_of(people: int, groups: Iterable[Sequence[int]], certificate: Certificate) -> Solution:
    """Who goes with whom, from groups of two and three; everybody else is left."""
    known = sorted(tuple(sorted(group)) for group in groups)
    together = {each for group in known if len(group) > 1 for each in group}
    return Solution(
        tuple((group[0], group[1]) for group in known if len(group) == 2),
        tuple((group[0], group[1], group[2]) for group in known if len(group) == 3),
        tuple(person for person in range(people) if person not in together),
        certificate,
    )


def _pairs_of(group: Sequence[str]) -> list[frozenset[str]]:
    return [frozenset((a, b)) for place, a in enumerate(group) for b in group[place + 1 :]]
