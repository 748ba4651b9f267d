"""Where many said nothing, or the same, so that many pairs fit alike: proven all the same, and soon."""

import numpy as np
import pytest

from lti_tool.matching.check import check
from lti_tool.matching.problem import Problem
from lti_tool.matching.program import Program
from lti_tool.matching.solve import solve


def silent(people: int, share: float, *, triads: bool) -> Problem:
    """A dense school of whom a share said nothing, so that they fit everybody by 1; all others fit by a few words."""
    draw = np.random.default_rng(people)
    says = draw.random(people) >= share
    wants, offers = ((draw.random((people, 12)) < 0.2) & says[:, None] for _ in range(2))
    helps = wants.astype(int) @ offers.T.astype(int)
    first, second = (each.astype(np.int32) for each in np.triu_indices(people, 1))
    fit = (1 + 3 * (helps + helps.T)[first, second]).astype(np.int32)
    none = np.zeros(len(first), dtype=np.bool_)
    return Problem(people, first, second, fit, none, np.zeros(people, dtype=np.bool_), triads, seed=1)


@pytest.mark.parametrize("people", [300, 301])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.9])
def test_many_who_said_nothing_are_proven_in_a_few_rounds(people, share, monkeypatch):
    runs = []
    run = Program.run
    monkeypatch.setattr(Program, "run", lambda self: (runs.append(1), run(self)))
    case = silent(people, share, triads=True)
    solution = solve(case)
    assert check(case, solution).proven
    assert solution.left == ()
    assert len(runs) < 100, "before odd groups of the barrier were taken in, it was 400 and not proven"
