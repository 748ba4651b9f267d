"""The page of a school and its charter, for two kinds of people: who launched (`/at/<handle>/…`), and who came by a
one-time link (`/school/<visit>/…`). Both see the same pages."""

import secrets
from typing import Any

from flask import Blueprint, abort, current_app, g, make_response, redirect, render_template, request, url_for
from flask import session as csrf_session
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.people import connection
from lti_tool.privacy.rules import Action, SchoolFacts, may
from lti_tool.progress.totals import service as totals
from lti_tool.progress.totals import words as totals_words
from lti_tool.schools import rules, service, words
from lti_tool.schools.rules import Filled
from lti_tool.schools.service import AlreadySigned, SchoolView
from lti_tool.web import sign_in
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("schools", __name__)
visits = Blueprint("school_visits", __name__)

_BEFORE_VISIT = sign_in.VISIT_PREFIX + "open"
"""Cookie of whoever looks at /school/open: what the form there is bound to."""
_BEFORE_VISIT_S = 3600


# The way in by a one-time link.


@visits.url_value_preprocessor
def load_visit_of_path(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Takes `visit` out of the path and loads who holds its secret; nobody else gets further."""
    g.frame_ancestors = "'none'"
    visit_id = values.pop("visit", None) if values else None
    if visit_id is None:
        if endpoint == "school_visits.use_link" and _BEFORE_VISIT not in request.cookies:
            raise _no_cookies()
        return
    secret = request.cookies.get(sign_in.VISIT_PREFIX + visit_id, "")
    with tool().database.read() as session:
        g.visit = service.load_visit(session, visit_id, secret, tool().clock())
    if g.visit is None:
        raise PageError(
            401,
            _("This visit is over"),
            _("The page of a school stays open for twelve hours, in the browser that opened it."),
            _("Ask the people who run Meitheal for a new link, or open an activity in your LMS as its administrator."),
            reason="no visit",
        )


@visits.url_defaults
def fill_in_visit(endpoint: str, values: dict[str, Any]) -> None:
    """The links of a page stay with the visit that it was made for."""
    if "visit" not in values and g.get("visit") and current_app.url_map.is_endpoint_expecting(endpoint, "visit"):
        values["visit"] = g.visit.id


@visits.get("/open")
def open_link() -> Response:
    """A page with one button. Looking at it uses nothing up: programs that check links in mails do so too."""
    code = request.args.get("code", "")
    with tool().database.read() as session:
        if not service.is_usable(session, code, tool().clock()):
            raise _link_over()
    secret = request.cookies.get(_BEFORE_VISIT) or secrets.token_urlsafe(32)
    key = tool().settings.secret_key.get_secret_value()
    csrf_session["csrf_token"] = sign_in.csrf_token_of(key, secret)
    response = make_response(render_template("schools/open.html", code=code))
    _set_cookie(response, _BEFORE_VISIT, secret, _BEFORE_VISIT_S)
    return response


@visits.post("/open")
def use_link() -> Response:
    """Opens a visit; the link is used up now."""
    with tool().database.write() as session:
        opened = service.use_link(session, request.form.get("code", ""), tool().clock())
    if opened is None:
        raise _link_over()
    visit_id, secret = opened
    response = make_response(redirect(url_for("school_visits.show", visit=visit_id), 303))
    _set_cookie(response, sign_in.VISIT_PREFIX + visit_id, secret, int(service.VISIT_LIFETIME.total_seconds()))
    return response


@visits.post("/<visit>/leave")
def leave() -> str:
    """Ends the visit, for the next person at this computer."""
    with tool().database.write() as session:
        service.end_visit(session, g.visit.id)
    g.visit = None
    return render_template("schools/left.html")


def _set_cookie(response: Response, name: str, value: str, max_age: int) -> None:
    # Never in a frame of the LMS, so other sites have no part in it.
    response.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Lax")


def _link_over() -> PageError:
    return PageError(
        404,
        _("This link leads nowhere any more"),
        _("A link to the page of a school works once, for a week. This one was used, is too old, or is not complete."),
        _("Ask the people who run Meitheal for a new one."),
        reason="link over",
    )


def _no_cookies() -> PageError:
    return PageError(
        400,
        _("This browser keeps no cookies"),
        _("Without them the tool cannot know from one page to the next that it is still you."),
        _("Allow cookies for this site, or use another browser, and open the link again. It is not used up."),
        reason="no cookies",
    )


# The page.


@blueprint.get("/school")
@visits.get("/<visit>/")
def show() -> str:
    """Whether the LMS is connected, what is missing and how to mend it, and the charter. It shows no people."""
    _require(Action.SEE_SCHOOL)
    with tool().database.read() as session:
        state = service.connection_state(session, _platform_id())
        if state is None:
            abort(404)
        own = _own_school(session)
        found = service.choices(session, _platform_id(), with_whole=True)
        counted = [school for school in found.schools if _may(Action.SEE_TOTALS, school, own)]
        wanted = _wanted(counted)
        monthly = totals.read(session, _platform_id(), wanted.id) if wanted else None
    may_test = _may(Action.TEST_CONNECTION)
    return render_template(
        "schools/school.html",
        state=state,
        lms=words.lms_name(state),
        lines=words.connection(state, with_use=may_test),
        may_test=may_test and state.status != "suspended",
        schools=[school for school in found.schools if _may(Action.SIGN_CHARTER, school, own)],
        date=words.date,
        counted=counted,
        wanted=wanted,
        totals=totals_words.lines(monthly),
    )


@blueprint.post("/school/test")
@visits.post("/<visit>/test")
def test() -> str:
    """Tries the connection, step by step."""
    _require(Action.TEST_CONNECTION)
    with tool().database.read() as session:
        target = connection.target_of(session, _platform_id())
    if target is None:
        abort(404)
    # After the transaction: this asks the LMS, which may take its time.
    findings = connection.check_connection(tool().lti, target)
    keys_url = f"{tool().settings.public_url}/lti/jwks.json"
    return render_template(
        "schools/tested.html",
        lines=[words.finding(found, target.family, keys_url) for found in findings],
        all_well=all(found.level != "bad" for found in findings),
    )


# The charter.


@blueprint.get("/charter")
@visits.get("/<visit>/charter")
def charter() -> str:
    """The charter of a school, for everybody to read; with the form, for who may sign it."""
    with tool().database.read() as session:
        return _charter_page(session, *_asked_for(session))


@blueprint.post("/charter")
@visits.post("/<visit>/charter")
def sign() -> Response | tuple[str, int]:
    """Signs the charter of a school."""
    form = request.form
    filled = Filled(
        signed_by=rules.line(form.get("signed_by", "")),
        position=rules.line(form.get("position", "")),
        minutes=rules.line(form.get("minutes", "")),
        promises_no_reporting="no_reporting" in form,
        promises_time="time" in form,
    )
    with tool().database.write() as session:
        school, own = _asked_for(session)
        if school is None or not _may(Action.SIGN_CHARTER, school, own):
            abort(404)
        minutes = rules.read_minutes(filled.minutes)
        if rules.problems(filled) or minutes is None:
            return _charter_page(session, school, own, filled), 400
        try:
            school_id = service.sign_charter(
                session,
                _platform_id(),
                school.id,
                signed_by=filled.signed_by,
                position=filled.position,
                minutes=minutes,
                now=tool().clock(),
            )
        except AlreadySigned:
            # A double click, or somebody else was quicker: the page says who signed.
            school_id = school.id or ""
    return make_response(redirect(url_for(".charter", school=school_id), 303))


@blueprint.get("/charter/take-back")
@visits.get("/<visit>/charter/take-back")
def before_taking_back() -> str:
    """What it means to take a charter back, before it is done."""
    with tool().database.read() as session:
        school = _to_take_back(session)
    if school.charter is None:
        abort(404)
    return render_template("schools/take_back.html", school=school, date=words.date)


@blueprint.post("/charter/take-back")
@visits.post("/<visit>/charter/take-back")
def take_back() -> Response:
    """Takes the charter of a school back: its teachers are told that it is not signed."""
    with tool().database.write() as session:
        school = _to_take_back(session)
        service.take_back_charter(session, str(school.id), tool().clock())
    return make_response(redirect(url_for(".charter", school=school.id), 303))


def _charter_page(
    session: Session, school: SchoolView | None, own: SchoolView | None, filled: Filled | None = None
) -> str:
    signed = school.charter if school else None
    may_sign_others = _may(Action.SIGN_CHARTER, school, None)
    found = service.choices(session, _platform_id(), with_whole=True).schools if may_sign_others else ()
    return render_template(
        "schools/charter.html",
        school=school,
        signed=signed,
        promises=words.charter_text(
            signed.version if signed else rules.CHARTER_VERSION, signed.minutes if signed else None
        ),
        date=words.date,
        may_sign=school is not None and _may(Action.SIGN_CHARTER, school, own),
        schools=found if len(found) > 1 else (),
        filled=filled or Filled(),
        errors=[words.told(problem, filled) for problem in rules.problems(filled)] if filled else [],
    )


def _asked_for(session: Session) -> tuple[SchoolView | None, SchoolView | None]:
    """(The school that the request is about, one's own). The first is None where one's own is not known."""
    own = _own_school(session)
    wanted = request.values.get("school")
    if wanted is None:
        return own, own
    if wanted == "":
        # The platform as a whole; or the school that it has become, since the page was made.
        school = service.own_school(session, _platform_id(), None)
    else:
        school = service.find_school(session, _platform_id(), wanted.replace("\0", ""))
    if school is None or not (_is_own(school, own) or _may(Action.SIGN_CHARTER, school, own)):
        abort(404)
    return school, own


def _to_take_back(session: Session) -> SchoolView:
    school, own = _asked_for(session)
    if school is None or school.id is None or not _may(Action.SIGN_CHARTER, school, own):
        abort(404)
    return school


# Who looks, and what they may.


def _platform_id() -> str:
    return str(g.visit.platform_id) if g.get("visit") else actor().platform_id


def _own_school(session: Session) -> SchoolView | None:
    return service.own_school(session, _platform_id(), None if g.get("visit") else actor().school_id)


def _wanted(schools: list[SchoolView]) -> SchoolView | None:
    """The only one of them, or the one that was asked for."""
    if len(schools) == 1:
        return schools[0]
    return next((each for each in schools if (each.id or "") == request.args.get("school")), None)


def _is_own(school: SchoolView, own: SchoolView | None) -> bool:
    return own is not None and own.id == school.id


def _may(action: Action, school: SchoolView | None = None, own: SchoolView | None = None) -> bool:
    """A visit looks after its platform, whose link the operator gave out; everybody else asks the rules."""
    if g.get("visit"):
        return True
    is_own = school is not None and _is_own(school, own)
    return may(actor(), action, SchoolFacts(actor().platform_id, is_own))


def _require(action: Action) -> None:
    if not _may(action):
        abort(404)


# What home tells a teacher.


def charter_notice(session: Session) -> dict[str, Any]:
    """What templates/schools/_notice.html needs: one's own school, if it is known."""
    return {"charter_school": _own_school(session), "charter_date": words.date}
