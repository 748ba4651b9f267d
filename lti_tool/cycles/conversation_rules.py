"""Decisions of a guided conversation: values in, values out.

All who hold a conversation share one state. A move says which state it saw: two that saw the same are carried out once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from lti_tool.cycles.rules import Cycle, Member, advice_asked, first_turn_done, is_done
from lti_tool.protocols.recipe import ALL, GUIDES, Field, Prompt, Stage, Step, Words

TALK_KINDS = ("start", "conversation", "work")
"""Kinds of stages that people can be led through together."""
MOVES = ("begin", "next", "back", "pause", "go_on", "again", "one", "two")
Device = Literal["two", "one"]


@dataclass(frozen=True, slots=True)
class Talk:
    """Where a conversation is."""

    step: int
    """Which of `Stage.talk`, counted from 0."""
    step_since: datetime
    paused_at: datetime | None = None
    device: Device = "two"
    """two: everybody has their own device; one: it is passed across the table."""
    rev: int = 1
    """0 is what a page saw on which nobody had begun yet."""

    @property
    def has_begun(self) -> bool:
        """Whether time counts; on how many devices it will be can be said before."""
        return self.step > 0 or (self.rev > 0 and self.paused_at != self.step_since)


def not_begun(now: datetime) -> Talk:
    """What stands for a conversation that nobody has begun."""
    return Talk(0, now, rev=0)


def shown_steps(cycle: Cycle, stage: Stage) -> tuple[int, ...]:
    """Which steps there are to go through: those with advice only once the host asked for it; never none."""
    asked = advice_asked(cycle, stage)
    # A pair that goes less far by now can be left with steps of advice alone.
    return tuple(i for i, step in enumerate(stage.talk) if asked or not step.advice) or (0,)


def place(talk: Talk, shown: Sequence[int]) -> int:
    """Index of the step that is now. A stage can have become shorter since: then the last one before it."""
    return max((i for i in shown if i <= talk.step), default=shown[0] if shown else 0)


def moved(talk: Talk, move: str, shown: Sequence[int], now: datetime) -> Talk:
    """The conversation after a move (one of MOVES); the same, where there is nothing to move.

    A step counts from when it was come to; one that is paused stands still.
    """
    here = place(talk, shown)
    after = replace(talk, step=here)
    if move in ("next", "back"):
        ahead = [i for i in shown if i > here] if move == "next" else [i for i in reversed(shown) if i < here]
        if not ahead:
            return talk
        after = replace(after, step=ahead[0], step_since=now, paused_at=None)
    elif move == "begin" and not talk.has_begun:
        after = replace(after, step_since=now, paused_at=None)
    elif move == "again":
        after = replace(after, step=shown[0], step_since=now, paused_at=None)
    elif move == "pause":
        after = replace(after, paused_at=talk.paused_at or now)
    elif move == "go_on" and talk.paused_at is not None:
        after = replace(after, step_since=talk.step_since + max(now - talk.paused_at, timedelta()), paused_at=None)
    elif move in ("one", "two"):
        after = replace(after, device="one" if move == "one" else "two")
        if not talk.rev:
            after = replace(after, step_since=now, paused_at=now)
    if after == talk and (talk.has_begun or move != "begin"):
        return talk
    return replace(after, rev=talk.rev + 1)


def ends_at(talk: Talk, step: Step) -> datetime | None:
    """When the minutes of a step are over; None where nothing counts."""
    if not talk.has_begun or not step.minutes or talk.paused_at is not None:
        return None
    return talk.step_since + timedelta(minutes=step.minutes)


def ends_first_turn(cycle: Cycle, stage: Stage, step: Step) -> bool:
    """Whether leaving this step says that the first turn is done: only who has it says so."""
    return stage.first_turn is not None and step.first_turn and not first_turn_done(cycle, stage)


def leader(cycle: Cycle, stage: Stage) -> Member:
    """Who leads through a stage: exactly one (R46). The keeper of a group, the coach of two; where somebody with that
    role is not there, the next in this order."""
    wanted = (stage.leads, "keeper", "coach", "host")
    there = [member for role in wanted if role for member in cycle.with_role(role)]
    return next(iter((*there, *cycle.members)))


def speakers(cycle: Cycle, step: Step) -> tuple[Member, ...]:
    """Who speaks in a step, in the cycle's order; nobody in quiet time, and all where the role is not there. Where the
    members of a group speak, their keeper, who leads them, does too."""
    if step.quiet or not step.speaks:
        return ()
    everybody = tuple(member for member in cycle.members if not member.is_gone)
    roles = ("member", "keeper") if step.speaks == "member" else (step.speaks,)
    having = [member for role in roles for member in cycle.with_role(role)]
    return tuple(member for member in everybody if step.speaks == ALL or member in having) or everybody


def prompts_for(prompts: Sequence[Prompt], guide: str) -> tuple[Prompt, ...]:
    """The prompts that a member with this guide (one of GUIDES) would like to see (R39)."""
    if guide == GUIDES[0]:
        return tuple(prompts)
    return tuple(each for each in prompts if guide == "light" and each.guide == "light")


def by_kind(prompts: Sequence[Prompt]) -> dict[str, tuple[Prompt, ...]]:
    """Kind → its prompts, in the order in which the kinds come first."""
    return {kind: tuple(p for p in prompts if p.kind == kind) for kind in dict.fromkeys(p.kind for p in prompts)}


def fields_of(stage: Stage, shown: Sequence[int], here: int) -> tuple[Field, ...]:
    """The texts that are written in a step; in the last one also those of no step that is there, so that all can be."""
    steps = stage.talk
    wanted = set(steps[here].fields)
    if here == shown[-1]:
        named = {key for i in shown for key in steps[i].fields}
        wanted |= {field.key for field in stage.fields if field.key not in named}
    return tuple(field for field in stage.fields if field.key in wanted)


def is_open(cycle: Cycle, stage: Stage) -> bool:
    """Whether there is anything to move: the cycle runs, and this is not done yet."""
    return cycle.is_running and not is_done(cycle, stage)


# What a next step rests on


def lines(text: str, most: int = 60) -> tuple[str, ...]:
    """The lines of a text that say something, each once, so that one of them can be pointed at."""
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))[:most]


# Answers that are chosen


def chosen(field: Field, text: str) -> str:
    """What is kept of an answer to a field with choices: keys that it knows, in its order, and one unless several."""
    if not field.choices:
        return text
    given = {each.strip() for each in text.split(",")}
    keys = [choice.key for choice in field.choices if choice.key in given]
    return ",".join(keys if field.several else keys[:1])


def in_words(field: Field | None, text: str, say: Callable[[Words], str]) -> str:
    """A text as people read it: where it was chosen, the words of what was chosen, in the reader's language."""
    if field is None or not field.choices:
        return text
    keys = text.split(",")
    return "; ".join(say(choice.text) for choice in field.choices if choice.key in keys)
