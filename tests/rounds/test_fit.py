"""Hard rules and fit, against a slow reference that is written straight from the words of the rules."""

import os
import random
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from lti_tool.protocols.recipe import STEPS
from lti_tool.rounds import fit
from lti_tool.rounds.fit import History, Member
from lti_tool.rounds.rules import HELPS, Settings, Wish

TOPICS = ("questions", "groups", "feedback", "irish", "play", "digital")
PERIODS = ("1", "2", "3")
CELLS = tuple(f"{day}-{period}" for day in range(5) for period in range(3))


def drawn(rnd: random.Random, n: int) -> list[Member]:
    """So many people who said this and that, some of it not on any list any more."""

    def some_of(things: tuple[str, ...], most: int) -> tuple[str, ...]:
        return tuple(rnd.sample(things, rnd.randint(0, min(most, len(things)))))

    members = []
    for number in range(n):
        week = list(CELLS)
        rnd.shuffle(week)
        free, taught = (rnd.randint(0, 4), rnd.randint(0, 10)) if rnd.random() < 0.7 else (0, 0)
        wish = Wish(
            is_in=True,
            wants=some_of((*TOPICS, "gone"), 5),
            offers=some_of((*TOPICS, "gone"), 5),
            focus=rnd.choice((*TOPICS, "", "gone")),
            languages=some_of(("en", "ga"), 2),
            subject=rnd.choice(("", "Maths", "maths ", "Irish")),
            level=rnd.choice(("", "junior", "senior")),
            free=(*week[:free], *rnd.choice(((), ("4-7", "9-1", "x", "-"), ("0-3",)))),
            teaching=tuple(week[free : free + taught]),
            same_step=rnd.random() < 0.2,
            other_school=rnd.random() < 0.6,
            not_with=tuple(f"m{rnd.randrange(n)}" for _ in range(rnd.choice((0, 0, 0, 1, 3)))),
        )
        members.append(Member(f"m{number}", wish, rnd.choice((*STEPS, "full")), rnd.choice(("", "north", "south"))))
    return members


def drawn_managers(rnd: random.Random, n: int) -> list[tuple[str, str | None]]:
    names = [f"m{number}" for number in range(n)] + ["elsewhere"]
    return [
        (rnd.choice(names), rnd.choice([None, *names, *names]) if rnd.random() < 0.9 else None)
        for _ in range(rnd.randint(0, 3))
    ]


# The reference


def times(member: Member, which: str) -> set[str]:
    return set(getattr(member.wish, which)) & set(CELLS)


def is_possible(a: Member, b: Member, chosen: Settings, managers: list[tuple[str, str | None]]) -> bool:
    if b.id in a.wish.not_with or a.id in b.wish.not_with:
        return False
    for manager, report in managers:
        for one, other in ((a, b), (b, a)):
            if one.id == manager:
                if report == other.id:
                    return False
                if report is None and (one.school == "" or one.school == other.school):
                    return False
    if a.school != b.school:
        if not chosen.between_schools:
            return False
        if not (a.wish.other_school and b.wish.other_school):
            return False
    if a.step != b.step and (a.wish.same_step or b.wish.same_step):
        return False
    if a.wish.languages and b.wish.languages and not set(a.wish.languages) & set(b.wish.languages):
        return False
    a_said, b_said = (times(each, "free") | times(each, "teaching") for each in (a, b))
    if a_said and b_said:
        a_visits = times(a, "free") & times(b, "teaching")
        b_visits = times(b, "free") & times(a, "teaching")
        talks = times(a, "free") & times(b, "free")
        return bool(a_visits and b_visits and talks)
    return True


def fit_of(a: Member, b: Member, chosen: Settings) -> int:
    listed = set(TOPICS)
    points = 1
    points += 4 * min(3, len(set(a.wish.wants) & set(b.wish.offers) & listed))
    points += 4 * min(3, len(set(b.wish.wants) & set(a.wish.offers) & listed))
    if a.wish.focus in listed and a.wish.focus == b.wish.focus:
        points += 3
    points += min(5, len(set(a.wish.wants) & set(b.wish.wants) & listed))
    if set(a.wish.languages) & set(b.wish.languages):
        points += 2
    mine, theirs = a.wish.subject.strip().lower(), b.wish.subject.strip().lower()
    if mine and theirs:
        if chosen.subjects == "same" and mine == theirs:
            points += 3
        if chosen.subjects == "different" and mine != theirs:
            points += 3
    if a.wish.level and a.wish.level == b.wish.level:
        points += 2
    return points + min(3, len(times(a, "free") & times(b, "free")))


def agrees(seed: int, n: int) -> int:
    """Compares one random school with the reference; the number of pairs that are possible."""
    rnd = random.Random(seed)
    members, managers = drawn(rnd, n), drawn_managers(rnd, n)
    chosen = Settings(
        periods=PERIODS, subjects=rnd.choice(("ignore", "same", "different")), between_schools=rnd.random() < 0.5
    )
    met = frozenset(pair for pair in combinations(sorted(each.id for each in members), 2) if rnd.random() < 0.2)
    history = History(met | {("gone", "m0")}, frozenset({"m0", "m1", "gone"}))
    built = fit.build(members, chosen, TOPICS, managers=managers, history=history, seed=seed)
    expected = {
        (a, b): (
            fit_of(members[a], members[b], chosen),
            (min(members[a].id, members[b].id), max(members[a].id, members[b].id)) in met,
        )
        for a, b in combinations(range(n), 2)
        if is_possible(members[a], members[b], chosen, managers)
    }
    found = {
        (a, b): (points, again)
        for a, b, points, again in zip(
            built.first.tolist(), built.second.tolist(), built.fit.tolist(), built.again.tolist(), strict=True
        )
    }
    assert len(found) == built.pairs
    assert found == expected
    assert built.was_in_triad.tolist() == [each.id in ("m0", "m1") for each in members]
    return built.pairs


@settings(max_examples=60, deadline=None)
@given(some.integers(0, 1 << 30), some.integers(0, 14))
def test_rules_and_fit_agree_with_their_words(seed: int, n: int) -> None:
    agrees(seed, n)


def test_the_random_schools_say_something() -> None:
    # Otherwise the comparison above would hold of empty lists.
    assert sum(agrees(seed, 12) for seed in range(20)) > 100


@pytest.mark.soak
def test_ten_thousand_random_schools_agree() -> None:
    for seed in range(int(os.environ.get("MEITHEAL_SCHOOLS", "10000"))):
        agrees(seed, 4 + seed % 37)


def pair(settings: Settings | None = None, managers: Any = (), **both: tuple[Any, Any]) -> int:
    """The fit of two people of whom each said one of the two values; 0 where they are not possible."""
    members = [
        Member(
            f"m{at}",
            Wish(True, **{key: value[at] for key, value in both.items() if key not in ("step", "school")}),
            both.get("step", ("full", "full"))[at],
            both.get("school", ("", ""))[at],
        )
        for at in (0, 1)
    ]
    built = fit.build(members, settings or Settings(), TOPICS, managers=managers)
    return int(built.fit[0]) if built.pairs else 0


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ({}, 1),
        ({"wants": (("groups",), ()), "offers": ((), ("groups",))}, 5),
        ({"wants": (("groups",), ("play",)), "offers": (("play",), ("groups",))}, 9),
        ({"wants": (TOPICS[:5], ()), "offers": ((), TOPICS[:5])}, 13),
        ({"wants": (("groups",), ("groups",))}, 2),
        ({"focus": ("play", "play")}, 4),
        ({"focus": ("gone", "gone")}, 1),
        ({"languages": (("ga",), ("en", "ga"))}, 3),
        ({"languages": (("ga",), ())}, 1),
        ({"languages": (("ga",), ("en",))}, 0),
        ({"level": ("junior", "Junior ")}, 3),
        ({"subject": ("Irish", "irish")}, 1),
        ({"free": (("0-0", "0-1"), ("0-0", "0-2")), "teaching": (("0-2",), ("0-1",))}, 2),
        # Two visits could be, but there is no period for a talk.
        ({"free": (("0-1",), ("0-2",)), "teaching": (("0-2",), ("0-1",))}, 0),
        # Only one of them could be visited.
        ({"free": (("0-0",), ("0-0", "0-2")), "teaching": (("0-2",), ("0-1",))}, 0),
        ({"free": (("0-0",), ())}, 1),
        ({"step": ("look", "full")}, 1),
        ({"step": ("look", "full"), "same_step": (False, True)}, 0),
        ({"step": ("look", "look"), "same_step": (True, True)}, 1),
        ({"not_with": ((), ("m0",))}, 0),
        ({"school": ("a", "b"), "other_school": (True, True)}, 0),
        ({"school": ("a", "")}, 0),
    ],
)
def test_each_part_adds_what_the_table_says(said: dict[str, Any], points: int) -> None:
    assert pair(**said) == points


def test_two_schools_need_the_round_and_both() -> None:
    between = Settings(between_schools=True)
    assert pair(between, school=("a", "b"), other_school=(True, True)) == 1
    assert pair(between, school=("a", "b"), other_school=(True, False)) == 0


def test_subjects_count_as_the_trainer_says() -> None:
    assert pair(Settings(subjects="same"), subject=("Irish", "irish")) == 4
    assert pair(Settings(subjects="different"), subject=("Irish", "Maths")) == 4
    assert pair(Settings(subjects="different"), subject=("Irish", "")) == 1


@pytest.mark.parametrize(
    ("managers", "school", "possible"),
    [
        ([("m0", "m1")], ("", ""), False),
        ([("m1", "m0")], ("", ""), False),
        ([("m1", None)], ("a", "a"), False),
        ([("m1", None)], ("a", "b"), True),
        ([("m1", None)], ("a", ""), False),
        ([("elsewhere", None), ("elsewhere", "m1"), ("m0", "elsewhere")], ("a", "a"), True),
    ],
)
def test_nobody_is_paired_with_their_line_manager(managers: Any, school: Any, possible: bool) -> None:
    between = Settings(between_schools=True)
    assert bool(pair(between, managers, school=school, other_school=(True, True))) is possible


def test_the_table_has_each_part_and_bounds_the_fit() -> None:
    assert {part.key for part in fit.parts(Settings())} == {part.key for part in fit.POINTS} - {"subject"}
    everything = Wish(
        True, TOPICS[:5], TOPICS[:5], "play", ("en", "ga"), "Irish", "junior", CELLS[:5], CELLS[5:], False
    )
    others = Wish(True, TOPICS[:5], TOPICS[:5], "play", ("en", "ga"), "Irish", "junior", CELLS[2:8], CELLS[:2], False)
    most = fit.build((Member("a", everything), Member("b", others)), Settings(subjects="same"), TOPICS).fit.tolist()
    assert most == [sum(part.each * part.times for part in fit.POINTS)]


def test_why_names_only_what_all_of_them_said() -> None:
    one = Member("a", Wish(True, ("groups", "play", "gone"), ("irish",), "play", ("en", "ga"), "Maths", "junior"))
    two = Member("b", Wish(True, ("play", "irish"), ("groups", "gone"), "play", ("ga",), "maths", ""))
    shared = fit.why((one, two), Settings(), TOPICS)
    assert shared.wanted == (("a", "b", "groups"), ("b", "a", "irish"))
    assert (shared.focus, shared.both_want, shared.languages) == ("play", ("play",), ("ga",))
    assert (shared.subject, shared.level, shared.talks) == ("Maths", "", 0)
    three = Member("c", Wish(True, (), (), "play", (), "", "", CELLS[:2]))
    of_three = fit.why((one, two, three), Settings(), TOPICS)
    assert (of_three.focus, of_three.both_want, of_three.languages, of_three.talks) == ("play", (), (), 0)
    assert not fit.has_little_in_common(shared)
    assert fit.has_little_in_common(fit.why((Member("x", Wish(True)), Member("y", Wish(True))), Settings(), TOPICS))


def test_beyond_a_size_only_the_nearest_of_each_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    members = drawn(random.Random(5), 60)
    everything = fit.build(members, Settings(periods=PERIODS, between_schools=True), TOPICS)
    monkeypatch.setattr(fit, "DENSE", 30)
    monkeypatch.setattr(fit, "NEAREST", 4)
    monkeypatch.setattr(fit, "_CELLS", 500)
    near = fit.build(members, Settings(periods=PERIODS, between_schools=True), TOPICS, seed=1)
    points = {
        (a, b): f
        for a, b, f in zip(everything.first.tolist(), everything.second.tolist(), everything.fit.tolist(), strict=True)
    }
    kept = {(a, b): f for a, b, f in zip(near.first.tolist(), near.second.tolist(), near.fit.tolist(), strict=True)}
    assert kept.items() <= points.items() and 0 < len(kept) < len(points)
    assert (np.diff(near.first.astype(np.int64) * 60 + near.second) > 0).all()
    for person in range(60):
        possible = sorted((f for pair, f in points.items() if person in pair), reverse=True)
        mine = sorted((f for pair, f in kept.items() if person in pair), reverse=True)
        assert mine[:4] == possible[:4]
    again = fit.build(members, Settings(periods=PERIODS, between_schools=True), TOPICS, seed=1)
    other = fit.build(members, Settings(periods=PERIODS, between_schools=True), TOPICS, seed=2)
    assert again.second.tolist() == near.second.tolist() != other.second.tolist()


def test_a_change_makes_exactly_the_pairs_possible_that_it_would() -> None:
    told: dict[str, int] = {"other_school": 0, "period": 0}
    for seed in range(30):
        rnd = random.Random(seed)
        members, managers = drawn(rnd, 10), drawn_managers(rnd, 10)
        chosen = Settings(periods=PERIODS, between_schools=seed % 2 == 0)
        loosened = fit.Loosened(members, chosen, managers)
        for person, one in enumerate(members):
            willing = replace(one, wish=replace(one.wish, other_school=True))
            freer = [
                replace(one, wish=replace(one.wish, free=(*one.wish.free, cell), teaching=taught - {cell}))
                for cell in CELLS
                for taught in [times(one, "teaching")]
                if times(one, "free") | taught
            ]
            others = [(place, other) for place, other in enumerate(members) if place != person]
            before = {place for place, other in others if is_possible(one, other, chosen, managers)}
            between = replace(chosen, between_schools=True)
            expected = {
                "other_school": {place for place, other in others if is_possible(willing, other, between, managers)},
                "period": {
                    place for place, other in others if any(is_possible(f, other, chosen, managers) for f in freer)
                },
            }
            found = loosened.pairs(person)
            assert list(found) == [key for key in HELPS if key]
            for key, places in expected.items():
                assert sorted(found[key]) == sorted((person, place) for place in places - before), (seed, person, key)
                told[key] += len(places - before)
            assert (found["triad"], found["joins"]) == ([], [(person, len(members))])
    assert min(told.values()) > 20
