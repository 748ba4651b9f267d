"""Rehearsals: a lesson that never was, to practise noting. What is noted is drawn and sent back, and kept nowhere."""

import json
from collections.abc import Iterable

from flask import abort, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _

from lti_tool.observation import entries, words
from lti_tool.observation.build_pages import plan_picture
from lti_tool.observation.entries import Entry
from lti_tool.observation.instrument import CLASS, TEACHER, Instrument
from lti_tool.observation.pictures import draw
from lti_tool.observation.reading import Reader
from lti_tool.observation.rehearsal import OFFERED, Difference, Lesson, Line, differences, lessons
from lti_tool.observation.said import RefusedError, Said
from lti_tool.observation.shipped import shipped
from lti_tool.observation.views_base import blueprint
from lti_tool.privacy.rules import Action, CourseFacts, may
from lti_tool.protocols.recipe import Words
from lti_tool.web.context import actor

_MOST = 600
"""Entries of one rehearsal: more than one a second."""


@blueprint.get("/rehearsal")
def rehearsals() -> str:
    """The lessons, and with what each can be noted."""
    _check()
    return render_template(
        "observation/rehearsals.html",
        lessons=[(each, _level(each)) for each in lessons().values()],
        bases=[shipped()[each] for each in OFFERED],
        into=_into,
    )


@blueprint.get("/rehearsal/<lesson_key>/<base_key>")
def rehearse(lesson_key: str, base_key: str) -> str:
    """The lesson as it goes on, and what is tapped; without a script, the lesson to read with its times."""
    return _page(*_found(lesson_key, base_key))


@blueprint.post("/rehearsal/<lesson_key>/<base_key>")
def compare_rehearsal(lesson_key: str, base_key: str) -> str | tuple[str, int]:
    """What somebody noted beside what the author did. Nothing is read from or written to the database."""
    lesson, used = _found(lesson_key, base_key)
    whole = 60_000 * lesson.minutes
    try:
        mine = _read(request.form.get("entries", ""), used)
    except RefusedError as error:
        return _page(lesson, used, [words.problem(each) for each in error.problems[:5]]), 400
    heard = request.form.get("until", "")
    until = min(int(heard), whole) if heard.isascii() and heard.isdigit() and len(heard) < 9 else whole
    theirs = lesson.noted(used.base, _language(), until)
    minutes = max(1, -(-until // 60_000))
    told = differences(lesson, used, mine, theirs) if mine else ()
    return render_template(
        "observation/rehearsal_compared.html",
        lesson=lesson,
        used=used,
        base=shipped()[used.base],
        into=_into,
        say=words.say,
        is_whole=until == whole,
        minutes=minutes,
        mine=draw(used, mine, minutes) if mine else None,
        theirs=draw(used, theirs, minutes),
        is_script=told is None,
        rows=[_row(used, each) for each in told or ()],
    )


def _check() -> None:
    if not may(actor(), Action.PRACTISE, CourseFacts(actor().course_id)):
        abort(404)


def _found(lesson_key: str, base_key: str) -> tuple[Lesson, Instrument]:
    _check()
    lesson = lessons().get(lesson_key)
    if lesson is None or base_key not in OFFERED:
        abort(404)
    return lesson, lesson.instrument(base_key, _language())


def _page(lesson: Lesson, used: Instrument, errors: Iterable[str] = ()) -> str:
    return render_template(
        "observation/rehearsal.html",
        lesson=lesson,
        used=used,
        base=shipped()[used.base],
        into=_into,
        say=words.say,
        plan=plan_picture(lesson.plan, _("The room of this lesson")),
        lines=[(each, _who(each), _clock(1000 * each.at_s)) for each in lesson.lines],
        errors=[("", each) for each in errors],
        labels={each: words.say(Said(each)) for each in ("front", "board", "desk", "door", "window", "screen")},
    )


def _read(text: str, used: Instrument) -> list[Entry]:
    """The entries in a form's JSON; raises RefusedError."""
    if not text:
        return []
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    reader = Reader()
    found = reader.items(body, ("entries",), _MOST)
    reader.done()
    return [entries.read(each, used) for each in found]


def _row(used: Instrument, told: Difference) -> tuple[str, str, str, str]:
    """(time, what went on, what one noted oneself, what the author noted) of a difference."""
    heard = _("the beginning")
    if used.kind == "intervals":
        end = told.at_ms + 1000 * used.interval_s
        heard = _("from %(start)s to %(end)s", start=_clock(told.at_ms), end=_clock(end))
    elif told.line:
        who = _who(told.line)
        heard = f"{who}: “{_into(told.line.text)}”" if who else _into(told.line.text)
    return _clock(told.at_ms), heard, _said(used, told.mine), _said(used, told.theirs)


def _said(used: Instrument, noted: Iterable[Entry]) -> str:
    return "; ".join(_entry(used, each) for each in noted) or _("nothing")


def _entry(used: Instrument, entry: Entry) -> str:
    code = used.code(entry.code)
    parts = [code.text if code else ""]
    if entry.to_seat is not None:
        parts.insert(0, _("%(one)s to %(other)s", one=_seat(entry.seat), other=_seat(entry.to_seat)))
    elif entry.seat is not None:
        parts.insert(0, _seat(entry.seat))
    if entry.x is not None and entry.y is not None and used.plan:
        x, y = min(int(entry.x), used.plan.width - 1), min(int(entry.y), used.plan.depth - 1)
        parts.append(_("place %(place)s", place=used.plan.place(x, y)))
    return ", ".join(filter(None, parts))


def _seat(number: int | None) -> str:
    key = "teacher" if number == TEACHER else "class" if number == CLASS else "seat"
    return words.say(Said(key, {"number": number or 0}))


def _who(line: Line) -> str:
    """Who speaks in a line; empty for what is seen."""
    return "" if line.who is None else _seat(line.who)


def _clock(ms: int) -> str:
    return f"{ms // 60_000}:{ms // 1000 % 60:02}"


def _level(lesson: Lesson) -> str:
    return str(_("Primary") if lesson.level == "primary" else _("Post-primary"))


def _into(text: Words) -> str:
    return text.into(_language())


def _language() -> str:
    return str(getattr(get_locale(), "language", "en"))
