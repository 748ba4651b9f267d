"""The decisions of a cycle with more or fewer than two members, without a database."""

from dataclasses import replace

import pytest
from cycles.test_cycle_rules import NOW, heads
from factories import A_TEACHER
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.cycles import rules
from lti_tool.cycles.rules import Cycle, Mark, Member, Signature
from lti_tool.privacy.rules import Action, may, readers
from lti_tool.protocols.reader import shipped
from lti_tool.protocols.recipe import ROLES

SIZES = (1, 2, 3, 5, 8)
TRIAD = ("host", "coach", "observer")
GROUP = ("host", "keeper", "member")
PROTOCOLS = {1: "reflection", 2: "light", 3: "triad", 5: "consultancy", 8: "consultancy"}


def members(size: int) -> tuple[Member, ...]:
    protocol = shipped()[PROTOCOLS[size]]
    roles = rules.roles_in_group(protocol.roles, [f"m{i}" for i in range(size)], [], ["m0"])
    return tuple(Member(f"m{i}", f"p{i}", roles[f"m{i}"], f"Name{i}") for i in range(size))


def cycle(size: int, viewer: int = 0, **parts: object) -> Cycle:
    made = Cycle(
        id="c", pair_id="p", activity_id="a", activity_title="", number=1, status="running", revision=1,
        started_at=NOW, finished_at=None, closed_at=None, protocol=shipped()[PROTOCOLS[size]], members=members(size),
        viewer_id=f"p{viewer}",
    )  # fmt: skip
    return replace(made, **parts)


def signed_by(a_cycle: Cycle, item: str, *numbers: int) -> Cycle:
    agreement = a_cycle.protocol.agreement(item)
    assert agreement is not None
    now = rules.current_heads(a_cycle, agreement)
    return replace(a_cycle, signatures=tuple(Signature(item, f"m{number}", now) for number in numbers))


def changed(a_cycle: Cycle, number: int, **values: object) -> Cycle:
    return replace(
        a_cycle,
        members=tuple(
            replace(each, **values) if each.membership_id == f"m{number}" else each for each in a_cycle.members
        ),
    )


@pytest.mark.parametrize("size", SIZES)
def test_everybody_has_a_role_and_all_others(size: int) -> None:
    made = cycle(size)
    assert [each.role for each in made.members].count("host") == 1
    assert {each.role for each in made.members} <= set(ROLES)
    assert len(made.others) == size - 1 and made.me not in made.others
    assert made.is_alone == (size == 1) and made.is_group == (size > 2)
    if size == 2:
        assert made.partner is made.others[0]
    else:
        with pytest.raises(ValueError, match="values to unpack"):
            _ = made.partner


@pytest.mark.parametrize("size", [3, 5, 8])
def test_a_start_waits_for_every_signature_and_says_for_whose(size: int) -> None:
    made = cycle(size, heads=heads("norms", author="p0"))
    for signed in range(size):
        now = signed_by(made, "together", *range(signed))
        step = rules.next_step(now, NOW)
        assert step.code == ("wait_sign" if signed else "sign")
        assert len(rules.awaited(now, step)) == (size - signed if signed else 0)
        start = now.stages[0]
        assert rules.missing_to_close(now, start, now.me, NOW)
    everybody = signed_by(made, "together", *range(size))
    assert not rules.missing_to_close(everybody, everybody.stages[0], everybody.me, NOW)


@pytest.mark.parametrize("size", [3, 5, 8])
@pytest.mark.parametrize("gone", [{"is_gone": True}, {"is_away": True}])
def test_nobody_waits_for_who_left_or_pauses(size: int, gone: dict[str, bool]) -> None:
    made = signed_by(cycle(size, heads=heads("norms", author="p0")), "together", *range(size - 1))
    without = changed(made, size - 1, **gone)
    assert rules.missing_to_close(made, made.stages[0], made.me, NOW)
    assert not rules.missing_to_close(without, without.stages[0], without.me, NOW)
    wished = changed(cycle(size, status="finished"), size - 1, **gone)
    for number in range(size - 1):
        assert not rules.all_would_go_on(wished)
        wished = changed(wished, number, wish=rules.GO_ON)
    assert rules.all_would_go_on(wished)
    assert rules.next_step(wished, NOW) == rules.NextStep("wait_wish", of=rules.GO_ON, waits=True)


@pytest.mark.parametrize("size", SIZES)
def test_a_reflection_is_done_when_all_have_submitted(size: int) -> None:
    made = cycle(size)
    for number in range(size):
        assert not rules.is_done(made, made.reflection)
        made = replace(made, marks=(*made.marks, Mark("reflect", f"m{number}", NOW)))
    assert rules.is_done(made, made.reflection)


def test_whoever_left_reads_what_is_theirs_alone_and_writes_nothing_together() -> None:
    made = changed(cycle(5, viewer=4), 4, is_gone=True)
    norms, own = made.protocol.field("norms"), made.protocol.field("own_learning")
    assert norms is not None and own is not None
    assert [each.person_id for each in readers(made.text_facts(norms))] == ["p0", "p1", "p2", "p3"]
    assert [each.person_id for each in readers(made.text_facts(own, "p4"))] == ["p4"]
    actor = replace(A_TEACHER, person_id="p4", membership_id="m4", activity_id="a")
    assert not may(actor, Action.WRITE_TEXT, made.text_facts(norms))
    assert may(actor, Action.WRITE_TEXT, made.text_facts(own, "p4"))


@pytest.mark.parametrize(
    ("size", "number", "goes_on", "handed_over"),
    [
        (3, 0, False, ""), (3, 1, True, "coach"), (3, 2, True, ""), (5, 0, False, ""), (5, 1, True, "keeper"),
        (8, 7, True, ""),
    ],
)  # fmt: skip
def test_what_becomes_of_a_cycle_when_somebody_leaves(size: int, number: int, goes_on: bool, handed_over: str) -> None:
    made = cycle(size)
    leaver = next(each for each in made.members if each.membership_id == f"m{number}")
    assert rules.goes_on_without(made, leaver) is goes_on
    for how in ({"is_gone": True}, {"is_away": True}):
        assert "".join(rules.roles_to_take_over(changed(made, number, **how)).values()) == handed_over
    assert not rules.roles_to_take_over(made)


@pytest.mark.parametrize(
    ("roles", "gone", "handed_over"),
    [
        ("host coach observer member member", "m2", {"m4": "observer"}),
        ("host coach observer member", "m1", {"m3": "coach"}),
        ("host coach observer member", "m1 m2", {"m3": "coach"}),
        ("host coach keeper observer", "m1 m2", {"m3": "coach"}),
        ("host keeper observer", "m2", {}),
    ],
)
def test_a_role_goes_to_members_first(roles: str, gone: str, handed_over: dict[str, str]) -> None:
    made = cycle(
        5,
        members=tuple(
            Member(f"m{i}", f"p{i}", role, f"Name{i}", is_gone=f"m{i}" in gone.split())
            for i, role in enumerate(roles.split())
        ),
    )
    assert rules.roles_to_take_over(made) == handed_over


def test_a_cycle_of_one_does_not_go_on() -> None:
    made = changed(cycle(3), 1, is_gone=True)
    assert not rules.goes_on_without(made, made.members[2])


def test_three_take_turns_as_the_protocol_says() -> None:
    past: list[dict[str, str]] = []
    for _cycle in range(4):
        past.append(rules.roles_in_group(TRIAD, ["a", "b", "c"], past, ["a"] if not past else []))
    assert [[each[name] for name in "abc"] for each in past] == [
        ["host", "coach", "observer"], ["coach", "observer", "host"], ["observer", "host", "coach"],
        ["host", "coach", "observer"],
    ]  # fmt: skip


@given(
    size=st.integers(3, 8),
    asks=st.lists(st.integers(0, 7), min_size=4, max_size=24),
    roles=st.sampled_from([TRIAD, GROUP]),
)
def test_nobody_is_host_twice_before_all_have_been(size: int, asks: list[int], roles: tuple[str, ...]) -> None:
    names = [f"m{i}" for i in range(3 if roles is TRIAD else size)]
    past: list[dict[str, str]] = []
    for ask in asks:
        now = rules.roles_in_group(roles, names, past, [names[ask % len(names)]])
        assert sorted(now) == names
        assert sorted(now.values()) == sorted((*roles[:2], *([roles[2]] * (len(names) - 2))))
        if past:
            second = roles[1]
            assert now != past[-1] and [each for each in names if now[each] == past[-1][each] == second] == []
        past.append(now)
    hosts = [next(each for each, role in now.items() if role == "host") for now in past]
    for start in range(0, len(hosts), len(names)):
        turn = hosts[start : start + len(names)]
        assert len(set(turn)) == len(turn)


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abcdefgh"), min_size=3, max_size=8, unique=True), st.integers(0, 7)),
        min_size=1,
        max_size=15,
    )
)
def test_whoever_comes_and_goes_there_is_a_host_whose_turn_it_is(rounds: list[tuple[list[str], int]]) -> None:
    past: list[dict[str, str]] = []
    for there, ask in rounds:
        asking = there[ask % len(there)]
        can = [each for each in there if rules.can_host(each, there, past)]
        now = rules.roles_in_group(GROUP, there, past, [asking])
        host = next(each for each, role in now.items() if role == "host")
        assert host in can and (asking not in can or host == asking)
        past.append(now)
