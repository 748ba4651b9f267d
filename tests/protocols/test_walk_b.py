"""Protocols for threes and groups, walked by rules alone: each member does what their next step says, to the end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.cycles import rules
from lti_tool.cycles.rules import Cycle, Head, Mark, Meeting, Member, Signature
from lti_tool.protocols.reader import shipped

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
GROUPS = [
    "triad", "lesson_study", "consultancy", "tuning", "student_work", "problem_solving", "share_plan", "demonstration",
]  # fmt: skip
SIZES = [(key, size) for key in GROUPS for size in sorted({shipped()[key].least, shipped()[key].most})]


def begin(key: str, people: int) -> Cycle:
    protocol = shipped()[key]
    assert protocol.fits(people)
    roles = rules.roles_in_group(protocol.roles, [f"m{i}" for i in range(people)], past=[])
    return Cycle(
        id="c", pair_id="p", activity_id="a", activity_title="", number=1, status="running", revision=1,
        started_at=NOW, finished_at=None, closed_at=None, protocol=protocol, viewer_id="",
        members=tuple(Member(key, key, role, key) for key, role in roles.items()),
    )  # fmt: skip


def acted(cycle: Cycle, step: rules.NextStep, now: datetime) -> Cycle:
    """The cycle when the member who looks has done what the step says; as it was where others have to do it."""
    me, stage = cycle.me, cycle.stage(step.stage)
    assert stage is not None
    if step.code in ("start", "talk", "fill_card", "plan_visit"):
        for field in stage.fields if step.code == "plan_visit" else filter(None, [cycle.protocol.field(step.of)]):
            if field.by in (me.role, "both", "each"):
                cycle = replace(cycle, heads=(*cycle.heads, Head(field.key, 1, field.key, me.person_id, False)))
    if step.code in ("sign", "confirm"):
        agreement = cycle.protocol.agreement(step.of)
        assert agreement is not None
        signature = Signature(step.of, me.membership_id, rules.current_heads(cycle, agreement))
        cycle = replace(cycle, signatures=(*cycle.signatures, signature))
        done = stage.kind == "start" and not rules.missing_to_close(cycle, stage, me, now)
        return replace(cycle, marks=(*cycle.marks, Mark(stage.key, me.membership_id, now))) if done else cycle
    if step.code in ("plan_visit", "book_debrief"):
        kind = "visit" if step.code == "plan_visit" else "after"
        at = now + timedelta(hours=1 if kind == "visit" else 3)
        return replace(cycle, meetings=(*cycle.meetings, Meeting(kind, kind, at, 40, me.person_id, 1, None)))
    if step.code == "confirm_visit":
        return replace(cycle, meetings=tuple(replace(each, confirmed_at=now) for each in cycle.meetings))
    marks = {"close_talk": stage.key, "close_visit": stage.key, "reflect": stage.key}
    marks |= {"talk_first_turn": stage.key + rules.FIRST_TURN}
    if step.code not in marks or (step.code == "talk_first_turn" and me.role != stage.first_turn):
        return cycle
    if step.code != "talk_first_turn" and rules.missing_to_close(cycle, stage, me, now):
        return replace(cycle, heads=(*cycle.heads, Head("own_learning", 1, "own_learning", me.person_id, False)))
    return replace(cycle, marks=(*cycle.marks, Mark(marks[step.code], me.membership_id, now)))


@pytest.mark.parametrize(("key", "people"), SIZES)
def test_a_group_comes_to_the_end_when_each_does_what_they_are_asked(key: str, people: int) -> None:
    cycle = begin(key, people)
    seen: list[str] = []
    for hour in range(60):
        before = cycle
        for member in cycle.members:
            looking = replace(cycle, viewer_id=member.person_id)
            step = rules.next_step(looking, NOW + timedelta(hours=hour))
            seen.append(step.stage)
            if not step.waits:
                cycle = replace(acted(looking, step, NOW + timedelta(hours=hour)), viewer_id="")
        if all(cycle.submitted_at(member) for member in cycle.members):
            break
        assert cycle is not before
        assert (cycle.heads, cycle.marks, cycle.signatures, cycle.meetings) != (
            before.heads, before.marks, before.signatures, before.meetings,
        ) or step.code == "visit_ahead", f"nobody can go on at {step}"  # fmt: skip
    assert all(cycle.submitted_at(member) for member in cycle.members), f"stays at {seen[-1]}"
    assert list(dict.fromkeys(seen)) == [stage.key for stage in cycle.stages], "in the order of the file"


def test_in_three_cycles_of_a_triad_each_has_had_each_role() -> None:
    members = ["m0", "m1", "m2"]
    past: list[dict[str, str]] = []
    for _cycle in range(3):
        past.append(rules.roles_in_group(shipped()["triad"].roles, members, past))
    for member in members:
        assert {roles[member] for roles in past} == {"host", "coach", "observer"}, "R69"
