"""What the page of a school says: the connection, its test, and the charter."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from lti_tool.lms.advice import Need, where_to_find
from lti_tool.lms.families import family_of
from lti_tool.people.connection import Finding
from lti_tool.schools import rules
from lti_tool.schools.rules import Problem
from lti_tool.schools.service import ConnectionState
from lti_tool.web.context import tool
from lti_tool.web.languages import zone_of_request


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page: what it is about, how it is, and what to do, if anything."""

    title: str
    text: str
    advice: str = ""
    level: str = ""
    """Of a step of the test: ok, note or bad."""


def date(moment: datetime) -> str:
    """A day, without the time."""
    local = moment.astimezone(ZoneInfo(zone_of_request() or tool().settings.time_zone))
    return str(format_date(local.date(), "d MMMM yyyy", locale=get_locale()))


def connection(state: ConnectionState, *, with_use: bool) -> list[Line]:
    """How a platform is connected. `with_use`: also when it was used last."""
    lines = [_status(state), Line(_("Connected since"), date(state.created_at))]
    if state.waiting_deployments:
        lines.append(
            Line(
                _("Places that wait"),
                ngettext(
                    "The tool was placed in one more part of the LMS, which has to be approved.",
                    "The tool was placed in %(num)s more parts of the LMS, which have to be approved.",
                    state.waiting_deployments,
                ),
                _("Ask the people who run Meitheal to approve it."),
            )
        )
    if with_use:
        lines.append(
            Line(
                _("Last opened"), date(state.last_launch_at) if state.last_launch_at else _("Nobody has opened it yet.")
            )
        )
    return [*lines, _names(state), _roster(state), _grades(state)]


def _status(state: ConnectionState) -> Line:
    title = _("Connection")
    if state.status == "pending":
        return Line(
            title,
            _("The LMS is registered and waits to be approved. Nobody can come in yet."),
            _("Ask the people who run Meitheal to approve it."),
        )
    if state.status == "suspended":
        return Line(
            title,
            _("The connection is paused, and nobody can come in. Everything written is kept."),
            _("Ask the people who run Meitheal why."),
        )
    if state.last_launch_at is None:
        return Line(title, _("The LMS is registered."), where_to_find(state.family, Need.ACTIVE))
    return Line(title, _("The LMS is connected, and teachers can come in."))


def _names(state: ConnectionState) -> Line:
    title = _("Names")
    if state.people == 0:
        return Line(title, _("This shows when somebody has opened an activity."))
    if state.people_with_name == state.people:
        return Line(title, _("They arrive: partners know who they work with."))
    advice = where_to_find(state.family, Need.NAMES)
    if state.people_with_name == 0:
        return Line(title, _("They do not arrive, so partners do not know who they work with."), advice)
    return Line(title, _("They arrive for some people only."), advice)


def _roster(state: ConnectionState) -> Line:
    title = _("List of members")
    if state.courses_with_roster == 0:
        if state.people == 0:
            return Line(title, _("This shows when somebody has opened an activity."))
        return Line(
            title,
            _(
                "The LMS does not offer it, so a colleague can be invited only after they have opened the activity "
                "once."
            ),
            where_to_find(state.family, Need.ROSTER),
        )
    if state.roster_read_at is None:
        return Line(title, _("The LMS offers it. It was not read to its end yet."))
    return Line(title, _("It was last read on %(date)s.", date=date(state.roster_read_at)))


def _grades(state: ConnectionState) -> Line:
    title = _("Gradebook")
    if state.offers_grades:
        return Line(title, _("The LMS offers it. It is used only where a teacher tells it that they have completed."))
    return Line(
        title,
        _(
            "Not offered so far. It is needed only where an activity lets teachers tell the gradebook what they have "
            "completed."
        ),
        where_to_find(state.family, Need.GRADES),
    )


def finding(found: Finding, family: str, keys_url: str) -> Line:
    """What one step of the test found. `keys_url`: where the tool publishes its own keys."""
    match found.step:
        case "keys":
            return _keys(found)
        case "token":
            return _token(found, family, keys_url)
        case "roster":
            text = _("The list of members can be read.")
            if shown := rules.count_shown(found.count):
                text = _("The list of members can be read: %(count)s people on its first page.", count=shown)
            return _service(found, _("List of members"), text, where_to_find(family, Need.ROSTER))
        case "line_items":
            advice = where_to_find(family, Need.GRADES)
            return _service(found, _("Gradebook"), _("The columns of the gradebook can be read."), advice)


def _keys(found: Finding) -> Line:
    text, advice = {
        "ok": (_("They can be read, so launches can be checked."), ""),
        "address": (
            _("The tool may not call the address at which the LMS publishes them."),
            _(
                "Tell the people who run Meitheal. If the LMS lives in a private network, they can allow that network "
                "in the settings."
            ),
        ),
        "unreadable": (
            _("Nothing useful answers at the address at which the LMS publishes them."),
            _("Check that the LMS can be reached from outside and that its certificate is valid."),
        ),
    }.get(
        found.code,
        (
            _("None of them can be used to check a launch."),
            _("The LMS must publish an RSA key for RS256 signatures. Ask those who look after the LMS's server."),
        ),
    )
    return Line(_("Keys of the LMS"), text, advice, found.level)


def _token(found: Finding, family: str, keys_url: str) -> Line:
    title = _("Permission to ask")
    if found.code == "ok":
        return Line(title, _("The LMS knows the tool and lets it ask."), "", found.level)
    if found.code == "no_scope":
        return Line(
            title,
            _("The LMS knows the tool, but lets it use none of its services."),
            where_to_find(family, Need.ROSTER),
            found.level,
        )
    if passing := _passing(found, title):
        return passing
    return Line(
        title,
        _("The LMS does not let the tool ask."),
        where_to_find(family, Need.ACTIVE)
        + " "
        + _(
            "It must also be able to read the tool's keys at %(address)s, so a firewall must let it out.",
            address=keys_url,
        ),
        found.level,
    )


def _service(found: Finding, title: str, works: str, where: str) -> Line:
    if passing := _passing(found, title):
        return passing
    text, advice = {
        "ok": (works, ""),
        "not_launched": (
            _("This can be tried when somebody has opened an activity in a course."),
            _("Open the coaching activity in its course once, then test again."),
        ),
        "not_offered": (_("The LMS does not offer it to the tool."), where),
        "untried": (_("It could not be tried without the permission to ask."), ""),
        "malformed": (
            _("The LMS answers with something that makes no sense."),
            _("Look into the log of the LMS at this minute, or ask its maker."),
        ),
    }.get(found.code, (_("The LMS refuses it to the tool."), where))
    return Line(title, text, advice, found.level)


def _passing(found: Finding, title: str) -> Line | None:
    """What may be gone in a while by itself."""
    if found.code == "unreachable":
        text = _("The LMS does not answer.")
        advice = _("Check that it can be reached from outside and that its certificate is valid, then test again.")
    elif found.code == "busy":
        text, advice = _("The LMS asks to be left alone for a while."), _("Test again in some minutes.")
    else:
        return None
    return Line(title, text, advice, found.level)


def lms_name(state: ConnectionState) -> str:
    """What people call this LMS."""
    return family_of(state.family).display_name or _("your LMS")


def charter_text(version: int, minutes: int | None) -> list[str]:
    """The promises of a charter in the wording of `version`; without minutes, as it is before it is signed.

    There is one wording so far. A new one gets a number of its own, so that what was signed stays as it was.
    """
    assert version == rules.CHARTER_VERSION
    time = (
        _("Teachers get time: %(minutes)s minutes of their working time for each cycle.", minutes=minutes)
        if minutes
        else _("Teachers get time: the minutes of their working time for each cycle that are named below.")
    )
    return [
        _("The leadership does not observe coaching: nobody of it sits in on visits or conversations."),
        _("Nothing is reported to it: no names, no content, no list of who takes part. It does not ask for any."),
        _("Nothing from coaching is used in appraisal, probation, promotion or discipline, for or against anybody."),
        _("Coaching is voluntary. Nobody has to give a reason for not taking part, for a pause or for stopping."),
        time,
    ]


def told(problem: Problem, filled: rules.Filled) -> tuple[str, str]:
    """(id of the box, sentence) for what is wrong with a charter."""
    match problem:
        case Problem.NO_NAME:
            return "signed-by", _("Write your name.")
        case Problem.LONG_NAME:
            now = len(filled.signed_by)
            return "signed-by", _(
                "The name can have %(most)s characters; it has %(now)s.", most=rules.MAX_NAME, now=now
            )
        case Problem.NO_POSITION:
            return "position", _("Write your position in the school.")
        case Problem.LONG_POSITION:
            now, most = len(filled.position), rules.MAX_POSITION
            return "position", _("The position can have %(most)s characters; it has %(now)s.", most=most, now=now)
        case Problem.BAD_MINUTES:
            return "minutes", _(
                "Write the minutes as a number from %(least)s to %(most)s.",
                least=rules.LEAST_MINUTES,
                most=rules.MOST_MINUTES,
            )
        case Problem.NOT_PROMISED:
            return "no-reporting", _("The charter can be signed only with this promise: no observation, no reporting.")
        case Problem.NO_TIME:
            return "time", _("The charter can be signed only with this promise: the time.")
