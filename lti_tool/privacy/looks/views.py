"""The page "Who looked", and the way by which pages tell that they showed something of others."""

from collections.abc import Iterable

from flask import Blueprint, Response, abort, after_this_request, render_template, request
from flask_babel import gettext as _

from lti_tool.cycles import words
from lti_tool.privacy.looks import service
from lti_tool.privacy.rules import Action, LogFacts, may
from lti_tool.web.context import actor, tool

blueprint = Blueprint("looks", __name__)

PER_PAGE = 50
"""Lines."""


def tell(owners: Iterable[str], cycle_id: str | None, what: str) -> None:
    """The answer to this request shows words of `owners` (ids of people; oneself is left out).

    It is recorded after the page was made and before it is sent: what cannot be recorded is not shown. `what`: as in
    service.note.
    """
    others = frozenset(owners) - {actor().person_id}
    if not others:
        return
    viewer, now = actor().person_id, tool().clock()

    @after_this_request
    def _record(response: Response) -> Response:
        service.record(
            tool().database, tool().keyring, viewer=viewer, owners=others, cycle_id=cycle_id, what=what, now=now
        )
        return response


@blueprint.get("/looked")
def show() -> str:
    """Who else opened what this person wrote."""
    if not may(actor(), Action.SEE_LOOKS, LogFacts(actor().person_id)):
        abort(404)
    number = request.args.get("page", 1, type=int)
    start = (min(max(number, 1), _MOST_PAGES) - 1) * PER_PAGE
    with tool().database.read() as session:
        log = service.read_log(
            session, tool().keyring, actor().person_id, start=start, count=PER_PAGE, now=tool().clock()
        )
    return render_template(
        "privacy/who_looked.html",
        cycles=[
            (_title(cycle), [(_who(each), _what(each.what), words.stamp(each.hour)) for each in cycle.openings])
            for cycle in log.cycles
        ],
        broken_at=log.broken_at,
        total=log.total,
        newer=start // PER_PAGE if start and log.total else 0,
        older=start // PER_PAGE + 2 if start + PER_PAGE < log.total else 0,
    )


_MOST_PAGES = 100_000


def _title(cycle: service.OfCycle) -> str:
    if not cycle.title:
        return _("In no cycle, or in one that is not there any more")
    return _("%(title)s, cycle %(number)s", title=cycle.title, number=cycle.number)


def _who(opening: service.Opening) -> str:
    return _("Whoever runs the server") if opening.what == service.EXPORTED else opening.viewer


def _what(what: str) -> str:
    known = {
        "start": _("getting started together"),
        "before": _("the conversation before"),
        "visit": _("the visit"),
        "after": _("the conversation after"),
        "reflect": _("the page of the reflection, where both see this again"),
        service.HISTORY: _("earlier versions of a text"),
        service.LIVE: _("what was new, on a page that was left open"),
        service.CAPTURED: _("what you noted live in a visit, and the picture of it"),
        service.SHARED: _("a passage you shared"),
        service.THREAD: _("your thread"),
        service.GROUP: _("what you wrote your group is about"),
        service.DOOR: _("what you offer to show"),
        service.YEARS: _("the goals and next steps of their cycles, over the years"),
        service.INSTRUMENT: _("what you build together to look with"),
        service.LIBRARY: _("an instrument that you released to your course"),
        service.GROWTH: _("what you would like to grow in, as far as you share it"),
        service.TAKEN: _("all that you both can read, to take it away"),
        service.EXPORTED: _("everything, to hand it to whom it belongs"),
    }
    return known.get(what, _("a page of the cycle"))
