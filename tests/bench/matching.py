"""`make bench-pairing`: how long the best pairs take, how much memory, and whether they are proven; others beside it.

Every run has a process of its own, with a limit (BENCH_LIMIT, seconds of CPU, for rustworkx and networkx alone). Times
are CPU times, so that a busy machine does not change them. It fails when a budget is missed.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lti_tool.matching.check import check
from lti_tool.matching.problem import Problem
from lti_tool.matching.solve import solve

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder: `matching` is tests/matching

LIMIT = int(os.environ.get("BENCH_LIMIT", "100"))
SCHOOLS = int(os.environ.get("BENCH_SCHOOLS", "1000"))
RUNS = [
    # kind, people, the most CPU seconds it may take (None: only shown)
    ("dense", 50, None),
    ("dense", 200, 0.2),
    ("dense", 1_000, 3),
    ("dense", 5_000, 60),
    ("lots", 1_000, 3),
    ("lots", 5_000, 60),
    ("sparse", 5_000, None),
    ("sparse", 50_000, 120),
    ("near", 2_000, None),
    ("triad", 101, None),
    ("silent", 1_000, 3),
    ("silent", 999, 10),
    ("silent", 5_000, 60),
]
KINDS = {
    "dense": "dense, fits by what people say",
    "lots": "dense, fits by lot",
    "sparse": "20 candidates each",
    "near": "only neighbours on a map (hard)",
    "triad": "dense, one triad",
    "silent": "dense, three in ten said nothing",
}


def said(people: int, draw: np.random.Generator) -> np.ndarray:
    """Fits as from wishes: three of 24 topics wanted and offered by each, a focus, a subject, free periods."""
    want = np.argsort(draw.random((people, 24)), axis=1) < 3
    offer = np.argsort(draw.random((people, 24)), axis=1) < 3
    helps = want.astype(np.float32) @ offer.T.astype(np.float32)
    focus, subject = draw.integers(0, 8, people), draw.integers(0, 12, people)
    free = (draw.random((people, 25)) < 0.25).astype(np.float32)
    fit = 1 + 12 * (helps + helps.T) + np.minimum(free @ free.T, 8)
    fit += 10 * (focus[:, None] == focus) + 4 * (subject[:, None] == subject)
    return fit.astype(np.int32)


def case(kind: str, people: int) -> Problem:
    draw = np.random.default_rng(people)
    if kind == "sparse":
        one = np.repeat(np.arange(people), 10)
        two = draw.integers(0, people, len(one))
        keys = np.unique(np.minimum(one, two) * people + np.maximum(one, two))
        first, second = (each.astype(np.int32) for each in divmod(keys, people))
        first, second = first[first != second], second[first != second]
        fit = draw.integers(1, 1_000, len(first)).astype(np.int32)
    elif kind == "near":
        place = draw.random((people, 2), dtype=np.float32)
        far = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1)) * np.sqrt(people) / 2.1
        first, second = (each.astype(np.int32) for each in np.nonzero(np.triu(far < 1, 1)))
        fit = np.maximum(1, 999 * (1 - far[first, second])).astype(np.int32)
    else:
        first, second = (each.astype(np.int32) for each in np.triu_indices(people, 1))
        lots = kind == "lots"
        fit = draw.integers(1, 1_000, len(first)).astype(np.int32) if lots else said(people, draw)[first, second]
        if kind == "silent":
            none = draw.random(people) < 0.3
            fit[none[first] | none[second]] = 1
    again = draw.random(len(first)) < 0.1
    return Problem(people, first, second, fit, again, draw.random(people) < 0.1, triads=kind in ("triad", "silent"))


def ours(given: Problem) -> dict[str, object]:
    began = time.process_time()
    solution = solve(given)
    solved = time.process_time()
    verdict = check(given, solution)
    return {
        "seconds": solved - began,
        "checking": time.process_time() - solved,
        "gap": verdict.gap if verdict.ok else "not valid",
        "proven": verdict.proven,
        "left": len(solution.left),
    }


def by_rustworkx(given: Problem) -> dict[str, object]:
    import rustworkx

    began = time.process_time()
    graph = rustworkx.PyGraph()
    graph.add_nodes_from(range(given.people))
    graph.add_edges_from(list(zip(given.first.tolist(), given.second.tolist(), given.fit.tolist(), strict=True)))
    rustworkx.max_weight_matching(graph, max_cardinality=True, weight_fn=int)
    return {"seconds": time.process_time() - began}


def by_networkx(given: Problem) -> dict[str, object]:
    import networkx

    began = time.process_time()
    graph = networkx.Graph()
    graph.add_weighted_edges_from(zip(given.first.tolist(), given.second.tolist(), given.fit.tolist(), strict=True))
    networkx.max_weight_matching(graph, maxcardinality=True)
    return {"seconds": time.process_time() - began}


SOLVERS: dict[str, Callable[[Problem], dict[str, object]]] = {
    "ours": ours,
    "rustworkx": by_rustworkx,
    "networkx": by_networkx,
}


def alone(kind: str, people: int, solver: str, limit: int) -> dict[str, object] | None:
    """One run in a process of its own; None if it takes longer than the limit, in CPU seconds."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))

    command = [sys.executable, __file__, solver, kind, str(people)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, preexec_fn=limited, check=False)
    if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return None
    run.check_returncode()
    return json.loads(run.stdout)  # type: ignore[no-any-return]


def seconds(run: dict[str, object] | None, limit: int) -> str:
    return f"{run['seconds']:.2f} s" if run else f"over {limit} s"


def table() -> bool:
    met = True
    last: dict[str, tuple[int, float]] = {}
    slow: set[tuple[str, str]] = set()
    print(f"{'':>6}  {'':32}{'seconds':>9}{'checking':>10}{'memory':>9}{'gap':>5}  {'growth':8}rustworkx   networkx")
    for kind, people, budget in RUNS:
        run = alone(kind, people, "ours", 600)
        if run is None:
            print(f"{people:>6}  {KINDS[kind]:32}over 600 s")
            met = False
            continue
        took = float(run["seconds"])  # type: ignore[arg-type]
        growth = ""
        if kind in last:
            before, was = last[kind]
            growth = f"n^{np.log(took / was) / np.log(people / before):.1f}"
        last[kind] = (people, took)
        beside = []
        for solver in ("rustworkx", "networkx"):
            if (solver, kind) in slow:  # it was too slow for fewer people already
                beside.append(f"over {LIMIT} s")
                continue
            other = alone(kind, people, solver, LIMIT)
            if other is None:
                slow.add((solver, kind))
            beside.append(seconds(other, LIMIT))
        good = run["proven"] and (budget is None or took <= budget)
        met = met and bool(good)
        note = "" if good else f"missed: proven within {budget} s"
        print(
            f"{people:>6}  {KINDS[kind]:32}{took:>7.2f} s{run['checking']:>8.2f} s{run['megabytes']:>6} MB"
            f"{run['gap']:>5}  {growth:8}{beside[0]:12}{beside[1]:12}{note}",
            flush=True,
        )
    return met


def schools() -> None:
    """How many people the usual way, best pair first, strands in random schools of 4 to 40."""
    from matching.schools import greedy, school

    people = left = stranded = hit = 0
    for seed in range(SCHOOLS):
        given = school(seed)
        ours_left = len(solve(given).left)
        greedy_left = given.people - 2 * len(greedy(given))
        people, left, stranded = people + given.people, left + ours_left, stranded + greedy_left
        hit += greedy_left > ours_left
    print(
        f"{SCHOOLS} random schools, {people} people: {left} left at best; best pair first leaves {stranded}, "
        f"which is more in {hit} schools"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        found = SOLVERS[sys.argv[1]](case(sys.argv[2], int(sys.argv[3])))
        found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps(found))
    else:
        schools()
        sys.exit(0 if table() else 1)
