"""Pages of sharing: releasing a passage, what others share with oneself, what one shares, taking it back."""

import re
from itertools import groupby

from babel.dates import format_date
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.views import open_cycle
from lti_tool.privacy.looks import service as looks
from lti_tool.privacy.rules import Action, ReflectionFacts, ReleaseFacts, may
from lti_tool.privacy.words import who_can_see_own_passage, who_can_see_shared_passage, who_would_read
from lti_tool.protocols.recipe import Words
from lti_tool.reflection import service as reflections
from lti_tool.sharing import rules, service
from lti_tool.sharing.service import Readers, ShareView
from lti_tool.store.base import new_id
from lti_tool.web.context import actor, tool
from lti_tool.web.languages import listed

blueprint = Blueprint("sharing", __name__)

PAGE_SIZE = 30
OWN_PAGE_SIZE = 5
"""Passages with their words on one page: each is opened by a key of its own."""
_ID = re.compile(r"[0-9a-z]{16}")


@blueprint.get("/cycles/<cycle_id>/reflect/versions/<int:number>/share/<field_key>")
def choose(cycle_id: str, number: int, field_key: str) -> str:
    """A copy of one's own text to cut down to the passage, and who would read it."""
    with tool().database.read() as session:
        cycle, text = _own_text(session, cycle_id, number, field_key)
        return _form(session, cycle, number, field_key, text)


@blueprint.post("/cycles/<cycle_id>/reflect/versions/<int:number>/share/<field_key>")
def release(cycle_id: str, number: int, field_key: str) -> Response | tuple[str, int]:
    """Shares the passage with the chosen audience."""
    passage = request.form.get("passage", "").replace("\r\n", "\n").strip()
    audience = request.form.get("audience", "")
    ticket = request.form.get("ticket", "")
    with tool().database.write() as session:
        cycle, text = _own_text(session, cycle_id, number, field_key)
        errors = []
        if not rules.is_passage_of(passage, text):
            errors.append(("passage", _refusal(passage)))
        if not _may_share(cycle, audience):
            errors.append(("audience", _("Choose with whom you share it.")))
        if errors:
            return _form(session, cycle, number, field_key, passage, audience, errors), 400
        service.release(
            session,
            tool().keyring,
            activity_id=cycle.activity_id,
            cycle_id=cycle.id,
            author_id=actor().person_id,
            version=number,
            field=field_key,
            audience=audience,
            passage=passage,
            ticket=ticket if _ID.fullmatch(ticket) else new_id(),
            now=tool().clock(),
        )
    return redirect(url_for(".mine", told="shared"), 303)


@blueprint.get("/shared")
def show() -> str | Response:
    """What others share with the signed-in person in this activity."""
    with tool().database.read() as session:
        activity = activities.find(session, actor().activity_id or "")
        if activity is None or not may(actor(), Action.SEE_SHARED, activity.facts):
            abort(404)
        is_trainer = may(actor(), Action.SEE_PROGRESS, activity.facts)
        if not is_trainer and not actor().is_welcomed:
            return redirect(url_for("home.show"), 303)
        shares = service.of_others(session, activity.id, actor().person_id)
        readable = rules.by_month(
            (share for share in shares if may(actor(), Action.READ_PASSAGE, share.facts)), cycle_words.zone()
        )
        page, pages = _page_of(len(readable), PAGE_SIZE)
        shown = readable[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        labels = service.labels(session, shown)
    return render_template(
        "sharing/show.html",
        activity=activity,
        activity_title=activity.title,
        is_trainer=is_trainer,
        months=[
            (month, [(share.id, _author(share), _label(labels, share), _with_whom(share)) for share in found])
            for month, found in groupby(shown, key=_month)
        ],
        page=page,
        pages=pages,
    )


@blueprint.get("/shared/mine")
def mine() -> str:
    """All that the signed-in person shares, wherever they shared it, with their words."""
    with tool().database.read() as session:
        shares = service.of_oneself(session, actor().person_id)
        page, pages = _page_of(len(shares), OWN_PAGE_SIZE)
        shown = shares[(page - 1) * OWN_PAGE_SIZE : page * OWN_PAGE_SIZE]
        texts = service.read(session, tool().keyring, shown, tool().clock())
        labels = service.labels(session, shown)
    return render_template(
        "sharing/mine.html",
        message=_told(),
        shares=[
            (share, _label(labels, share), texts.get(share.id, ""), who_can_see_own_passage(share.audience))
            for share in shown
        ],
        stamp=cycle_words.stamp,
        page=page,
        pages=pages,
    )


@blueprint.get("/shared/<share_id>")
def passage(share_id: str) -> str:
    """One passage, for those with whom it is shared."""
    with tool().database.read() as session:
        share = _find(session, share_id, Action.READ_PASSAGE)
        text = service.read(session, tool().keyring, [share], tool().clock()).get(share.id)
        label = _label(service.labels(session, [share]), share)
    if text is None:
        abort(404)
    is_own = share.person_id == actor().person_id
    if not is_own:
        looks.record(
            tool().database,
            tool().keyring,
            viewer=actor().person_id,
            owners=[share.person_id],
            cycle_id=share.cycle_id,
            what=looks.SHARED,
            now=tool().clock(),
        )
    return render_template(
        "sharing/passage.html",
        activity_title=share.activity_title,
        share=share,
        author=_author(share),
        label=label,
        text=text,
        month=_month(share),
        is_own=is_own,
        in_cycle=share.audience == "partner" and not is_own,
        who=who_can_see_own_passage(share.audience)
        if is_own
        else who_can_see_shared_passage(share.audience, _author(share)),
    )


@blueprint.post("/shared/<share_id>/take-back")
def take_back(share_id: str) -> Response:
    """Takes a passage away from all who could read it. Once it is gone, taking it back again is no error."""
    with tool().database.write() as session:
        share = _find(session, share_id, Action.TAKE_BACK_PASSAGE)
        service.take_back(session, tool().keyring, share.id, tool().clock())
    return redirect(url_for(".mine", told="taken"), 303)


def passages_of_partner(session: Session, cycle: Cycle) -> list[tuple[str, str, str]]:
    """(Share id, who shares it, the question) of what the other member of a cycle shares with the one who looks."""
    if cycle.is_alone:
        return []
    shares = service.of_others_in_cycle(session, cycle.id, actor().person_id)
    readable = [
        share for share in shares if share.audience == "partner" and may(actor(), Action.READ_PASSAGE, share.facts)
    ]
    labels = {share.id: field.label for share in readable if (field := cycle.with_left_out.field(share.field))}
    return [(share.id, _author(share), _label(labels, share)) for share in rules.by_month(readable, cycle_words.zone())]


def _own_text(session: Session, cycle_id: str, number: int, field_key: str) -> tuple[Cycle, str]:
    """The cycle, and what one's own version says to a question; a 404 for everybody else."""
    cycle = open_cycle(session, cycle_id)
    if not 0 < number < 10_000 or not any(_may_share(cycle, audience) for audience in rules.AUDIENCES):
        abort(404)
    keys = tool().keyring.opened(session, cycle.id, tool().clock())
    found = reflections.read_version(session, keys, cycle.id, actor().person_id, number)
    if found is None or field_key not in found.texts:
        abort(404)
    return cycle, found.texts[field_key]


def _may_share(cycle: Cycle, audience: str) -> bool:
    reflection = ReflectionFacts(cycle.facts, actor().person_id)
    return may(actor(), Action.SHARE_PASSAGE, ReleaseFacts(reflection, audience))


def _find(session: Session, share_id: str, action: Action) -> ShareView:
    share = service.find(session, share_id, actor().person_id) if _ID.fullmatch(share_id) else None
    if share is None or not may(actor(), action, share.facts):
        abort(404)
    return share


def _form(
    session: Session,
    cycle: Cycle,
    number: int,
    field_key: str,
    text: str,
    audience: str = "",
    errors: list[tuple[str, str]] | None = None,
) -> str:
    readers = service.readers(session, activity_id=cycle.activity_id, cycle_id=cycle.id, author_id=actor().person_id)
    field = cycle.with_left_out.field(field_key)
    return render_template(
        "sharing/choose.html",
        activity_title=cycle.activity_title,
        cycle=cycle,
        number=number,
        field_key=field_key,
        label=cycle_words.into(field.label) if field else "",
        text=text,
        ticket=new_id(),
        chosen=audience,
        audiences=[
            (each, _title(each, in_group=cycle.is_group), _who(each, readers))
            for each in rules.AUDIENCES
            if _may_share(cycle, each) and (each != "partner" or readers.partner)
        ],
        errors=errors or [],
    )


def _refusal(passage: str) -> str:
    if not passage:
        return _("There is nothing in the box. Leave the words in it that you would like to share.")
    return _(
        "Some of these words do not stand in your reflection like this. Only what you submitted can be shared, word "
        "for word: cut away what you leave out at the beginning and the end."
    )


def _title(audience: str, *, in_group: bool) -> str:
    return {
        "partner": _("With those of this cycle") if in_group else _("With my partner"),
        "cohort": _("With all teachers who take part"),
        "trainer": _("With the trainers"),
        "portfolio": _("With nobody: into my own collection"),
    }[audience]


def _who(audience: str, readers: Readers) -> str:
    return who_would_read(
        audience,
        partner=listed(name or _("your partner") for name in readers.partner),
        teachers=readers.teachers,
        trainers=tuple(name or _("a trainer whose name the LMS does not give") for name in readers.trainers),
    )


def _with_whom(share: ShareView) -> str:
    return {
        "partner": _("shared with you as one of that cycle"),
        "cohort": _("shared with all teachers who take part"),
        "trainer": _("shared with the trainers"),
    }[share.audience]


def _author(share: ShareView) -> str:
    return share.author or str(_("A colleague whose name the LMS does not give"))


def _label(labels: dict[str, Words], share: ShareView) -> str:
    return cycle_words.into(labels[share.id]) if share.id in labels else str(_("From a reflection"))


def _month(share: ShareView) -> str:
    local = share.shared_at.astimezone(cycle_words.zone())
    return str(format_date(local, "LLLL y", locale=get_locale()))


def _page_of(total: int, size: int) -> tuple[int, int]:
    pages = max(1, -(-total // size))
    return min(max(1, request.args.get("page", 1, type=int)), pages), pages


def _told() -> str:
    return {
        "shared": _("It is shared. You can take it back at any time."),
        "taken": _("It is taken back. Nobody can read it here any more."),
    }.get(request.args.get("told", ""), "")
