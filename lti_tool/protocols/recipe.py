"""What a protocol is: the versioned recipe of a cycle, as plain values that everybody may hold.

A running cycle keeps the version it began with (R21). reader.py makes these from a file, and checks them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

FORMS = ("coaching", "share_plan", "student_work", "demonstration", "problem_solving", "lesson_study")
"""What a protocol is, as it is labelled: learning side by side is not called coaching (R40)."""
STAGE_KINDS = ("start", "conversation", "visit", "work", "reflection")
"""`work` is something done together or alone without a visit: a resource, planning, modelling, team teaching (R77)."""
PROMPT_KINDS = (
    "belief", "intention", "evidence", "cause", "new_learning", "next_step", "clarifying", "probing", "paraphrase",
    "data", "prediction", "transfer", "process", "acknowledge", "advice",
)  # fmt: skip
GUIDES = ("full", "light", "blank")
"""How many prompts a member would like to see, the most first (R39)."""
PILLARS = ("communication", "design", "technology")
"""What a prompt is about, where it is one of these (R79); empty where it is none of them."""
ROLES = ("host", "coach", "observer", "keeper", "member")
"""The host invites or presents; the coach accompanies; the observer follows how two others talk; the keeper leads a
group through its steps and keeps the time; members are all others of a group."""
WRITERS = (*ROLES, "both", "each")
ALL = "all"
"""Everybody speaks in a step."""
AUDIENCES = ("pair", "author")
OPENINGS = ("visit_done", "first_turn_done", "advice_asked")
MEETINGS = ("before", "visit", "after", "work")
MOST_PEOPLE = 8
"""Of one cycle."""
OWN_GROUPS = ("card", "notes")
"""Groups of fields that pages know by themselves: the roles card of a visit, the coach's notes."""
NEEDS = ("text", "agreement", "meeting", "first_turn")
DEFAULT_MAX = 10_000
REFLECTION = "reflect"
"""Key of the last stage of every protocol."""
STEPS = ("look", "data", "talk", "full")
"""How far a pair goes, the least first (R23): somebody visits and nothing is noted; what the host asked for is noted
and handed over; they also talk about it; the whole cycle."""
FULL = STEPS[-1]
TOGETHER = "together"
"""Where a trainer counts a pair in any stage that not every pair has, and in those between: see `Protocol.place`."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text in each language of the tool."""

    en: str
    ga: str

    def into(self, language: str) -> str:
        """The text in `language` (`ga` or anything else for English)."""
        return self.ga if language == "ga" else self.en


NO_WORDS = Words("", "")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to ask when it helps."""

    kind: str
    text: Words
    guide: str = "light"
    """light: for members with the full and the light guide; full: for those with the full one alone."""
    pillar: str = ""
    """One of PILLARS, or empty."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose; its key is what is stored."""

    key: str
    text: Words


@dataclass(frozen=True, slots=True)
class Field:
    """One text of a cycle: who writes it, who sees it, and from when on."""

    key: str
    label: Words
    help: Words
    by: str
    """A role, both (one text that all members write together) or each (everybody their own)."""
    seen: str
    """pair or author."""
    opens: str | None
    """Until then only its author sees it: one of OPENINGS; None for at once."""
    max_length: int
    """Characters."""
    rows: int
    group: str
    """Fields of one group stand together under one heading: one of OWN_GROUPS or of the stage's `groups`; empty for
    none."""
    raw: bool = False
    """Whether it holds raw observation: it is deleted some time after the conversation after (R66)."""
    from_step: str = STEPS[0]
    """The least of STEPS at which it is there."""
    choices: tuple[Choice, ...] = ()
    """What to choose from instead of writing. The text is then the key of the choice."""
    several: bool = False
    """Whether more than one can be chosen; the text is then their keys, joined by commas."""
    starters: bool = False
    """Whether the small library of strategies is offered beside it (R62)."""
    rests_on: str = ""
    """Key of the text that each line of this one may point at: what was seen and heard (R65). Empty for none."""


@dataclass(frozen=True, slots=True)
class Group:
    """A heading under which some fields of a stage stand together."""

    key: str
    title: Words
    text: Words


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a guided conversation."""

    key: str
    title: Words
    text: Words
    minutes: int
    """0 for as long as it takes."""
    speaks: str
    """A role, `all`, or empty in quiet time."""
    quiet: bool
    prompts: tuple[Prompt, ...]
    fields: tuple[str, ...]
    """Keys of texts of its stage that are written in it."""
    first_turn: bool
    """Whether the first turn is done when this step is left."""
    advice: bool
    """Whether it is there only when the host asked for advice."""
    from_step: str = STEPS[0]
    """The least of STEPS at which it is there."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sign or confirm, each with their own tap; it counts while the texts it is about stay as they were."""

    key: str
    text: Words
    button: Words
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """Something that must be there before a stage can be closed."""

    needs: str
    """text, agreement, meeting or first_turn."""
    of: str
    """Key of the field, of the agreement, of the meeting, or the role."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a cycle."""

    key: str
    kind: str
    title: Words
    short: Words
    """One word for the picture of the cycle."""
    purpose: Words
    minutes: int
    first_cycle_only: bool
    speaks_first: str | None
    first_turn: str | None
    """Role whose first turn is marked as done before the other's questions open."""
    meetings: tuple[str, ...]
    statements: tuple[Words, ...]
    """Paragraphs that both must have before their eyes, such as the limits of confidentiality."""
    prompts: tuple[Prompt, ...]
    fields: tuple[Field, ...]
    shows: tuple[str, ...]
    """Texts of earlier stages that are shown again here, to read."""
    agreements: tuple[Agreement, ...]
    gates: tuple[Gate, ...]
    from_step: str = STEPS[0]
    """The least of STEPS at which it is there."""
    purpose_at: tuple[tuple[str, Words], ...] = ()
    """(step, text) where another text than `purpose` says what the stage is for."""
    leads: str | None = None
    """The role that leads through it (R46)."""
    steps: tuple[Step, ...] = ()
    advice: bool = False
    """Whether the coach gives a suggestion in it, and only when the host asks."""
    recalls: tuple[str, ...] = ()
    """Texts of the pair's cycle before this one that are shown here, to read (R62)."""
    groups: tuple[Group, ...] = ()

    @property
    def all_prompts(self) -> tuple[Prompt, ...]:
        """Its own prompts and those of its steps."""
        return (*self.prompts, *(prompt for step in self.steps for prompt in step.prompts))

    @property
    def talk(self) -> tuple[Step, ...]:
        """The steps to go through: its own, or a single one that holds all there is."""
        if self.steps:
            return self.steps
        return (
            Step(
                key="talk",
                title=self.title,
                text=self.purpose,
                minutes=self.minutes,
                speaks=self.speaks_first or ALL,
                quiet=False,
                prompts=self.prompts,
                fields=tuple(each.key for each in self.fields),
                first_turn=self.first_turn is not None,
                advice=False,
            ),
        )


@dataclass(frozen=True, slots=True)
class Protocol:
    """A whole recipe."""

    key: str
    version: int
    title: Words
    summary: Words
    source: Words
    drafts: tuple[str, ...]
    """Languages whose wording no speaker has reviewed yet."""
    alone: bool
    """Whether one teacher follows it by themselves, without a partner: it is a reflection and nothing else."""
    stages: tuple[Stage, ...]
    body: Mapping[str, Any] = field(compare=False, repr=False)
    """The plain values it was read from, to be stored with a cycle."""
    family: Words = NO_WORDS
    """The published family whose steps it follows; empty for none."""
    form: str = FORMS[0]
    least: int = 2
    """People a cycle of it needs."""
    most: int = 2
    """People a cycle of it has room for."""
    roles: tuple[str, ...] = ("host", "coach")
    """In the order in which they rotate."""

    def fits(self, people: int) -> bool:
        """Whether so many people can follow it together."""
        return self.least <= people <= self.most

    @property
    def is_for_group(self) -> bool:
        """Whether it has room for more than two."""
        return self.most > 2

    @property
    def minutes(self) -> int:
        """What a cycle of it takes, once a pair has got started together."""
        return sum(stage.minutes for stage in self.stages_of(2))

    def stages_of(self, number: int) -> tuple[Stage, ...]:
        """The stages of a pair's cycle of this number, counted from 1."""
        return tuple(stage for stage in self.stages if number == 1 or not stage.first_cycle_only)

    @property
    def has_ladder(self) -> bool:
        """Whether there is anything in it that not every step has."""
        return any(
            from_step != STEPS[0]
            for stage in self.stages
            for from_step in (
                stage.from_step,
                *(each.from_step for each in stage.fields),
                *(each.from_step for each in stage.steps),
            )
        )

    def at(self, step: str, done: Collection[str] = (), written: Collection[str] = ()) -> "Protocol":
        """The recipe as far as a pair goes: what comes in at a higher step only is left out, with all that rests on it.

        `done`: keys of stages that are done. They stay, with those of their texts that are `written`; a stage that a
        pair has passed without it does not come in behind them.
        """
        if not self.has_ladder:
            return self
        passed = max((i for i, stage in enumerate(self.stages) if stage.key in done), default=-1)
        stages = [
            stage
            for i, stage in enumerate(self.stages)
            if stage.key in done or (i > passed and reaches(step, stage.from_step))
        ]
        has_first_turn = any(stage.first_turn for stage in stages)
        talks = {kind for stage in stages if stage.kind == "conversation" for kind in stage.meetings}
        known: set[str] = set()
        opens: set[str | None] = set()
        found = []
        for stage in stages:
            fields = tuple(
                each
                for each in stage.fields
                if (reaches(step, each.from_step) or (stage.key in done and each.key in written))
                and (has_first_turn or each.opens != "first_turn_done")
            )
            shows = tuple(key for key in stage.shows if key in known)
            known |= {each.key for each in fields}
            opens |= {each.opens for each in fields}
            here = {each.key for each in fields}
            # A first turn is marked so that something opens; where nothing does, there is nothing to mark.
            first_turn = stage.first_turn if "first_turn_done" in opens else None
            steps = tuple(
                replace(
                    each,
                    fields=tuple(key for key in each.fields if key in here),
                    first_turn=each.first_turn and first_turn is not None,
                )
                for each in stage.steps
                # A text that is kept, because it was written, is still shown in its step.
                if reaches(step, each.from_step) or here.intersection(each.fields)
            )
            agreements = tuple(each for each in stage.agreements if known.issuperset(each.fields))
            meetings = tuple(kind for kind in stage.meetings if kind == "visit" or kind in talks)
            there: dict[str, set[str | None]] = {
                "text": {each.key for each in fields},
                "agreement": {each.key for each in agreements},
                "meeting": set(meetings),
                "first_turn": {first_turn},
            }
            found.append(
                replace(
                    stage,
                    purpose=dict(stage.purpose_at).get(step, stage.purpose),
                    first_turn=first_turn,
                    fields=fields,
                    shows=shows,
                    agreements=agreements,
                    meetings=meetings,
                    gates=tuple(gate for gate in stage.gates if gate.of in there[gate.needs]),
                    steps=steps,
                    advice=gives_advice(fields, steps),
                    groups=tuple(each for each in stage.groups if each.key in {one.group for one in fields}),
                )
            )
        kept = {each.key for stage in found for each in stage.fields}
        return replace(
            self,
            stages=tuple(
                replace(
                    stage,
                    recalls=tuple(key for key in stage.recalls if key in kept),
                    fields=tuple(
                        replace(each, rests_on=each.rests_on if each.rests_on in kept else "") for each in stage.fields
                    ),
                )
                for stage in found
            ),
        )

    @property
    def places(self) -> tuple[tuple[str, Words], ...]:
        """Where a pair can be as a trainer counts it: (key, title), in order, and the same at every step (R24)."""
        return tuple({self.place(stage.key): self._title(stage) for stage in self.stages}.items())

    def place(self, key: str) -> str:
        """The place of a stage: itself, or TOGETHER from the first to the last stage that some step leaves out.

        Which of these a pair is in, and when it goes from one to the next, would tell how far it goes.
        """
        return TOGETHER if key in self._some_leave_out else key

    def _title(self, stage: Stage) -> Words:
        return _TOGETHER_TITLE if stage.key in self._some_leave_out else stage.title

    @property
    def _some_leave_out(self) -> set[str]:
        left_out = [i for i, stage in enumerate(self.stages) if stage.from_step != STEPS[0]]
        return {stage.key for stage in self.stages[left_out[0] : left_out[-1] + 1]} if left_out else set()

    def stage(self, key: str) -> Stage | None:
        """The stage of that key, or None."""
        return next((stage for stage in self.stages if stage.key == key), None)

    def field(self, key: str) -> Field | None:
        """The field of that key, or None."""
        return next((found for stage in self.stages for found in stage.fields if found.key == key), None)

    def stage_of_field(self, key: str) -> Stage | None:
        """The stage in which the field is written, or None."""
        return next((stage for stage in self.stages if any(found.key == key for found in stage.fields)), None)

    @property
    def raw_fields(self) -> tuple[Field, ...]:
        """The fields of raw observation; none where there is no visit."""
        return tuple(found for stage in self.stages for found in stage.fields if found.raw)

    @property
    def debrief(self) -> Stage | None:
        """The conversation that looks back on the visit: the last one after raw observation, or else the stage of that
        itself, where no talk about it is owed. None where nothing raw is noted."""
        first = next((i for i, stage in enumerate(self.stages) if any(each.raw for each in stage.fields)), None)
        after = () if first is None else self.stages[first:]
        return next((stage for stage in reversed(after) if stage.kind == "conversation"), after[0] if after else None)

    def agreement(self, key: str) -> Agreement | None:
        """The agreement of that key, or None."""
        return next((found for stage in self.stages for found in stage.agreements if found.key == key), None)


def gives_advice(fields: Iterable[Field], steps: Iterable[Step]) -> bool:
    """Whether anything in a stage waits for the host to ask for advice."""
    return any(each.opens == "advice_asked" for each in fields) or any(each.advice for each in steps)


def reaches(step: str, from_step: str) -> bool:
    """Whether what begins at `from_step` is there for a pair that goes as far as `step`."""
    return STEPS.index(step) >= STEPS.index(from_step)


def lowest(steps: Iterable[str]) -> str:
    """The least of these steps; the highest where there is none. It does not say whose it is."""
    return min(steps, key=STEPS.index, default=FULL)


_TOGETHER_TITLE = Words("Coaching each other", "Ag cóitseáil a chéile")
