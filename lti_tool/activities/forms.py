"""The form of an activity's settings: what it offers, what came back, and what is wrong with it in words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.activities import service
from lti_tool.activities.kinds import KINDS, fits, protocols_for
from lti_tool.activities.rules import MAX_PURPOSE, MAX_TITLE, NEW_ROUND, Draft, Offered, Problem
from lti_tool.activities.service import ActivityView
from lti_tool.cycles.words import into
from lti_tool.people.actor import Actor
from lti_tool.protocols import pages
from lti_tool.protocols import service as protocols
from lti_tool.protocols.reader import shipped
from lti_tool.protocols.recipe import FORMS, Protocol
from lti_tool.rhythm.rules import WEEKS


@dataclass(frozen=True, slots=True)
class What:
    """Something to choose: a kind of activity, with the way to coach where it has several."""

    value: str
    """`kind:protocol`, as a form sends it."""
    kind: str
    title: str
    summary: str
    purpose: str
    """What a trainer may tell the teachers it is for; a suggestion to start from."""
    is_coaching: bool = False
    """Whether it is a coaching cycle, and called so."""
    is_elsewhere: bool = False
    """Whether its protocol is one of another course, whose trainers can change it."""

    @property
    def protocol(self) -> str:
        """Key of the protocol; empty where there is none to read."""
        return self.value.partition(":")[2]

    @property
    def name(self) -> str:
        """What an activity of it may be called."""
        return _("Coaching cycle") if self.is_coaching else self.title

    @property
    def id(self) -> str:
        """For ids and names in a page."""
        return self.value.replace(":", "-").strip("-")


@dataclass(frozen=True, slots=True)
class Choices:
    """All that a form of settings offers."""

    whats: tuple[What, ...]
    schools: tuple[tuple[str, str], ...]
    """(id, name); empty where there is nothing to tell apart."""
    rounds: tuple[tuple[str, str], ...]
    """(value, words) of the places where pairs can come from, beside being found in the activity itself."""

    @property
    def offered(self) -> Offered:
        """What the rules need of it."""
        return Offered(
            tuple(what.value for what in self.whats),
            frozenset(id_ for id_, _name in self.schools),
            frozenset(value for value, _title in self.rounds),
        )

    def what(self, value: str) -> What | None:
        """The offer of that value."""
        return next((what for what in self.whats if what.value == value), None)


def choices(session: Session, actor: Actor, course_id: str, *, placing: bool = False, but: str = "") -> Choices:
    """What can be chosen in a course. `placing`: several at once, among them a new pairing round; `but`: the activity
    that is changed, which is no round for itself."""
    schools = service.schools_here(session, actor.platform_id)
    rounds = [(id_, _("“%(title)s”", title=title)) for id_, title in service.rounds(session, course_id) if id_ != but]
    if placing:
        rounds.insert(0, (NEW_ROUND, _("the pairing round that I place now")))
    own = protocols.own_of(session, course_id, activity_id=but)
    elsewhere = {each.key for each in own if each.course_id != course_id}
    offered = whats([each.published for each in own if each.published], elsewhere)
    return Choices(offered, tuple(schools) if len(schools) > 1 else (), tuple(rounds))


def whats(own: Iterable[Protocol] = (), elsewhere: Collection[str] = ()) -> tuple[What, ...]:
    """All kinds of activities, with the ways in which each can be followed; `own`: protocols of the course's own, and
    those of another one, whose keys are `elsewhere`."""
    found = []
    for kind in KINDS.values():
        if kind.protocols == "none":
            about = _("Teachers find a partner once, for all coaching cycles that take their pairs from here.")
            found.append(What(f"{kind.key}:", kind.key, _("Pairing round"), about, _suggested(kind.key)))
        ways = [shipped()[key] for key in protocols_for(kind.key)] + [each for each in own if fits(kind.key, each)]
        for way in ways:
            found.append(
                What(
                    f"{kind.key}:{way.key}",
                    kind.key,
                    _titled(kind.key, way),
                    into(way.summary),
                    _suggested(kind.key),
                    is_coaching=kind.key == "cycle" and way.form == FORMS[0],
                    is_elsewhere=way.key in elsewhere,
                )
            )
    return tuple(found)


def _titled(kind: str, way: Protocol) -> str:
    """A way by its name, labelled as what it is: learning side by side is not called coaching (R40)."""
    title = into(way.title)
    if way.form == FORMS[0]:
        return _("Coaching cycle: %(way)s", way=title) if kind == "cycle" else title
    label = pages.form(way.form)
    return title if title == label else _("%(form)s: %(way)s", form=label, way=title)


def _suggested(kind: str) -> str:
    match kind:
        case "pairing":
            return _("Find a colleague with whom you would like to think about your teaching.")
        case "group":
            return _("Think with colleagues about a theme, a book or a subject, in a group of your own choice.")
        case "reflection":
            return _("Look back on what you learned for your own teaching. What you write is yours alone.")
        case _:
            return _("Think about a question of your own, together with a colleague.")


def read_draft(what: str, of: str = "") -> Draft:
    """What the form says about one activity. `of` is what the names of its boxes end with."""
    form = request.form
    return Draft(
        what=what,
        title=" ".join(form.get(f"title{of}", "").replace("\0", "").split()),
        purpose=read_lines(f"purpose{of}"),
        starts_on=form.get(f"starts{of}", "").strip()[:20],
        ends_on=form.get(f"ends{of}", "").strip()[:20],
        audience=form.get(f"audience{of}", "everyone"),
        schools=tuple(form.getlist(f"school{of}")),
        pairs_from=form.get(f"pairs{of}", ""),
        reports_completion=form.get(f"completion{of}") == "yes",
        cadence=form.get(f"cadence{of}", "").strip()[:20],
    )


def read_lines(name: str) -> str:
    """A text of several lines, as it is kept."""
    return request.form.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()


def draft_of(activity: ActivityView, schools: Iterable[str], pairs_from: str) -> Draft:
    """The settings of an activity, to be changed."""
    return Draft(
        what=f"{activity.kind}:{activity.protocol}",
        title=activity.title,
        purpose=activity.purpose,
        starts_on=activity.starts_on.isoformat() if activity.starts_on else "",
        ends_on=activity.ends_on.isoformat() if activity.ends_on else "",
        audience=activity.audience,
        schools=tuple(schools),
        pairs_from=pairs_from,
        reports_completion=activity.reports_completion,
        cadence=str(activity.cadence_weeks or ""),
    )


def told(problem: Problem, draft: Draft, of: str = "") -> tuple[str, str]:
    """(id of the box, sentence); `of` is what its id ends with."""
    match problem:
        case Problem.NOT_OFFERED:
            return "what", _("Choose one of the kinds of activity.")
        case Problem.NO_TITLE:
            return f"title{of}", _("Give the activity a name.")
        case Problem.LONG_TITLE:
            now = len(draft.title)
            return f"title{of}", _("The name can have %(most)s characters; it has %(now)s.", most=MAX_TITLE, now=now)
        case Problem.LONG_PURPOSE:
            now = len(draft.purpose)
            text = _("The purpose can have %(most)s characters; it has %(now)s.", most=MAX_PURPOSE, now=now)
            return f"purpose{of}", text
        case Problem.BAD_START:
            return f"starts{of}", _("Write the first day like 2026-12-01, or leave it empty.")
        case Problem.BAD_END:
            return f"ends{of}", _("Write the last day like 2026-12-01, or leave it empty.")
        case Problem.ENDS_BEFORE:
            return f"ends{of}", _("The last day is before the first.")
        case Problem.BAD_AUDIENCE:
            return f"audience{of}", _("Say who may take part.")
        case Problem.NO_SCHOOL:
            return f"audience{of}", _("Tick the schools whose teachers may take part.")
        case Problem.BAD_ROUND:
            return f"pairs{of}", _("Say where the pairs come from.")
        case Problem.BAD_CADENCE:
            text = _("Give a number of weeks from 1 to %(most)s, or leave it empty.", most=WEEKS[-1])
            return f"cadence{of}", text
        case Problem.NO_NEW_ROUND:
            return f"pairs{of}", _("Place a pairing round too, or say where else the pairs come from.")
