"""The page of the long view, and what of it stands beside the reflection at the end of a programme."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from babel.dates import format_date
from flask import Blueprint, abort, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.cycles import words
from lti_tool.cycles.rules import Cycle
from lti_tool.privacy.looks import service as looks
from lti_tool.privacy.looks.views import tell
from lti_tool.privacy.rules import Action, may
from lti_tool.reflection import years
from lti_tool.reflection.rules import Term, term_of
from lti_tool.reflection.years import PILLARS, Line, Said, Years
from lti_tool.web.context import actor, tool

blueprint = Blueprint("years", __name__)

PAGE_SIZE = 6
"""Cycles with their words on one page."""
BESIDE = 12
"""Cycles beside the reflection at the end of a programme; the page of the long view has all."""


@dataclass(frozen=True, slots=True)
class LineView:
    """A cycle in the long view, as a page shows it."""

    month: str
    title: str
    about: str
    """Course, and with whom in which role."""
    goals: tuple[tuple[str, str], ...]
    """(Label, text); so the next two."""
    next_steps: tuple[tuple[str, str], ...]
    answers: tuple[tuple[str, str], ...]
    """Of the reflection, as submitted last."""
    submitted: str
    """Which version, and when; empty while there is none."""
    cycle_id: str
    """Empty where its own pages are those of another activity."""
    is_alone: bool


@blueprint.get("/years")
def show() -> str:
    """One's own goals, next steps and reflections, of all activities and courses, the newest first."""
    only_pillars = request.args.get("show", "") == PILLARS
    with tool().database.read() as session:
        found = _read(
            session,
            page=request.args.get("page", 1, type=int),
            size=PAGE_SIZE,
            protocol=PILLARS if only_pillars else "",
        )
        has_pillars = only_pillars or years.has_any(session, actor().person_id, PILLARS)
    return render_template(
        "reflection/years.html",
        terms=[(_term(term), list(lines)) for term, lines in _by_term(found.lines)],
        pillars=_by_pillar(found.lines) if only_pillars else [],
        only_pillars=only_pillars,
        has_pillars=has_pillars,
        page=found.page,
        pages=found.pages,
        who=_("Seen by you only. What others wrote here is what they share with you in that cycle."),
    )


def beside(session: Session, cycle: Cycle) -> list[LineView]:
    """The newest cycles of the one who writes `cycle`, without it, to look at while writing."""
    return [_view(line) for line in _read(session, size=BESIDE, without=cycle.id).lines]


def _read(session: Session, *, page: int = 1, size: int, protocol: str = "", without: str = "") -> Years:
    if not may(actor(), Action.SEE_YEARS, actor().person_id):
        abort(404)
    found = years.read(
        session,
        tool().keyring,
        actor().person_id,
        page=page,
        size=size,
        protocol=protocol,
        without=without,
        now=tool().clock(),
    )
    for line in found.lines:
        tell(line.opened_authors, line.cycle.id, looks.YEARS)
    return found


def _by_term(lines: Iterable[Line]) -> Iterable[tuple[Term, Iterable[LineView]]]:
    for term, of_term in groupby(
        lines, key=lambda line: term_of(line.cycle.started_at.astimezone(words.zone()).date())
    ):
        yield term, (_view(line) for line in of_term)


def _by_pillar(lines: Iterable[Line]) -> list[tuple[str, list[tuple[str, list[tuple[str, str]]]]]]:
    """(Pillar, [(when, [(question, text)])]): what somebody said of each pillar over time, the newest first."""
    said: dict[str, list[tuple[str, list[tuple[str, str]]]]] = {}
    for line in lines:
        if line.reflection is None:
            continue
        stage = line.cycle.reflection
        titles = {group.key: words.into(group.title) for group in stage.groups}
        group_of = {field.key: field.group for field in stage.fields}
        answers = line.reflection.answers(line.cycle.with_left_out)
        for group, title in titles.items():
            found = [(words.into(label), text) for key, label, text in answers if group_of.get(key) == group]
            if found:
                said.setdefault(title, []).append((_day(line.reflection.submitted_at), found))
    return list(said.items())


def _view(line: Line) -> LineView:
    cycle, submitted = line.cycle, line.reflection
    month = cycle.started_at.astimezone(words.zone())
    about = [line.course_title]
    if not cycle.is_alone:
        about.append(_("with %(name)s", name=words.partner_name(cycle)))
        about.append(words.role(cycle.me.role))
    return LineView(
        month=str(format_date(month, "LLLL y", locale=get_locale())),
        title=cycle.activity_title or words.into(cycle.protocol.title),
        about=" · ".join(part for part in about if part),
        goals=tuple(_said(cycle, said) for said in line.goals),
        next_steps=tuple(_said(cycle, said) for said in line.next_steps),
        answers=tuple(
            (words.into(label), text)
            for _key, label, text in (submitted.answers(cycle.with_left_out) if submitted else ())
        ),
        submitted=_("Version %(number)s, %(when)s", number=submitted.version, when=_day(submitted.submitted_at))
        if submitted
        else "",
        cycle_id=cycle.id if may(actor(), Action.OPEN_CYCLE, cycle.facts) else "",
        is_alone=cycle.is_alone,
    )


def _said(cycle: Cycle, said: Said) -> tuple[str, str]:
    label = words.into(said.label)
    author = cycle.person(said.author_id) if said.author_id not in (None, cycle.viewer_id) else None
    return (f"{label} ({words.name(author)})" if author else label), said.text


def _day(moment: datetime) -> str:
    return str(format_date(moment.astimezone(words.zone()), "d MMMM y", locale=get_locale()))


def _term(term: Term) -> str:
    return {
        "autumn": _("Autumn %(year)s", year=term.year),
        "spring": _("Spring %(year)s", year=term.year),
        "summer": _("Summer %(year)s", year=term.year),
    }[term.name]
