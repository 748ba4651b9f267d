"""What the codes of a cycle mean to the person who reads them, in their language."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from flask import url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from lti_tool.cycles import rules
from lti_tool.cycles.conversation_rules import in_words
from lti_tool.cycles.picture import Arc, arcs
from lti_tool.cycles.rules import Cycle, Member, Missing, NextStep, WrongTime
from lti_tool.cycles.service import CycleView
from lti_tool.protocols.recipe import Field, Stage, Words
from lti_tool.schedule.timetable import Span
from lti_tool.web.context import tool
from lti_tool.web.languages import listed, zone_of_request


@dataclass(frozen=True, slots=True)
class NextStepWords:
    """The next step as a page says it."""

    title: str
    text: str
    label: str
    """Of the button; empty when there is nothing to tap."""
    url: str
    waits: bool


@dataclass(frozen=True, slots=True)
class StageLine:
    """One line of the list of stages."""

    title: str
    state: str
    """done, now or later."""
    note: str
    """A date, or empty."""
    href: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of the cycle, with what it says to those who don't see it."""

    arcs: list[Arc]
    title: str
    middle: str
    text: str


def language() -> str:
    """Code of the page's language: en or ga."""
    return str(get_locale().language)


def into(words: Words) -> str:
    """A protocol's text in the page's language."""
    return words.into(language())


def name(member: Member) -> str:
    """A member's given name, or what stands for it where the LMS withholds names."""
    return member.given_name or (_("a former colleague") if member.is_former else _("your partner"))


def names(members: Iterable[Member]) -> str:
    """The names of several, as they are said one after the other."""
    members = list(members)
    if len(members) < 2:
        return "".join(name(member) for member in members)
    unnamed = [each for each in members if not each.given_name]
    known = [each.given_name for each in members if each.given_name]
    if unnamed:
        known.append(
            ngettext("one more colleague", "%(num)s more colleagues", len(unnamed)) if known else _("your colleagues")
        )
    return listed(known)


def partner_name(cycle: Cycle) -> str:
    """The name of the other one, or of the others; empty in a reflection without a partner."""
    return names(cycle.others)


def zone() -> ZoneInfo:
    """The time zone in which the person behind the request reads and enters times."""
    return ZoneInfo(zone_of_request() or tool().settings.time_zone)


def today() -> date:
    """The day that it is for the person behind the request."""
    return tool().clock().astimezone(zone()).date()


def day(moment: datetime) -> str:
    """A day as people say it: Thu 10 Dec; today and tomorrow by these words."""
    local = moment.astimezone(zone()).date()
    away = (local - today()).days
    if away == 0:
        return _("today")
    if away == 1:
        return _("tomorrow")
    pattern = "EEE d MMM" if abs(away) < 300 else "EEE d MMM yyyy"
    return str(format_date(local, pattern, locale=get_locale()))


def when(moment: datetime) -> str:
    """Day and time of a meeting."""
    return _("%(day)s at %(time)s", day=day(moment), time=clock_time(moment))


def date_and_time(moment: datetime) -> str:
    """The same for paper, which is read on another day."""
    return str(format_datetime(moment.astimezone(zone()), "EEEE d MMMM yyyy, HH:mm", locale=get_locale()))


def clock_time(moment: datetime) -> str:
    """The time of day."""
    return str(format_time(moment.astimezone(zone()), "HH:mm", locale=get_locale()))


def stamp(moment: datetime) -> str:
    """When something was written."""
    return str(format_datetime(moment.astimezone(zone()), "d MMM yyyy, HH:mm", locale=get_locale()))


def role(of: str) -> str:
    """The roles of a cycle, as they are called here."""
    said = {
        "host": _("host"),
        "coach": _("coach"),
        "observer": _("process observer"),
        "keeper": _("keeper of the time"),
        "member": _("member of the group"),
    }
    return str(said[of])


def you_are(of: str) -> str:
    """A sentence on the reader's own role in a cycle that runs."""
    return _("You are one of the group.") if of == "member" else _("You are the %(role)s.", role=role(of))


def you_were(of: str) -> str:
    """A sentence on the reader's own role in a cycle that has ended."""
    return _("You were one of the group.") if of == "member" else _("You were the %(role)s.", role=role(of))


def chosen(field: Field, text: str) -> str:
    """A text as people read it: where it was chosen, the words of what was chosen."""
    return in_words(field, text, into)


def talk_url(cycle: Cycle, stage: Stage, anchor: str = "") -> str:
    """Where people are led through a stage together."""
    return url_for("conversation.talk", cycle_id=cycle.id, stage_key=stage.key, _anchor=anchor or None)


def stage_url(cycle: Cycle, stage: Stage, anchor: str = "") -> str:
    """Where a stage is worked on."""
    if stage.kind == "reflection":
        return url_for("reflection.show", cycle_id=cycle.id, _anchor=anchor or None)
    return url_for("cycles.stage", cycle_id=cycle.id, stage_key=stage.key, _anchor=anchor or None)


def dates(starts_on: date | None, ends_on: date | None) -> str:
    """When something starts, while that lies ahead, and until when it is meant; empty if there is nothing to say."""
    said = []
    if starts_on and starts_on > today():
        said.append(_("Starts on %(date)s", date=_full(starts_on)))
    if ends_on:
        said.append(_("Until %(date)s", date=_full(ends_on)))
    return " · ".join(said)


def _full(a_day: date) -> str:
    return str(format_date(a_day, "d MMMM y", locale=get_locale()))


def stages(view: CycleView) -> list[StageLine]:
    """The list of stages, for ui.stage_list."""
    return [
        StageLine(
            into(each.stage.title),
            each.state,
            (day(each.at) if each.state == "done" or each.at is None else when(each.at)) if each.at else "",
            stage_url(view.cycle, each.stage),
        )
        for each in view.stages
    ]


def picture(view: CycleView) -> Picture:
    """The picture of the cycle, for cycles/_picture.html."""
    said = {"done": _("done"), "now": _("you are here"), "later": _("later")}
    return Picture(
        arcs([(each.state, into(each.stage.short)) for each in view.stages]),
        _("Where you are in the cycle"),
        _("Cycle %(number)s", number=view.number),
        ". ".join(f"{into(each.stage.title)}: {said[each.state]}" for each in view.stages) + ".",
    )


def next_step(view: CycleView) -> NextStepWords:
    """The next step, large and plain."""
    cycle, step = view.cycle, view.next_step
    stage = cycle.stage(step.stage)
    anchor = {
        "text": f"field-{step.of}", "meeting": f"meeting-{step.of}", "agreement": f"agreement-{step.of}",
    }.get(_kind_of_next(step.code), "")  # fmt: skip
    end = "groups.end" if cycle.is_group else "cycles.end"
    if stage and step.code in ("talk", "talk_first_turn", "close_talk"):
        url = talk_url(cycle, stage)
    else:
        url = stage_url(cycle, stage, anchor) if stage else url_for(end, cycle_id=cycle.id)
    if cycle.is_alone:
        title, text, label = _alone_texts(cycle)
    else:
        in_group = _group_texts(cycle, step) if cycle.is_group else None
        title, text, label = in_group or _next_texts(cycle, step.code, stage, step.of, partner_name(cycle))
    return NextStepWords(title, text, label, url, step.waits)


def _alone_texts(cycle: Cycle) -> tuple[str, str, str]:
    submitted_at = cycle.submitted_at(cycle.me)
    if submitted_at is None:
        return (
            _("Go on with your reflection"),
            _("It is kept as you type. You submit it when you are ready."),
            _("Go on writing"),
        )
    on = _full(submitted_at.astimezone(zone()).date())
    return (
        _("Your reflection is submitted"),
        _("Submitted on %(date)s. You can still change it and submit it again.", date=on),
        _("Read or change it"),
    )


def _group_texts(cycle: Cycle, step: NextStep) -> tuple[str, str, str] | None:
    """What is said to a group otherwise than to two; None where it is the same."""
    waiting = names(rules.awaited(cycle, step))
    if step.code == "sign":
        return (_("Sign what you agreed"), _("All of you sign, each with your own tap."), _("Read and sign"))
    if step.code in ("wait_sign", "wait_confirm"):
        return (_("Waiting for %(name)s", name=waiting), _signed(cycle, step.of), _("Look at it again"))
    if step.code == "confirm":
        return (
            _("Confirm the goal"),
            _("The conversation can be closed when all of you have confirmed the goal."),
            _("Read and confirm"),
        )
    if step.code == "choose_version":
        return (
            _("There are several versions of a text"),
            _("Some of you wrote at the same time, and all versions are kept. Choose one, or keep what you need."),
            _("Look at them"),
        )
    if step.code == "plan_visit":
        return (
            _("Invite the group into a lesson"),
            _("Say what the visit is for, and when and where it is."),
            _("Plan the visit"),
        )
    if step.code in ("confirm_visit", "wait_visit_confirmed"):
        visit = cycle.meeting("visit")
        at = when(visit.starts_at) if visit else ""
        if step.waits:
            return (
                _("Waiting for %(name)s", name=waiting),
                _("The visit is planned: %(when)s. %(name)s has not said yet that this suits.", when=at, name=waiting),
                _("Look at the visit"),
            )
        return (
            _("Say that you will be there"),
            _("%(name)s invites you: %(when)s.", name=name(cycle.host), when=at),
            _("Look at the visit"),
        )
    if step.code == "visit_ahead":
        visit = cycle.meeting("visit")
        is_host = cycle.me.role == "host"
        return (
            _("The group visits your lesson") if is_host else _("You visit %(name)s", name=name(cycle.host)),
            _("%(when)s. The roles card says how.", when=when(visit.starts_at).capitalize() if visit else ""),
            _("Open the roles card"),
        )
    if step.code == "wait_reflection":
        return (
            _("Your reflection is submitted"),
            _("When %(name)s have submitted too, this cycle is finished.", name=waiting)
            if len(rules.awaited(cycle, step)) > 1
            else _("When %(name)s has submitted too, this cycle is finished.", name=waiting),
            _("Read your reflection"),
        )
    if step.code == "choose_next":
        return (
            _("This cycle is finished"),
            _("The next one begins when all of you would like to go on. The roles move on then."),
            _("Choose what comes next"),
        )
    if step.code == "wait_wish":
        if not waiting:
            return (
                _("Waiting for more members"),
                _("All of you would like to go on. The next cycle begins when enough of you are there."),
                _("Change your choice"),
            )
        return (
            _("Waiting for %(name)s", name=waiting),
            _("The next cycle begins when all of you would like to go on."),
            _("Change your choice"),
        )
    return None


def _signed(cycle: Cycle, key: str) -> str:
    """How many have agreed to something."""
    agreement = cycle.protocol.agreement(key)
    there = len(cycle.needed)
    lacking = len(rules.unsigned(cycle, agreement)) if agreement else 0
    return str(_("%(count)s of %(all)s have signed.", count=there - lacking, all=there))


def _kind_of_next(code: str) -> str:
    if code in ("sign", "confirm"):
        return "agreement"
    if code in ("plan_visit", "book_debrief", "confirm_visit", "wait_visit_confirmed"):
        return "meeting"
    return "text" if code in ("choose_version", "fill_card") else ""


def _next_texts(cycle: Cycle, code: str, stage: Stage | None, of: str, partner: str) -> tuple[str, str, str]:
    title = into(stage.title) if stage else ""
    host, coach = name(cycle.host), name(cycle.coach)
    is_host = cycle.me.role == "host"
    if code == "start":
        return (
            _("Get started with %(name)s", name=partner),
            _(
                "Say what you hope for and how you would like to work. It takes about %(count)s minutes.",
                count=_minutes(stage),
            ),
            _("Start together"),
        )
    if code == "sign":
        return (_("Sign what you agreed"), _("Both of you sign, each with your own tap."), _("Read and sign"))
    if code in ("wait_sign", "wait_confirm"):
        return (
            _("Waiting for %(name)s", name=partner),
            _("You have agreed. When %(name)s has too, you go on.", name=partner),
            _("Look at it again"),
        )
    if code in ("talk", "talk_first_turn", "close_talk"):
        return _talk_texts(cycle, code, stage, partner)
    if code == "confirm":
        return (
            _("Confirm the goal"),
            _("The conversation can be closed when both of you have confirmed the goal."),
            _("Read and confirm"),
        )
    if code == "choose_version":
        return (
            _("There are two versions of a text"),
            _("You both wrote at the same time, and both versions are kept. Choose one, or keep both."),
            _("Look at them"),
        )
    if code == "plan_visit":
        return (
            _("Invite %(name)s into a lesson", name=coach),
            _("Say what the visit is for, and when and where it is."),
            _("Plan the visit"),
        )
    if code == "wait_visit":
        return (
            _("%(name)s invites you into a lesson", name=host),
            _("The host says when. You can prepare the roles card together meanwhile."),
            _("Look at the visit"),
        )
    if code == "fill_card":
        return (
            _("Fill in the roles card"),
            _("Where the coach sits, what pupils are told, what is not written down: settle it before the visit."),
            _("Open the roles card"),
        )
    if code == "book_debrief":
        return (
            _("Book the conversation after"),
            _("The visit can be confirmed once you know when you will talk about it."),
            _("Choose a time"),
        )
    return _later_texts(cycle, code, of, partner, title, is_host)


def _talk_texts(cycle: Cycle, code: str, stage: Stage | None, partner: str) -> tuple[str, str, str]:
    meets = stage.meetings if stage is not None else ()
    title = (
        _("Talk with %(name)s after the lesson", name=partner)
        if "after" in meets
        else _("Talk with %(name)s before the lesson", name=partner)
        if "before" in meets
        else _("Talk with %(name)s", name=partner)
    )
    meeting = cycle.meeting(stage.meetings[0]) if stage and stage.meetings else None
    parts = [when(meeting.starts_at).capitalize() + "."] if meeting else []
    if stage is not None and stage.kind == "work":
        parts.append(into(stage.purpose))
        return into(stage.title), " ".join(parts), _("Open it")
    if code == "close_talk":
        parts.append(_("Everything is there. When you have talked, say so."))
        return title, " ".join(parts), _("Open the conversation")
    parts.append(_("About %(count)s minutes.", count=_minutes(stage)))
    if stage and stage.speaks_first:
        first = next(iter(cycle.with_role(stage.speaks_first)), cycle.coach)
        parts.append(_("You speak first.") if first is cycle.me else _("%(name)s speaks first.", name=name(first)))
    return title, " ".join(parts), _("Start the conversation")


def _later_texts(cycle: Cycle, code: str, of: str, partner: str, title: str, is_host: bool) -> tuple[str, str, str]:
    visit = cycle.meeting("visit")
    at = when(visit.starts_at) if visit else ""
    if code == "confirm_visit":
        return (
            _("Say that you will be there"),
            _("%(name)s invites you: %(when)s.", name=partner, when=at),
            _("Look at the visit"),
        )
    if code == "wait_visit_confirmed":
        return (
            _("Waiting for %(name)s", name=partner),
            _("The visit is planned: %(when)s. %(name)s has not said yet that this suits.", when=at, name=partner),
            _("Look at the visit"),
        )
    if code == "visit_ahead":
        return (
            _("%(name)s visits your lesson", name=partner) if is_host else _("You visit %(name)s", name=partner),
            _("%(when)s. The roles card says how.", when=at.capitalize()),
            _("Open the roles card"),
        )
    if code == "close_visit":
        talks_after = any(stage.kind == "conversation" and "after" in stage.meetings for stage in cycle.stages)
        return (
            _("Has the visit taken place?"),
            _("Say so, and the conversation after opens.") if talks_after else _("Say so, and each of you reflects."),
            _("Open the visit"),
        )
    if code == "reflect":
        return (
            _("Write your reflection"),
            _("For yourself: what you learned for your own teaching. Nobody else reads it."),
            _("Write"),
        )
    if code == "wait_reflection":
        return (
            _("Your reflection is submitted"),
            _("When %(name)s has submitted too, this cycle is finished.", name=partner),
            _("Read your reflection"),
        )
    if code == "choose_next":
        return (
            _("This cycle is finished"),
            _("Go on as you are, swap roles, change partner, or pause."),
            _("Choose what comes next"),
        )
    if code == "answer_wish":
        return (_("This cycle is finished"), wish_of(partner, of), _("Choose what comes next"))
    if code == "wait_wish":
        return (
            _("Waiting for %(name)s", name=partner),
            _("The next cycle begins when %(name)s would like the same.", name=partner),
            _("Change your choice"),
        )
    if code == "different_wishes":
        return (
            _("You would each like something else"),
            wish_of(partner, of) + " " + _("Talk about it; either of you can change."),
            _("Look at it"),
        )
    return (_("This cycle has stopped"), _("What you wrote stays yours."), _("Read it"))


def wish_of(partner: str, wish: str) -> str:
    """What the partner would like next."""
    if wish == "swap":
        return _("%(name)s would like to swap roles.", name=partner)
    return _("%(name)s would like to go on with the same roles.", name=partner)


def _minutes(stage: Stage | None) -> int:
    return stage.minutes if stage else 0


def missing(cycle: Cycle, lack: Missing) -> tuple[str, str]:
    """A friendly sentence on what is missing, and where it can be mended (an address)."""
    stage = cycle.stage(lack.stage)
    field = cycle.protocol.field(lack.of)
    label = into(field.label) if field else ""
    here = {
        "text": f"field-{lack.of}", "versions": f"field-{lack.of}", "meeting": f"meeting-{lack.of}",
        "not_confirmed": f"meeting-{lack.of}", "not_yet": f"meeting-{lack.of}", "first_turn": "first-turn",
        "my_signature": f"agreement-{lack.of}", "partner_signature": f"agreement-{lack.of}",
        "signatures": f"agreement-{lack.of}",
    }.get(lack.code, "")  # fmt: skip
    url = stage_url(cycle, stage, here) if stage else ""
    if lack.code == "text":
        writers = cycle.with_role(field.by) if field else ()
        if writers and cycle.me not in writers:
            return _("“%(label)s” is still empty. %(name)s writes it.", label=label, name=names(writers)), url
        return _("“%(label)s” is still empty.", label=label), url
    if lack.code == "versions" and cycle.is_group:
        return _("There are several versions of “%(label)s”. Choose one, or keep what you need.", label=label), url
    if lack.code == "versions":
        return _("There are two versions of “%(label)s”. Choose one, or keep both.", label=label), url
    if lack.code == "meeting":
        return {
            "visit": _("The visit has no date yet."),
            "after": _("The conversation after is not booked yet."),
            "work": _("The work together is not booked yet."),
        }.get(lack.of, _("The conversation before is not booked yet.")), url
    if lack.code == "first_turn":
        if cycle.me.role == "host":
            return _("Mark your first turn as done, once you have spoken first."), url
        return _("%(name)s speaks first, and marks the first turn as done.", name=name(cycle.host)), url
    if lack.code == "my_signature":
        return _("You have not agreed yet, or a text has changed since."), url
    if lack.code == "partner_signature":
        agreement = cycle.protocol.agreement(lack.of)
        waiting = rules.unsigned(cycle, agreement) if agreement else ()
        if len(waiting) > 1:
            return _("%(names)s have not agreed yet, or a text has changed since.", names=names(waiting)), url
        return _("%(name)s has not agreed yet, or a text has changed since.", name=names(waiting)), url
    if lack.code == "signatures" and cycle.is_group:
        return _("All of you have to agree, each with your own tap."), url
    if lack.code == "signatures":
        return _("Both of you have to agree, each with your own tap."), url
    if lack.code == "not_confirmed":
        return _("%(name)s has not said yet that the visit suits.", name=name(cycle.coach)), url
    if lack.code == "not_yet":
        visit = cycle.meeting("visit")
        return _(
            "The visit is booked for %(when)s. If it took place earlier, the host changes the time first.",
            when=when(visit.starts_at) if visit else "",
        ), url
    return _("“%(stage)s” comes first.", stage=into(stage.title) if stage else ""), url


def wrong_time(error: WrongTime) -> str:
    """What is wrong with a time that was typed."""
    said = {
        "missing": _("Give a day and a time."),
        "not_a_time": _("This is not a day and a time. Write it as 2026-12-10 10:05."),
        "skipped": _("The clocks go forward at that hour, so this time does not exist. Choose one an hour later."),
        "far": _("This is more than a year away. Is the year right?"),
    }
    return str(said[error.code])


def double_booked(cycle: Cycle, spans: Iterable[Span]) -> str:
    """Why a meeting is not booked: when there is something else already, never whose or what."""
    whens = listed([_("%(when)s to %(end)s", when=when(span.start), end=clock_time(span.end)) for span in spans])
    if cycle.is_group:
        return _("One of you has something else booked: %(whens)s. Choose another time.", whens=whens)
    return _("One of you two has something else booked: %(whens)s. Choose another time.", whens=whens)


def notices(cycle: Cycle, stage: Stage, now: datetime) -> list[str]:
    """Gentle hints about dates, each on the pages where one of the two can be moved; said to the pair and to nobody
    else."""
    found: list[str] = []
    visit = cycle.meeting("visit")
    if rules.is_done(cycle, stage):
        return found
    if "visit" in stage.meetings and visit and visit.starts_at < now:
        found.append(_("The visit's time has passed. If it took place, say so below."))
    if {"before", "visit"}.intersection(stage.meetings) and rules.talk_before_is_late(cycle):
        found.append(_("The conversation before is booked for when the visit has begun. Is that right?"))
    if {"visit", "after"}.intersection(stage.meetings):
        if rules.debrief_is_early(cycle):
            found.append(_("The conversation after is booked for before the visit is over. Is that right?"))
        elif rules.debrief_is_late(cycle):
            found.append(
                _("It is more than two days from the visit to the conversation after. Sooner is easier to remember.")
            )
    return found


def when_notes_go(cycle: Cycle) -> str:
    """One sentence, for both, on how long the raw notes of the visit live; empty where there are none."""
    if not cycle.protocol.raw_fields:
        return ""
    if cycle.is_group or any(field.by != "coach" for field in cycle.protocol.raw_fields):
        return _when_notes_of_several_go(cycle)
    if cycle.notes_deleted_at is not None:
        return _("The coach’s notes were deleted %(day)s.", day=day(cycle.notes_deleted_at))
    if cycle.notes_days is None:
        return _("The coach’s notes stay as long as the cycle.")
    if cycle.notes_due_at is not None:
        return _("The coach’s notes are deleted %(day)s, for both of you.", day=day(cycle.notes_due_at))
    if cycle.protocol.debrief is not None and cycle.protocol.debrief.kind == "visit":
        return _(
            "The coach’s notes are deleted %(count)s days after the visit, for both of you.", count=cycle.notes_days
        )
    return _(
        "The coach’s notes are deleted %(count)s days after the conversation after, for both of you.",
        count=cycle.notes_days,
    )


def _when_notes_of_several_go(cycle: Cycle) -> str:
    if cycle.notes_deleted_at is not None:
        return _("The notes of the lesson were deleted %(day)s.", day=day(cycle.notes_deleted_at))
    if cycle.notes_days is None:
        return _("The notes of the lesson stay as long as the cycle.")
    if cycle.notes_due_at is not None:
        return _(
            "The notes of the lesson are deleted %(day)s, for everybody in the cycle.", day=day(cycle.notes_due_at)
        )
    return _(
        "The notes of the lesson are deleted %(count)s days after the conversation after, for everybody in the cycle.",
        count=cycle.notes_days,
    )
