"""Pages on which the meetings of a cycle are booked together, and the slip that says who needs cover, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles import fields, rules
from lti_tool.cycles import views as cycles
from lti_tool.cycles import words as cycle_words
from lti_tool.cycles.rules import Cycle
from lti_tool.cycles.service import NotPossible
from lti_tool.privacy.rules import Action, may
from lti_tool.protocols.recipe import Stage
from lti_tool.schedule import booking, booking_words
from lti_tool.schedule.booking import NotOfferedError, Offer, Way
from lti_tool.schedule.triples import Triple
from lti_tool.schedule.views_base import blueprint
from lti_tool.web.context import actor, tool

MAX_TYPED = 100
"""Characters of what is typed for a slip."""


# Times that suit all of them


@blueprint.get("/cycles/<cycle_id>/meeting-times")
def meeting_times(cycle_id: str) -> str:
    """What can be proposed, and what is booked."""
    with tool().database.read() as session:
        return _times_page(session, _cycle(session, cycle_id))


@blueprint.post("/cycles/<cycle_id>/meeting-times")
def choose_times(cycle_id: str) -> Response | tuple[str, int]:
    """Books one of the proposals, as the host chooses (R41); what the visit is for may come along."""
    with tool().database.write() as session:
        cycle = _cycle(session, cycle_id, lock=True)
        if not _sees_times(cycle) or not may(actor(), Action.BOOK_VISIT, cycle.facts):
            abort(403)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        cycle, unsaved, errors = cycles.receive_texts(session, keys, cycle, _visit(cycle))
        if not errors:
            errors = _chosen(session, cycle)
    if not errors:
        return redirect(url_for(".meeting_times", cycle_id=cycle.id, told="booked"), 303)
    with tool().database.read() as session:
        return _times_page(session, _cycle(session, cycle_id), errors, unsaved), 409


def _chosen(session: Session, cycle: Cycle) -> list[tuple[str, str]]:
    """Books what was chosen; (address, sentence) of what stands in the way otherwise."""
    keys = tool().keyring.opened(session, cycle.id, tool().clock())
    try:
        found, revs = booking.read(request.form.get("times", ""), cycle, _secret())
        booking.choose(
            session, tool().keyring, keys, cycle, found, revs, _way(),
            course_id=actor().course_id, zone=tool().settings.time_zone, now=tool().clock(),
        )  # fmt: skip
    except NotOfferedError:
        return [("", _("This does not suit any more. These are the times that do now."))]
    except NotPossible as error:
        return [
            (f"#field-{lack.of}", _("Say first what the visit is for."))
            if _is_typed_here(cycle, lack.of)
            else cycle_words.missing(cycle, lack)[::-1]
            for lack in error.missing
        ]
    return []


@blueprint.post("/cycles/<cycle_id>/meeting-times/back")
def drop_way_back(cycle_id: str) -> Response:
    """Takes the way back out again: either of the two can."""
    with tool().database.write() as session:
        cycle = _cycle(session, cycle_id, lock=True)
        booking.drop_way_back(session, cycle)
    return redirect(url_for(".meeting_times", cycle_id=cycle.id, told="dropped"), 303)


def _cycle(session: Session, cycle_id: str, *, lock: bool = False) -> Cycle:
    """A cycle with all three meetings, of who may see times, or one in which a way back was agreed; a 404 for any
    other."""
    cycle = cycles.open_cycle(session, cycle_id, lock=lock)
    if not _sees_times(cycle) and not booking.way_back(session, cycle):
        abort(404)
    return cycle


def _sees_times(cycle: Cycle) -> bool:
    return may(actor(), Action.SEE_TIMES, cycle.facts) and booking.has_all(cycle)


def _visit(cycle: Cycle) -> Stage:
    return next(each for each in cycle.stages if "visit" in each.meetings)


def _way() -> Way:
    return Way(both=request.values.get("both") == "1", short=request.values.get("short") == "1")


def _secret() -> bytes:
    return tool().settings.secret_key.get_secret_value()


def _is_typed_here(cycle: Cycle, key: str) -> bool:
    field = cycle.protocol.field(key)
    return field is not None and not field.choices and fields.is_editable(actor(), cycle, field)


def _times_page(
    session: Session, cycle: Cycle, errors: Sequence[tuple[str, str]] = (), typed: Mapping[str, str] | None = None
) -> str:
    way, clock = _way(), tool().clock()
    # Where there are no times to choose, the page is of a way back that was agreed, and of nothing else.
    sees_times = _sees_times(cycle)
    offer = (
        booking.offer(
            session, tool().keyring, cycle, way, course_id=actor().course_id, zone=tool().settings.time_zone, now=clock
        )
        if sees_times
        else Offer()
    )
    may_choose = sees_times and may(actor(), Action.BOOK_VISIT, cycle.facts)
    stage = _visit(cycle) if sees_times else cycle.stages[0]
    missing = rules.missing_to_book_visit(cycle, stage, cycle.me) if may_choose else ()
    asked = [
        (field, (typed or {}).get(field.key, request.form.get(f"text-{field.key}", "")))
        for lack in missing
        if lack.code == "text"
        and (field := cycle.protocol.field(lack.of)) is not None
        and _is_typed_here(cycle, lack.of)
    ]
    return render_template(
        "schedule/propose.html",
        message=booking_words.told(request.args.get("told", "")),
        errors=errors,
        cycle=cycle,
        words=cycle_words,
        say=booking_words,
        way=way,
        sees_times=sees_times,
        may_go_back=booking.may_go_back(cycle),
        kinds=booking.open_kinds(cycle) if sees_times else (),
        booked=[
            (booking_words.title(kind), booking_words.span(meeting.starts_at, meeting.minutes), _stage_url(cycle, kind))
            for kind in booking.KINDS
            if sees_times and (meeting := cycle.meeting(kind))
        ],
        doubts=[booking_words.doubt(code) for code in offer.doubts],
        back=[
            (booking_words.title(kind), booking_words.span(*when))
            for kind, when in booking.way_back(session, cycle).items()
        ],
        lacking=booking_words.lacking(cycle, {each.person_id for each in offer.lacking}),
        i_lack=cycle.viewer_id in {each.person_id for each in offer.lacking},
        proposals=[_proposal(cycle, found, may_choose) for found in offer.found],
        may_choose=may_choose,
        host=cycle_words.name(cycle.host),
        asked=asked,
        other_missing=[
            cycle_words.missing(cycle, lack) for lack in missing if lack.of not in {field.key for field, _text in asked}
        ],
        by_hand=cycle_words.stage_url(cycle, stage, "meeting-visit"),
        partners=cycle_words.names(cycle.others),
    )


def _stage_url(cycle: Cycle, kind: str) -> str:
    return cycle_words.stage_url(cycle, next(each for each in cycle.stages if kind in each.meetings), f"meeting-{kind}")


@dataclass(frozen=True, slots=True)
class Proposal:
    """One of the proposals, as a page shows it."""

    ways: tuple[tuple[str, list[tuple[str, str]], str], ...]
    """(Heading or empty, what is when, why), there and back."""
    choice: str
    """As its button sends it; empty for who cannot choose."""
    name: str
    """For a screen reader: when the visit is."""


def _proposal(cycle: Cycle, found: tuple[Triple, ...], may_choose: bool) -> Proposal:
    kinds = booking.open_kinds(cycle)
    guests = cycle_words.names([each for each in (cycle.host, *cycle.others, cycle.me) if each is cycle.coach])
    ways = []
    for number, each in enumerate(found):
        is_mine = (cycle.me is cycle.host) != (number == 1)
        lines = []
        for kind, one in zip(booking.KINDS, booking.spans_of(each), strict=True):
            # The title of a lesson is of its teacher's timetable, so it is shown to them alone.
            is_named = kind == "visit" and is_mine and not each.visit.title.isdecimal()
            own = f" · {each.visit.title}" if is_named and each.visit.title else ""
            if kind in kinds:
                lines.append((booking_words.title(kind), booking_words.of_span(one) + own))
        why = [key for key in each.why if "before" in kinds or not key.startswith("before")]
        heading = "" if len(found) == 1 else _("There: a visit to %(name)s", name=cycle_words.name(cycle.host))
        if number == 1:
            heading = _("Back: a visit to %(name)s", name=guests)
        ways.append((heading, lines, "; ".join(booking_words.why(why))))
    choice = booking.written(found, cycle, _secret()) if may_choose else ""
    return Proposal(tuple(ways), choice, cycle_words.when(found[0].visit.start))


# Cover


@blueprint.get("/cycles/<cycle_id>/cover-slip")
def cover_slip(cycle_id: str) -> str:
    """What is to be on the slip."""
    with tool().database.read() as session:
        return _cover_page(_cycle_to_cover(session, cycle_id), is_made=False)


@blueprint.post("/cycles/<cycle_id>/cover-slip")
def make_cover_slip(cycle_id: str) -> str:
    """The slip, to print or send: when, and who is away. Nothing of it is kept."""
    with tool().database.read() as session:
        return _cover_page(_cycle_to_cover(session, cycle_id), is_made=True)


def _cycle_to_cover(session: Session, cycle_id: str) -> Cycle:
    cycle = cycles.open_cycle(session, cycle_id)
    if not may(actor(), Action.BOOK_TALK, cycle.facts) or not cycle.meetings:
        abort(404)
    return cycle


def _cover_page(cycle: Cycle, *, is_made: bool) -> str:
    # The host teaches in the visit.
    mine = [each for each in cycle.meetings if each.kind != "visit" or cycle.me is not cycle.host]
    mine.sort(key=lambda each: each.starts_at)
    chosen = [each for each in mine if request.form.get(f"for-{each.kind}") == "1"] if is_made else mine
    typed = {part: request.form.get(part, "").strip()[:MAX_TYPED] for part in ("class", "room", "note")}
    return render_template(
        "schedule/cover.html",
        cycle=cycle,
        mine=[(each.kind, booking_words.span(each.starts_at, each.minutes), each in chosen) for each in mine],
        typed=typed,
        is_made=is_made and bool(chosen),
        name=actor().name,
        whens=[
            _("%(when)s to %(end)s", when=cycle_words.date_and_time(each.starts_at),
              end=cycle_words.clock_time(each.ends_at))
            for each in chosen
        ],
        back=url_for(".cover_slip", cycle_id=cycle.id),
    )  # fmt: skip
