"""Changing a protocol as a trainer does it in forms: plain values in, plain values out, and what is wrong with them.

A draft is the body of a protocol (see reader.py) and is only ever kept when the reader accepts it. A form holds a whole
part of it: the head, or one stage. Boxes are named after their place, so that an error finds its box:

    text-title-en           the title in English          text-p2-ga        the third prompt in Irish
    s1-minutes              minutes of the second step     text-s1p0-en      the first prompt of the second step
    text-f3-label-en        the label of the fourth field  f3-seen           who sees that field

Rows named `new` are added at the end of their list when something is written in them.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lti_tool.protocols import reader
from lti_tool.protocols.finishing import obstacles
from lti_tool.protocols.recipe import FORMS, GUIDES, PILLARS, PROMPT_KINDS, REFLECTION, ROLES, STEPS, Prompt, reaches
from lti_tool.protocols.rules import MAX_BYTES

Body = dict[str, Any]
Form = Mapping[str, str]
MAX_TEXT = 1200
MAX_TITLE = 120
MAX_SHORT = 24
MAX_ROWS = 40
"""Of any one list: prompts of a step, steps of a stage, fields of a stage."""
MAX_MINUTES = 480
LATER = ("visit_done", "first_turn_done", "advice_asked")
NEW = "new"
_LIST = {"p": "prompts", "s": "steps", "f": "fields", "c": "choices"}
_DO = re.compile(r"(up|down|remove) (?:([sf])([0-9]{1,2}))?([psfc])([0-9]{1,2})")
_HOLDS = {"": "psf", "s": "p", "f": "c"}
"""What rows a stage, a step and a field have."""
_ROLES_OF_PAIR = ["host", "coach"]


class Problem(StrEnum):
    """What is wrong with what was typed."""

    EMPTY = "empty"
    LONG = "long"
    NO_NUMBER = "no number"
    STEPS_LONGER = "steps longer than the stage"
    NO_BELIEF = "no prompt about beliefs"
    TOO_MANY = "too many rows"
    CHOICES = "too few or too many choices"
    TOO_LARGE = "too large"
    SHOWN_BEFORE = "shown before it is written"
    NEEDED = "needed by every protocol"
    NEVER_OPENS = "opens at a time that never comes"
    ONLY_ADVICE = "no step before advice"
    LADDER = "nothing between for all"
    EMPTY_END = "nothing to write in the reflection"
    UNSIGNED = "nothing to sign at the beginning"
    OTHER = "other"
    """As the reader says it, in `of`."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to correct."""

    box: str
    """Where: what the names of its boxes begin with, after `text-`; empty for the whole."""
    problem: Problem
    of: str = ""
    """What it is about: a number, a title, or the reader's own words."""
    stage: str = ""
    """Key of the stage; empty for the head."""


# Making one


def copied(body: Mapping[str, Any]) -> Body:
    """The draft of an own protocol that begins as a copy of another."""
    found = copy.deepcopy(dict(body))
    title = found["title"]
    if not title["en"].endswith(_OURS["en"]):
        found["title"] = {language: _shortened(title[language], _OURS[language]) for language in ("en", "ga")}
    found["version"] = 1
    return found


def _shortened(title: str, ending: str) -> str:
    return title[: MAX_TITLE - len(ending)] + ending


_OURS = {"en": " (our version)", "ga": " (ár leagan féin)"}


# The head


def head(body: Body) -> Body:
    """The part of a draft that its first form is about."""
    kept = ("title", "summary", "source", "family", "form", "drafts")
    return {key: body[key] for key in kept if key in body} | {"order": [stage["key"] for stage in body["stages"]]}


def read_head(body: Body, form: Form) -> Body:
    """The draft with what the first form says; a text that is missing in one language stands in both."""
    found = dict(body)
    for key in ("title", "summary", "source"):
        found[key] = _words(form, key, body[key])
    if form.get("form") in FORMS:
        found["form"] = form["form"]
    drafts = [each for each in body.get("drafts") or [] if each != "ga"] + (["ga"] if form.get("draft-ga") else [])
    found["drafts"] = drafts
    return found


def move_stage(body: Body, do: str) -> Body:
    """The draft after a stage went up or down, or was removed with all that rests on it; `do`: `up visit`."""
    way, _, key = do.partition(" ")
    stages = list(body["stages"])
    place = next((i for i, stage in enumerate(stages) if stage["key"] == key and not is_fixed(stage)), None)
    if place is None or way not in ("up", "down", "remove"):
        return body
    if way == "remove":
        del stages[place]
        return mended(body | {"stages": stages})
    to = place + (-1 if way == "up" else 1)
    if 0 <= to < len(stages):
        stages[place], stages[to] = stages[to], stages[place]
    return body | {"stages": stages}


def is_fixed(stage: Body) -> bool:
    """Whether a stage stays where it is: the reflection is the last one, and what holds between people comes first."""
    return stage["kind"] in ("start", "reflection")


# A stage


def read_stage(body: Body, key: str, form: Form) -> Body:
    """The draft with what the form of one stage says: texts, minutes, prompts, steps, and who sees a field. What the
    form has no box for stays as it is, unless it rests on a text that only its author sees now; a number that is none
    stays as it was typed."""
    stages = [_read_stage(body, stage, form) if stage["key"] == key else stage for stage in body["stages"]]
    return mended(body | {"stages": stages})


def _read_stage(body: Body, was: Body, form: Form) -> Body:
    stage = dict(was)
    for name in ("title", "short", "purpose"):
        stage[name] = _words(form, name, was[name])
    for step, text in (was.get("purpose_at") or {}).items():
        stage["purpose_at"] = stage["purpose_at"] | {step: _words(form, f"at-{step}", text)}
    if "minutes" in form:
        _keep_minutes(stage, form["minutes"])
    _keep_list(stage, "prompts", _read_prompts(form, "", was.get("prompts")))
    if may_have_steps(was):
        _keep_list(stage, "steps", _read_steps(body, was, form))
    _keep_list(stage, "fields", _read_fields(body, was, form))
    if was.get("agreements") and was["kind"] != "start":
        stage["agreements"] = _reworded(form, "a", was["agreements"], ("text", "button"))
    if was.get("groups"):
        stage["groups"] = _reworded(form, "g", was["groups"], ("title", "text"))
    return stage


def _reworded(form: Form, letter: str, was: list[Body], parts: tuple[str, ...]) -> list[Body]:
    """Rows that are neither added nor moved here, each with what its boxes say."""
    rows = {form.get(f"{letter}{index}-key"): f"{letter}{index}" for index in _rows(form, letter)}
    return [
        each
        | {
            part: _words(form, f"{rows[each['key']]}-{part}", each[part])
            for part in parts
            if part in each and each["key"] in rows
        }
        for each in was
    ]


def may_have_steps(stage: Body) -> bool:
    """Whether it can be led through step by step."""
    return stage["kind"] in ("conversation", "work", "start")


def _keep_list(stage: Body, name: str, rows: list[Body]) -> None:
    if rows or name in stage:
        stage[name] = rows


def _keep_minutes(part: Body, typed: str) -> None:
    """None is what a protocol says that gives no time: it takes as long as it takes, or as its steps together."""
    part.pop("minutes", None)
    if minutes := _number(typed):
        part["minutes"] = minutes


def _read_prompts(form: Form, prefix: str, was: list[Body] | None) -> list[Body]:
    found = []
    for index in _rows(form, f"{prefix}p"):
        base = _at(was, index)
        text = _words(form, f"{prefix}p{index}", base.get("text"))
        if index == NEW and not text["en"]:
            continue
        prompt = {"kind": _one_of(form, f"{prefix}p{index}-kind", PROMPT_KINDS), "text": text}
        guide = _one_of(form, f"{prefix}p{index}-guide", GUIDES[1::-1])
        pillar = _one_of(form, f"{prefix}p{index}-pillar", ("", *PILLARS))
        # As in the file: what is usual is not said.
        prompt |= ({"guide": guide} if guide != "light" or "guide" in base else {}) | (
            {"pillar": pillar} if pillar or "pillar" in base else {}
        )
        found.append(prompt)
    return found


def _read_steps(body: Body, was: Body, form: Form) -> list[Body]:
    bases = {each["key"]: each for each in was.get("steps") or []}
    taken = set(bases)
    found = []
    for index in _rows(form, "s"):
        prefix = f"s{index}"
        base = bases.get(form.get(f"{prefix}-key", ""), {})
        title = _words(form, f"{prefix}-title", base.get("title"))
        if index == NEW and not title["en"]:
            continue
        step = dict(base) if base else {"key": _unused("step", taken)}
        taken.add(step["key"])
        step["title"] = title
        text = _words(form, f"{prefix}-text", base.get("text"))
        step.pop("text", None)
        if text["en"]:
            step["text"] = text
        _keep_minutes(step, form.get(f"{prefix}-minutes", ""))
        speaks = _one_of(form, f"{prefix}-speaks", ("", *roles_of(body), "all"))
        step.pop("quiet", None)
        step.pop("speaks", None)
        step |= {"speaks": speaks} if speaks else {"quiet": True}
        _keep_list(step, "prompts", _read_prompts(form, prefix, base.get("prompts")))
        found.append(step)
    return found


def _read_fields(body: Body, was: Body, form: Form) -> list[Body]:
    bases = {each["key"]: each for each in was.get("fields") or []}
    taken = {each["key"] for stage in body["stages"] for each in stage.get("fields") or []}
    found = []
    for index in _rows(form, "f"):
        prefix = f"f{index}"
        base = bases.pop(form.get(f"{prefix}-key", ""), None)
        label = _words(form, f"{prefix}-label", base and base["label"])
        if base is None:
            # New, or typed on a page that came back, or removed by another trainer meanwhile.
            if not label["en"] or f"{prefix}-by" not in form:
                continue
            base = _new_field(body, was, form, prefix, taken)
            taken.add(base["key"])
        each = base | {"label": label}
        help_ = _words(form, f"{prefix}-help", base.get("help"))
        each.pop("help", None)
        if help_["en"]:
            each["help"] = help_
        if base.get("choices") is not None:
            each["choices"] = _read_choices(form, prefix, base["choices"])
        found.append(_seen(body, was, each, form.get(f"{prefix}-seen", "")))
    # Nothing goes that was not asked to go: a field that another trainer added meanwhile stays.
    return found + list(bases.values())


def _read_choices(form: Form, prefix: str, was: list[Body]) -> list[Body]:
    bases = {each["key"]: each for each in was}
    taken = set(bases)
    found = []
    for index in _rows(form, f"{prefix}c"):
        row = f"{prefix}c{index}"
        base = bases.pop(form.get(f"{row}-key", ""), None)
        text = _words(form, row, base and base["text"])
        if base is None:
            if not text["en"]:
                continue
            base = {"key": _unused("choice", taken)}
            taken.add(base["key"])
        found.append(base | {"text": text})
    return found + list(bases.values())


def _new_field(body: Body, stage: Body, form: Form, row: str, taken: set[str]) -> Body:
    writers = writers_of(body, stage)
    by = form[f"{row}-by"]
    by = by if by in writers else writers[0]
    key = form.get(f"{row}-key", "")
    return {
        "key": key if re.fullmatch("text_[0-9]{1,3}", key) and key not in taken else _unused("text", taken),
        "by": by,
        "seen": "pair" if by == "both" else "author",
        "label": {},
    }


def writers_of(body: Body, stage: Body) -> tuple[str, ...]:
    """Who can write in a new field of a stage."""
    if stage["kind"] == "reflection" or body.get("alone"):
        return ("each",)
    return ("each", "both", *roles_of(body))


def roles_of(body: Body) -> tuple[str, ...]:
    """The roles of a protocol."""
    return tuple(each for each in body.get("roles") or _ROLES_OF_PAIR if each in ROLES)


def audiences_of(body: Body, stage: Body, field: Body) -> tuple[str, ...]:
    """Who may see a field, as far as that can be chosen: `author`, `pair`, or one of LATER, from which on the pair sees
    it. What opens late never opens at once, so that nobody writes for themselves and is read; one answer for none to
    choose."""
    now = audience_of(field)
    if stage["kind"] == "reflection" or field["by"] in ("both",) or field.get("raw") or body.get("alone"):
        return (now,)
    if _is_agreed(body, field["key"]):
        return (now,)
    if field.get("opens"):
        return (field["opens"], "author") if _happens(body["stages"], stage, field["opens"]) else ("author",)
    return ("author", "pair")


def audience_of(field: Body) -> str:
    """Who sees a field: `author`, `pair` at once, or one of LATER."""
    return str((field.get("opens") or "pair") if field["seen"] == "pair" else "author")


def is_signed(stage: Body, key: str) -> bool:
    """Whether all sign a text when they get started, so that it stays."""
    return stage["kind"] == "start" and any(key in each for each in _signed(stage))


def _signed(stage: Body) -> list[list[str]]:
    return [each["fields"] for each in stage.get("agreements") or []]


def _is_agreed(body: Body, key: str) -> bool:
    return any(key in each["fields"] for stage in body["stages"] for each in stage.get("agreements") or [])


def _seen(body: Body, stage: Body, field: Body, wanted: str) -> Body:
    if wanted == audience_of(field) or wanted not in audiences_of(body, stage, field):
        return field
    # When it opens stays with it: once nobody else sees it, it still never opens at once.
    return field | {"seen": "author" if wanted == "author" else "pair"}


def arrange(body: Body, key: str, do: str) -> Body:
    """The draft after a row of a stage went up or down, or was removed with all that rests on it; `do`: `up s1p2`."""
    asked = _DO.fullmatch(do)
    if asked is None:
        return body
    way, within, number, letter, index = asked[1], asked[2] or "", asked[3], asked[4], int(asked[5])
    found = copy.deepcopy(body)
    holder = next(stage for stage in found["stages"] if stage["key"] == key)
    if letter not in _HOLDS[within]:
        return body
    if within:
        holders = holder.get(_LIST[within]) or []
        if int(number) >= len(holders):
            return body
        holder = holders[int(number)]
    rows = holder.get(_LIST[letter]) or []
    to = index + {"up": -1, "down": 1, "remove": 0}[way]
    if index >= len(rows) or not 0 <= to < len(rows):
        return body
    if way == "remove":
        del rows[index]
        return mended(found)
    rows[index], rows[to] = rows[to], rows[index]
    return found


def row_after(do: str) -> str:
    """Where a row is after arrange(): what its place is called."""
    asked = _DO.fullmatch(do)
    if asked is None:
        return ""
    if asked[4] == "c":
        return f"f{asked[3]}"
    within = f"{asked[2]}{asked[3]}" if asked[2] else ""
    return f"{within}{asked[4]}{max(0, int(asked[5]) + {'up': -1, 'down': 1, 'remove': -1}[asked[1]])}"


def prompt_of(prompt: Prompt) -> Body:
    """A prompt as a body holds it; what is usual is not said."""
    found: Body = {"kind": prompt.kind, "text": {"en": prompt.text.en, "ga": prompt.text.ga}}
    found |= {"guide": prompt.guide} if prompt.guide != "light" else {}
    return found | ({"pillar": prompt.pillar} if prompt.pillar else {})


def with_prompts(body: Body, key: str, step: str, prompts: list[Body]) -> Body:
    """The draft with prompts added at the end of a stage, or of the step of that key in it."""
    found = copy.deepcopy(body)
    stage = next(stage for stage in found["stages"] if stage["key"] == key)
    holder = next((each for each in stage.get("steps") or [] if each["key"] == step), stage)
    holder["prompts"] = [*(holder.get("prompts") or []), *prompts]
    return found


def mended(body: Body) -> Body:
    """The draft without what refers to something that is gone. What would open at a time that never comes is seen by
    its author alone."""
    stages = [_mended_stage(each) for each in _levelled(body["stages"])]
    for stage in stages:
        if "fields" in stage:
            stage["fields"] = [_closed(stages, stage, each) for each in stage["fields"] or []]
    fields = [each for stage in stages for each in stage.get("fields") or []]
    shared = {each["key"] for each in fields if each["seen"] == "pair"}
    kept = shared - {each["key"] for each in fields if each.get("raw")}
    held = {"visit" for stage in stages if stage["kind"] == "visit"} | {
        each for stage in stages if stage["kind"] in ("conversation", "work") for each in stage.get("meetings") or []
    }
    known: set[str] = set()
    for stage in stages:
        own = {each["key"] for each in stage.get("fields") or []}
        for name, there in (("shows", known), ("recalls", kept), ("meetings", held)):
            if name in stage:
                stage[name] = [key for key in stage[name] or [] if key in there]
        known = known | own
        if "fields" in stage:
            stage["fields"] = [
                {key: value for key, value in each.items() if key != "rests_on" or value in shared}
                for each in stage["fields"]
            ]
        if "agreements" in stage:
            about = known & shared
            agreements = [
                each | {"fields": [key for key in each["fields"] if key in about]} for each in stage["agreements"] or []
            ]
            stage["agreements"] = [each for each in agreements if each["fields"]]
        if "gates" in stage:
            there_is: dict[str, set[str]] = {
                "text": own,
                "agreement": {each["key"] for each in stage.get("agreements") or []},
                "meeting": set(stage.get("meetings") or []),
                "first_turn": {stage.get("first_turn") or ""},
            }
            stage["gates"] = [
                gate for gate in stage["gates"] or [] for needs, of in gate.items() if of in there_is[needs]
            ]
        if stage.get("groups"):
            used = {each.get("group") for each in stage.get("fields") or []}
            stage["groups"] = [each for each in stage["groups"] if each["key"] in used]
    return body | {"stages": stages}


def _mended_stage(was: Body) -> Body:
    """A stage whose steps hold what is there, and that has a first turn and advice only where something gives them."""
    stage = dict(was)
    own = {each["key"] for each in stage.get("fields") or []}
    if "steps" in stage:
        stage["steps"] = [
            each | ({"fields": [key for key in each["fields"] or [] if key in own]} if "fields" in each else {})
            for each in stage["steps"] or []
        ]
    steps = stage.get("steps") or []
    if steps and not any(each.get("first_turn") for each in steps):
        stage.pop("first_turn", None)
    if not any(each.get("advice") for each in steps) and not any(
        audience_of(each) == "advice_asked" for each in stage.get("fields") or []
    ):
        stage.pop("advice", None)
    return stage


def _levelled(stages: list[Body]) -> list[Body]:
    """The stages; where a pair at the lowest of STEPS would be seen to pass over some, these are there for all."""
    left_out = [i for i, each in enumerate(stages) if _from(each) != STEPS[0]]
    between = range(left_out[0], left_out[-1] + 1) if left_out else range(0)
    if any(_from(stages[i]) == STEPS[0] for i in between):
        return stages
    return [_for_all(each) if i in between else each for i, each in enumerate(stages)] if left_out else stages


def _for_all(stage: Body) -> Body:
    found = {key: value for key, value in stage.items() if key != "from_step"}
    if stage.get("steps"):
        # What was there whenever the stage was is still there whenever it is.
        found["steps"] = [
            {key: value for key, value in each.items() if key != "from_step" or not reaches(_from(stage), value)}
            for each in stage["steps"]
        ]
    return found


def _from(part: Body) -> str:
    return str(part.get("from_step") or STEPS[0])


def _closed(stages: list[Body], stage: Body, field: Body) -> Body:
    opens = field.get("opens")
    return field if not opens or _happens(stages, stage, opens) else field | {"seen": "author"}


def _happens(stages: list[Body], stage: Body, opens: str) -> bool:
    """Whether that from which on a field of a stage is open, one of LATER, ever comes."""
    if opens == "visit_done":
        return any(each["kind"] == "visit" for each in stages)
    if opens == "first_turn_done":
        return any(each.get("first_turn") for each in stages)
    return bool(stage.get("advice"))


# Checking


def check(body: Body) -> list[Trouble]:
    """What has to be corrected before the draft can be kept, most telling first; empty where it can."""
    found = [*_own_checks(body)]
    if not found:
        found = [_of_reader(body, place, text) for place, text in reader.problems(body)]
    if not found:
        found = [_of_reader(body, place, text) for place, text in obstacles(reader.parse(body))]
    if not found and len(json.dumps(body, ensure_ascii=False).encode()) > MAX_BYTES:
        found = [Trouble("", Problem.TOO_LARGE)]
    return found


def _own_checks(body: Body) -> Iterator[Trouble]:
    for key, most in (("title", MAX_TITLE), ("summary", MAX_TEXT), ("source", MAX_TEXT)):
        yield from _text(body[key], key, "", most)
    for stage in body["stages"]:
        for box, words, most in texts_of(stage):
            yield from _text(words, box, stage["key"], most)
        yield from _numbers(stage)
        for name, letter in (("prompts", "p"), ("steps", "s"), ("fields", "f")):
            if len(stage.get(name) or []) > MAX_ROWS:
                yield Trouble(f"{letter}{NEW}", Problem.TOO_MANY, str(MAX_ROWS), stage["key"])
        for i, step in enumerate(stage.get("steps") or []):
            if len(step.get("prompts") or []) > MAX_ROWS:
                yield Trouble(f"s{i}p{NEW}", Problem.TOO_MANY, str(MAX_ROWS), stage["key"])
        for i, each in enumerate(stage.get("fields") or []):
            if each.get("choices") is not None and not 2 <= len(each["choices"]) <= MAX_ROWS:
                yield Trouble(f"f{i}c{NEW}", Problem.CHOICES, str(MAX_ROWS), stage["key"])
        lists = [stage, *(stage.get("steps") or [])]
        kinds = {prompt["kind"] for holder in lists for prompt in holder.get("prompts") or []}
        if stage["kind"] == "conversation" and "belief" not in kinds:
            yield Trouble(f"p{NEW}", Problem.NO_BELIEF, "", stage["key"])
        for i, each in enumerate(stage.get("fields") or []):
            if audience_of(each) in LATER and not _happens(body["stages"], stage, audience_of(each)):
                yield Trouble(f"f{i}-label", Problem.NEVER_OPENS, "", stage["key"])
        steps = stage.get("steps") or []
        if steps and all(each.get("advice") for each in steps):
            yield Trouble(f"s{NEW}", Problem.ONLY_ADVICE, "", stage["key"])
        if stage["kind"] == "reflection" and not stage.get("fields"):
            yield Trouble(f"f{NEW}", Problem.EMPTY_END, "", stage["key"])
        # Getting started is closed by signing, and by nothing else.
        there = {each["key"] for each in stage.get("fields") or [] if _from(each) == STEPS[0]}
        if stage["kind"] == "start" and not any(there.issuperset(each) for each in _signed(stage)):
            yield Trouble("", Problem.UNSIGNED, "", stage["key"])
    yield from _order(body)


def texts_of(stage: Body) -> Iterator[tuple[str, Any, int]]:
    """(box, words, most characters) of each text of a stage that a form has."""
    yield "title", stage["title"], MAX_TITLE
    yield "short", stage["short"], MAX_SHORT
    yield "purpose", stage["purpose"], MAX_TEXT
    for step, text in (stage.get("purpose_at") or {}).items():
        yield f"at-{step}", text, MAX_TEXT
    for i, prompt in enumerate(stage.get("prompts") or []):
        yield f"p{i}", prompt["text"], MAX_TEXT
    for i, step in enumerate(stage.get("steps") or []):
        yield f"s{i}-title", step["title"], MAX_TITLE
        if "text" in step:
            yield f"s{i}-text", step["text"], MAX_TEXT
        for j, prompt in enumerate(step.get("prompts") or []):
            yield f"s{i}p{j}", prompt["text"], MAX_TEXT
    for i, each in enumerate(stage.get("fields") or []):
        yield f"f{i}-label", each["label"], MAX_TEXT
        if "help" in each:
            yield f"f{i}-help", each["help"], MAX_TEXT
        for j, choice in enumerate(each.get("choices") or []):
            yield f"f{i}c{j}", choice["text"], MAX_TEXT
    if stage["kind"] != "start":
        for i, each in enumerate(stage.get("agreements") or []):
            yield f"a{i}-text", each["text"], MAX_TEXT
            yield f"a{i}-button", each["button"], MAX_TITLE
    for i, each in enumerate(stage.get("groups") or []):
        yield f"g{i}-title", each["title"], MAX_TITLE
        if "text" in each:
            yield f"g{i}-text", each["text"], MAX_TEXT


def _text(words: Any, box: str, stage: str, most: int) -> Iterator[Trouble]:
    if not words["en"] and not words["ga"]:
        yield Trouble(box, Problem.EMPTY, "", stage)
    elif (longest := max(len(words["en"]), len(words["ga"]))) > most:
        yield Trouble(box, Problem.LONG, f"{most} {longest}", stage)


def _numbers(stage: Body) -> Iterator[Trouble]:
    steps = stage.get("steps") or []
    every = [("", stage.get("minutes", 0)), *((f"s{i}-", step.get("minutes", 0)) for i, step in enumerate(steps))]
    wrong = [box for box, minutes in every if not isinstance(minutes, int) or not 0 <= minutes <= MAX_MINUTES]
    for box in wrong:
        yield Trouble(f"{box}minutes", Problem.NO_NUMBER, str(MAX_MINUTES), stage["key"])
    takes = 0 if wrong else sum(step.get("minutes", 0) for step in steps)
    if not wrong and stage.get("minutes") and takes > stage["minutes"]:
        yield Trouble("minutes", Problem.STEPS_LONGER, f"{takes} {stage['minutes']}", stage["key"])


def _order(body: Body) -> Iterator[Trouble]:
    stages = body["stages"]
    begins = bool(body.get("alone")) or (bool(stages) and stages[0]["kind"] == "start")
    ends = bool(stages) and stages[-1]["key"] == REFLECTION
    if not begins or not ends or any(each["kind"] == "start" for each in stages[1:]):
        yield Trouble("", Problem.NEEDED)
    if _levelled(stages) is not stages:
        yield Trouble("", Problem.LADDER)
    known: set[str] = set()
    at = {each["key"]: (stage, each) for stage in stages for each in stage.get("fields") or []}
    for stage in stages:
        own = {each["key"] for each in stage.get("fields") or []}
        about = {key for each in stage.get("agreements") or [] for key in each["fields"]}
        for key in sorted((set(stage.get("shows") or ()) - known) | (about - known - own)):
            if key in at:
                written, field = at[key]
                title = stage["title"]["en"], field["label"]["en"], written["title"]["en"]
                yield Trouble("", Problem.SHOWN_BEFORE, "\n".join(title))
        known |= own


def _of_reader(body: Body, place: tuple[str | int, ...], text: str) -> Trouble:
    stages = body["stages"]
    if len(place) < 2 or place[0] != "stages" or not isinstance(place[1], int) or place[1] >= len(stages):
        return Trouble(
            str(place[0]) if place and place[0] in ("title", "summary", "source") else "", Problem.OTHER, text
        )
    box, rest = "", list(place[2:])
    while rest and rest[0] in _ROW and len(rest) > 1:
        box, rest = f"{box}{_ROW[str(rest[0])]}{rest[1]}", rest[2:]
    if not box and rest and rest[0] in ("title", "short", "purpose", "minutes"):
        box = str(rest[0])
    return Trouble(box, Problem.OTHER, text, stages[place[1]]["key"])


_ROW = {"prompts": "p", "steps": "s", "fields": "f", "agreements": "a", "groups": "g"}


def same_in_both(body: Body) -> int:
    """How many texts of a draft say the same in both languages: one of them stands in for the other."""
    heads = [body[key] for key in ("title", "summary", "source")]
    texts = [*heads, *(words for stage in body["stages"] for _box, words, _most in texts_of(stage))]
    return sum(each["en"] == each["ga"] for each in texts)


# Reading boxes


def clean(text: str) -> str:
    """A text as it is kept: one line, without what no keyboard types."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _words(form: Form, box: str, was: Any) -> dict[str, str]:
    """The text of a box in both languages; given in one only, it stands in both."""
    was = was or {}
    found = {
        language: clean(form[name]) if (name := f"text-{box}-{language}") in form else str(was.get(language, ""))
        for language in ("en", "ga")
    }
    given = found["en"] or found["ga"]
    return {language: text or given for language, text in found.items()}


def _number(text: str) -> int | str:
    text = clean(text)[:20]
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else text or 0


def _one_of(form: Form, name: str, allowed: tuple[str, ...]) -> str:
    value = form.get(name, "")
    return value if value in allowed else allowed[0]


def _rows(form: Form, prefix: str) -> list[int | str]:
    """The rows of a list that the form has, in order; the new one last."""
    found = set()
    for name in form:
        asked = re.match(rf"(?:text-)?{prefix}([0-9]{{1,2}}|{NEW})-", name)
        if asked:
            found.add(asked[1])
    numbers = sorted(int(each) for each in found if each != NEW)
    return [*numbers, *([NEW] if NEW in found else [])]


def _at(rows: list[Body] | None, index: int | str) -> Body:
    return rows[index] if rows and isinstance(index, int) and index < len(rows) else {}


def _unused(stem: str, taken: set[str]) -> str:
    number = 1
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"
