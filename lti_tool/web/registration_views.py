"""Registering an LMS as web pages: it registers itself (dynamic registration), or its administrator does it by hand.

The invite is the authority for all of it. Looking at the guides never uses it up; a registration holds it while the LMS
is asked, and uses it up when it is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flask import Blueprint, Response, g, make_response, render_template, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.lms.families import GUIDED, Family, Field, family_of
from lti_tool.lti import registration
from lti_tool.lti.errors import DoorError, Reason
from lti_tool.lti.platform import origin_of
from lti_tool.people import by_hand, registry
from lti_tool.people.by_hand import Problem
from lti_tool.people.registry import PlatformLine, RegistryError, ReservedInvite
from lti_tool.schools import service as schools
from lti_tool.web import registration_texts as texts
from lti_tool.web.context import tool
from lti_tool.web.door_pages import door_page, parameters, require_our_origin
from lti_tool.web.errors import PageError

blueprint = Blueprint("registration", __name__, url_prefix="/lti")

_LONGEST_TYPED = 2_000


@blueprint.get("/register")
@door_page
def register() -> Response:
    """Opened by an LMS: registers it at once. Opened by a person: how to do it."""
    if request.method != "GET":
        # A HEAD of a link checker must not use an invite up.
        return make_response("")
    given = parameters("openid_configuration", "registration_token", "invite", "lms")
    if given.get("openid_configuration"):
        return _register_itself(given)
    code = given.get("invite", "")
    _require_good_invite(code)
    family = GUIDED.get(given.get("lms", ""))
    if family is None:
        return make_response(render_template("door/choose_lms.html", families=GUIDED.values(), invite=code))
    return _guide(family, code, {})


@blueprint.post("/register")
@door_page
def register_by_hand() -> Response:
    """What the LMS's administrator typed: tried at the LMS, then kept."""
    # Nobody is signed in here, so there is no secret of a session from which a token in the form could be made. The
    # invite is one already: no other site knows it. That this page sent the form is seen by its Origin.
    try:
        require_our_origin()
    except DoorError as error:
        raise PageError(403, *texts.foreign_form(), reason=str(error)) from error
    given = parameters("invite", "lms", *by_hand.FIELDS)
    code, family = given.get("invite", ""), GUIDED.get(given.get("lms", ""))
    if family is None:
        raise DoorError(Reason.MALFORMED, "lms")
    _require_good_invite(code)
    typed: dict[Field, str] = {field: given.get(field, "")[:_LONGEST_TYPED] for field in by_hand.FIELDS}
    filled = by_hand.fill_in(family, typed)
    if filled.problems:
        return _guide(family, code, typed, filled.problems)
    try:
        with _held(code) as reserved:
            new = replace(filled.new, name=reserved.name if reserved else origin_of(filled.new.issuer))
            problems = by_hand.try_out(tool().lti, filled)
            if any(not problem.is_note for problem in problems):
                return _guide(family, code, typed, problems)
            with tool().database.write() as session:
                kept = registry.keep(session, new, reserved=reserved, now=tool().clock())
                school_code = _school_code(session, kept)
    except (RegistryError, IntegrityError):
        return _guide(family, code, typed, general=texts.already_registered(family))
    except DoorError as error:
        if error.reason is not Reason.INVITE_INVALID:
            raise
        return _guide(family, code, typed, general=texts.link_in_use())
    notes = [texts.problem(family, note) for note in problems]
    return _registered(kept, family, bool(new.deployment_id), school_code, notes=notes)


def _register_itself(given: Mapping[str, str]) -> Response:
    try:
        with _held(given.get("invite", "")) as reserved:
            registered = registration.register(
                tool().lti.http,
                given["openid_configuration"],
                given.get("registration_token", ""),
                tool().settings.public_url,
            )
            with tool().database.write() as session:
                kept = registry.keep_registration(session, registered, reserved=reserved, now=tool().clock())
                school_code = _school_code(session, kept)
    except (RegistryError, IntegrityError) as error:
        raise DoorError(Reason.ALREADY_REGISTERED) from error
    g.frame_ancestors = origin_of(registered.configuration.issuer)
    return _registered(kept, family_of(kept.family), bool(registered.deployment_id), school_code, itself=True)


def _school_code(session: Session, kept: PlatformLine) -> str:
    """A one-time link to the page of the school, for whoever came by an invite."""
    return schools.open_link(session, kept.id, tool().clock()) if kept.status == "active" else ""


def _registered(
    kept: PlatformLine,
    family: Family,
    has_deployment: bool,
    school_code: str,
    *,
    itself: bool = False,
    notes: Sequence[str] = (),
) -> Response:
    return make_response(
        render_template(
            "door/registered.html",
            family=family,
            itself=itself,
            waits_here=kept.status == "pending",
            has_deployment=has_deployment,
            notes=notes,
            school_code=school_code,
        )
    )


@dataclass(frozen=True, slots=True)
class _FieldView:
    """One field of the form."""

    name: Field
    label: str
    help: str
    value: str
    is_required: bool
    is_wrong: bool


def _guide(
    family: Family, code: str, typed: Mapping[Field, str], problems: Sequence[Problem] = (), *, general: str = ""
) -> Response:
    """The guide of an LMS with its form; with 400 if something was wrong, and everything as it was typed."""
    wrong = [problem for problem in problems if not problem.is_note]
    places = {problem: by_hand.place_of(family, typed, problem.field) for problem in wrong}
    errors = [("", general)] if general else []
    errors += [(places[problem], texts.problem(family, problem)) for problem in wrong]

    def view(field: Field) -> _FieldView:
        value = typed.get(field, "") if typed else texts.usual(family, field)
        asked, marked = field in family.asks, field in places.values()
        return _FieldView(field, texts.label(family, field), texts.help_for(family, field), value, asked, marked)

    # Whether there is a deployment ID is for everybody to see; the rest is for those whose LMS is special.
    shown = [*family.asks, *(field for field in family.may_ask if field == "deployment_id")]
    hidden = [field for field in family.may_ask if field not in shown]
    public_url = tool().settings.public_url
    about = registration.manual_configuration(public_url)
    page = render_template(
        f"door/guides/{family.key}.html",
        family=family,
        invite=code,
        invite_url=registry.registration_url(public_url, code) if code else f"{public_url}/lti/register",
        tool=about,
        custom_lines="\n".join(f"{name}={value}" for name, value in about["custom_fields"].items()),
        config_url=f"{public_url}/lti/config.json",
        fields=[view(field) for field in shown],
        more_fields=[view(field) for field in hidden],
        more_open=any(typed.get(field) or field in places.values() for field in hidden),
        by_hand_open=not family.registers_itself or bool(errors),
        errors=errors,
    )
    return make_response(page, 400 if errors else 200)


def _require_good_invite(code: str) -> None:
    if not code and tool().settings.registration.mode == "open":
        return
    if not code:
        raise DoorError(Reason.INVITE_NEEDED)
    with tool().database.read() as session:
        state = registry.look_at_invite(session, code, tool().clock())
    if state != "open":
        raise DoorError(Reason.INVITE_USED if state == "used" else Reason.INVITE_INVALID)


@contextmanager
def _held(code: str) -> Iterator[ReservedInvite | None]:
    """Holds the invite meanwhile; it is free again afterwards, unless a registration was kept. None: in mode open."""
    reserved = _reserve(code)
    try:
        yield reserved
    finally:
        if reserved is not None:
            with tool().database.write() as session:
                registry.release_invite(session, reserved.id)


def _reserve(code: str) -> ReservedInvite | None:
    if not code:
        if tool().settings.registration.mode == "invite":
            raise DoorError(Reason.INVITE_NEEDED)
        return None
    with tool().database.write() as session:
        reserved = registry.reserve_invite(session, code, tool().clock())
    if reserved is None:
        raise DoorError(Reason.INVITE_INVALID)
    return reserved
