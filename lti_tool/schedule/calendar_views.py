"""Bookings for calendar programs: as a file, and at a private address that is read without a sign-in."""

import hashlib

from flask import abort, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.views import open_cycle
from lti_tool.privacy.rules import Action, TimeFacts, may
from lti_tool.schedule import calendar_words, calendars, ics
from lti_tool.schedule.calendars import Address, Booking
from lti_tool.schedule.views_base import blueprint, feed
from lti_tool.web.context import actor, tool

_TYPE = "text/calendar; charset=utf-8"


# Files


@blueprint.get("/cycles/<cycle_id>/meetings.ics")
def cycle_file(cycle_id: str) -> Response:
    """All bookings of a cycle as a file; `names=1` names the colleague."""
    return _file(_of_cycle(cycle_id))


@blueprint.get("/cycles/<cycle_id>/meetings/<kind>.ics")
def meeting_file(cycle_id: str, kind: str) -> Response:
    """One booking of a cycle as a file; `names=1` names the colleague."""
    found = [each for each in _of_cycle(cycle_id) if each.kind == kind]
    if not found:
        abort(404)
    return _file(found)


def _of_cycle(cycle_id: str) -> list[Booking]:
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
    others = tuple(each.given_name for each in cycle.others)
    return [
        Booking(
            each.id, cycle.id, each.kind, each.starts_at, each.minutes, each.rev, cycle.started_at,
            cycle.activity_title, cycle.number, cycle.pair_id, others,
        )
        for each in sorted(cycle.meetings, key=lambda each: each.starts_at)
    ]  # fmt: skip


def _file(found: list[Booking]) -> Response:
    written = calendar_words.events(found, shows_names=request.args.get("names") == "1")
    answer = Response(ics.write(written, calendar_words.name()), content_type=_TYPE)
    answer.headers["Content-Disposition"] = 'attachment; filename="coaching.ics"'
    return answer


# The page of the address


@blueprint.get("/calendar")
def calendar() -> str:
    """Whether one has an address, what is booked, and how to add it to a calendar program."""
    with tool().database.read() as session:
        return _page(session, _mine(session))


@blueprint.post("/calendar")
def make_calendar() -> str:
    """Makes an address, which is shown once, here; one that was there before opens nothing any more."""
    with tool().database.write() as session:
        _mine(session)
        shows_names = request.form.get("names") == "1"
        token = calendars.make(session, tool().keyring, actor().person_id, shows_names=shows_names, now=tool().clock())
    with tool().database.read() as session:
        return _page(session, _mine(session), token)


@blueprint.post("/calendar/names")
def say_calendar_names() -> Response:
    """Whether the calendar names colleagues."""
    shows_names = request.form.get("names") == "1"
    with tool().database.write() as session:
        if _mine(session) is None:
            abort(404)
        calendars.say_names(session, actor().person_id, shows_names=shows_names)
    return redirect(url_for(".calendar", told="named" if shows_names else "unnamed"), 303)


@blueprint.post("/calendar/delete")
def delete_calendar() -> Response:
    """Ends the address."""
    with tool().database.write() as session:
        _mine(session)
        calendars.forget(session, tool().keyring, actor().person_id, tool().clock())
    return redirect(url_for(".calendar" if actor().is_teacher else "ownership.mine", told="deleted"), 303)


def _mine(session: Session) -> Address | None:
    """The address of the signed-in person; a 404 for who can have none."""
    kept = calendars.mine(session, actor().person_id)
    if not may(actor(), Action.KEEP_CALENDAR, TimeFacts(actor().person_id, is_new=kept is None)):
        abort(404)
    return kept


def _page(session: Session, kept: Address | None, token: str = "") -> str:
    now, me = tool().clock(), actor().person_id
    ahead = calendars.bookings(session, me, now) + calendars.way_back(session, me, now)
    address = f"{tool().settings.public_url}{url_for('calendar_feed.read', token=token)}" if token else ""
    return render_template(
        "schedule/calendar.html",
        message=calendar_words.told(request.args.get("told", "")),
        kept=kept,
        address=address,
        by_webcal=address.replace("https://", "webcal://", 1) if address.startswith("https://") else "",
        ahead=sorted(calendars.with_names(session, me, ahead), key=lambda each: each.starts_at),
        say=calendar_words,
        words=cycle_words,
        is_teacher=actor().is_teacher,
    )


# The address itself


@feed.url_value_preprocessor
def _never_in_a_frame(_endpoint: str | None, _values: object) -> None:
    g.frame_ancestors = "'none'"


@feed.get("/<token>.ics")
def read(token: str) -> Response:
    """The bookings of whoever's address it is, for a calendar program. Everything else has the same answer.

    Neither the address nor whose it is goes into an error or a log.
    """
    now = tool().clock()
    with tool().database.read() as session:
        address = calendars.find(session, tool().keyring, token, now)
        if address is None:
            return Response("There is no calendar here.\n", 404, content_type="text/plain; charset=utf-8")
        found = calendars.bookings(session, address.person_id, now - calendars.SHOWN_FOR, most=calendars.MOST)
        found += calendars.way_back(session, address.person_id, now)
        if address.shows_names:
            found = calendars.with_names(session, address.person_id, found)
    g.launch_locale = address.language
    if calendars.is_new_day(address, now):
        with tool().database.write() as session:
            calendars.note_read(session, address.person_id, now)
    written = ics.write(calendar_words.events(found, shows_names=address.shows_names), calendar_words.name())
    answer = Response(written, content_type=_TYPE)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.set_etag(hashlib.sha256(written).hexdigest()[:32])
    return answer.make_conditional(request)
