"""The page on which a trainer says the week of a course, or of one school in it: bells, days and holidays."""

from collections.abc import Sequence

from flask import abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.people.zones import ZONES
from lti_tool.privacy.rules import Action, CourseFacts, may
from lti_tool.schedule import school_weeks, week, week_forms, week_words
from lti_tool.schedule.school_weeks import EVERYBODY, Overtaken, Said
from lti_tool.schedule.views_base import blueprint
from lti_tool.web.context import actor, tool

_MOST_UNREAD = 10
"""Lines of what was pasted that are given back as not understood."""


@blueprint.get("/school-week")
def school_week() -> str:
    """The week that counts for everybody in the course, or for a school of it, to be changed."""
    with tool().database.read() as session:
        page = _Page(session, request.args.get("school", ""))
        return page.show(week.typed(page.shown.week), told=request.args.get("told", ""))


@blueprint.post("/school-week")
def say_school_week() -> Response | str | tuple[str, int]:
    """Keeps what was typed; or brings the page back with what a button added. `do` is the button."""
    do, text = request.form.get("do", ""), request.form.get("paste", "")[: week_forms.MAX_PASTED]
    typed = week_forms.read(request.form)
    with tool().database.write() as session:
        page = _Page(session, request.form.get("school", ""))
        if do == "open":
            return page.show(week_forms.opened(typed))
        if do.startswith("start "):
            begin = page.beginning(do.removeprefix("start "))
            return page.show(week_forms.started(typed, week.typed(begin)), told="started", paste=text)
        if do == "paste":
            put, unread = week_forms.pasted(typed, text)
            return page.show(put, told="pasted", paste="\n".join(unread), unread=len(unread))
        try:
            said = week.read(typed)
        except week.RefusedError as error:
            return page.show(typed, errors=week_words.problems(error.problems), paste=text), 400
        try:
            school_weeks.say(session, actor().course_id, page.school_id, said, page.revision, tool().clock())
        except Overtaken:
            return page.show(typed, paste=text, overtaken=True), 409
    return redirect(url_for(".school_week", school=page.school_id or None, told="kept"), 303)


@blueprint.post("/school-week/forget")
def forget_school_week() -> Response:
    """A school has no week of its own any more."""
    with tool().database.write() as session:
        page = _Page(session, request.form.get("school", ""))
        if page.school_id:
            school_weeks.forget(session, actor().course_id, page.school_id)
    return redirect(url_for(".school_week", school=page.school_id, told="forgotten"), 303)


class _Page:
    """The page of one school, or of everybody; a 404 for all but the trainers of the course."""

    def __init__(self, session: Session, school: str) -> None:
        if not may(actor(), Action.SAY_WEEK, CourseFacts(actor().course_id)):
            abort(404)
        self.schools = school_weeks.schools(session, actor().course_id)
        if school and school not in dict(self.schools):
            abort(404)
        self.school_id = school or None
        self.said = school_weeks.of_course(session, actor().course_id)
        self.shown: Said = school_weeks.of_school(self.said, self.school_id, tool().settings.time_zone)

    @property
    def kept(self) -> Said | None:
        """What was said for just this school, or for everybody."""
        return self.said.get(self.school_id or EVERYBODY)

    @property
    def revision(self) -> int:
        """Of what the page showed on which something was typed."""
        typed = request.form.get("was", "0")
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 8 else -1

    def beginning(self, which: str) -> week.SchoolWeek:
        """The week that a button names: one that ships, or that of another school."""
        zone = tool().settings.time_zone
        ships = {"post_primary": week.post_primary(zone), "primary": week.primary(zone)}
        ships["short"] = week.post_primary(zone, short=(2, 4))
        if found := ships.get(which):
            return found
        other = self.said.get(which.removeprefix("school ")) if which.startswith("school ") else None
        if other is None:
            abort(404)
        return other.week

    def show(
        self,
        typed: dict[str, str],
        *,
        told: str = "",
        errors: Sequence[tuple[str, str]] = (),
        paste: str = "",
        unread: int = 0,
        overtaken: bool = False,
    ) -> str:
        """The page with these boxes."""
        names = dict(self.schools)
        own = [day for day in range(week.DAYS) if week_forms.has_own(typed, day)]
        return render_template(
            "schedule/week.html",
            message=week_words.told(told),
            errors=errors,
            wrong={box for box, _said in errors},
            typed=typed,
            was=self.kept.revision if self.kept else 0,
            is_said=self.kept is not None,
            is_own=self.kept is not None and self.school_id is not None,
            overtaken=overtaken,
            school_id=self.school_id,
            school=names.get(self.school_id or ""),
            schools=[(id_, name, id_ in self.said) for id_, name in self.schools],
            others=[
                (key, names.get(key, ""))
                for key in self.said
                if key != (self.school_id or EVERYBODY) and (key in names or key == EVERYBODY)
            ],
            days=week_words.days(),
            own=own,
            rows={day: week_forms.rows(typed, day) for day in own},
            holiday_rows=week_forms.holiday_rows(typed),
            zones=ZONES,
            paste=paste,
            unread=unread,
            most_talk=week.MOST_TALK,
        )
