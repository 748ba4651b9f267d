"""The pages people see: who am I, dashboard, course, activity, participants, grades, tools, faults."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.sandbox import faults
from lti_tool.sandbox.errors import PageRefusal
from lti_tool.sandbox.launch import platform_storage_is_offered, storage_frame
from lti_tool.sandbox.people import CourseRole, Person
from lti_tool.sandbox.registration import registration_url, tool_by_hand
from lti_tool.sandbox.school import Activity, Course
from lti_tool.sandbox.session import current_person, log_in, require_admin, require_editor, require_member
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.tools import Tool, is_web_address

blueprint = Blueprint("pages", __name__)


@blueprint.app_context_processor
def _for_every_page() -> dict[str, Any]:
    school = the_school()
    return {"school": school, "me": current_person(), "faults_in_force": school.faults != faults.Faults()}


@blueprint.get("/")
def dashboard() -> str | Response:
    person = current_person()
    if person is None:
        return redirect(url_for("pages.who_am_i"))
    school = the_school()
    with school.lock:
        mine = [(course, role) for course in school.courses.values() if (role := school.role_of(person, course))]
        events = [(datetime.fromtimestamp(each.start, UTC), each) for each in school.events_of(person)]
        messages = [each for each in reversed(school.messages) if each.to == person.id][:50]
    return render_template("dashboard.html", courses=mine, events=events, messages=messages)


@blueprint.get("/who-am-i")
def who_am_i() -> str:
    school = the_school()
    main_course = next(iter(school.courses.values()))
    with school.lock:
        everybody = sorted(school.people.values(), key=lambda one: (one.family, one.given))
    teachers = [one for one in everybody if main_course.members.get(one.id) is CourseRole.STUDENT]
    others = [one for one in everybody if one not in teachers] if len(everybody) < 500 else _not_students(main_course)
    described = [(person, main_course.members.get(person.id)) for person in others]
    return render_template("who_am_i.html", teachers=teachers[:60], hidden=len(teachers[60:]), others=described)


def _not_students(course: Course) -> list[Person]:
    school = the_school()
    return [school.people[person_id] for person_id, role in course.members.items() if role.is_staff]


@blueprint.post("/who-am-i")
def become() -> Response:
    person = the_school().person(request.form.get("person", ""))
    if person is None:
        raise PageRefusal(404, "There is no such person", "Choose somebody from the list.")
    log_in(person)
    return redirect(url_for("pages.dashboard"))


@blueprint.get("/course/<course_id>")
def course(course_id: str) -> str:
    _person, here, role = require_member(course_id)
    school = the_school()
    with school.lock:
        shown = [(activity, school.tools[activity.deployment_id]) for activity in school.activities_of(here)]
    needs_opener = any(platform_storage_is_offered(tool) for _activity, tool in shown)
    origins = {origin for _activity, tool in shown if platform_storage_is_offered(tool) for origin in tool.origins}
    return render_template(
        "course.html",
        course=here,
        role=role,
        activities=shown,
        needs_opener=needs_opener,
        storage_origins=" ".join(sorted(origins)),
        storage_frame=storage_frame(),
        tab="course",
    )


@blueprint.get("/course/<course_id>/activity/<activity_id>")
def activity(course_id: str, activity_id: str) -> str:
    _person, here, role = require_member(course_id)
    found, tool = _activity_in(here, activity_id)
    address = f"{the_school().personality.paths.launch}?id={found.module_id}"
    return render_template(
        "activity.html",
        course=here,
        role=role,
        activity=found,
        tool=tool,
        launch_address=address,
        storage=platform_storage_is_offered(tool),
        storage_frame=storage_frame(),
        tab="course",
    )


@blueprint.get("/storage")
def storage() -> str:
    """The page of the frame that keeps values for the tools, where it is not the page around theirs."""
    tools = [tool for tool in the_school().tools.values() if platform_storage_is_offered(tool)]
    return render_template(
        "storage.html",
        storage_origins=" ".join(sorted({origin for tool in tools for origin in tool.origins})),
        storage_frame=storage_frame(),
    )


@blueprint.get("/course/<course_id>/participants")
def participants(course_id: str) -> str:
    _person, here, role = require_member(course_id)
    school = the_school()
    with school.lock:
        members = school.members_of(here)
    groups = {person.id: [group.name for group in here.groups if person.id in group.members] for person, _ in members}
    shown = members[:500]
    return render_template(
        "participants.html",
        course=here,
        role=role,
        members=shown,
        count=len(members),
        groups=groups,
        tab="participants",
    )


@blueprint.get("/course/<course_id>/grades")
def grades(course_id: str) -> str:
    person, here, role = require_member(course_id)
    school = the_school()
    with school.lock:
        items = school.line_items_of(here)
        gradable = [one for one, one_role in school.members_of(here) if one_role.is_gradable][:500]
        shown = gradable if role.is_staff else [one for one in gradable if one.id == person.id]
        cells = {(item.id, one.id): school.grades.get((item.id, one.id)) for item in items for one in shown}
    return render_template("grades.html", course=here, role=role, items=items, people=shown, cells=cells, tab="grades")


@blueprint.get("/course/<course_id>/add")
def choose_activity(course_id: str) -> str:
    _person, here, role = require_editor(course_id)
    tools = [tool for tool in the_school().tools.values() if tool.is_active]
    return render_template("add_activity.html", course=here, role=role, tools=tools, wrong=None, typed={}, tab="course")


@blueprint.post("/course/<course_id>/add")
def add_activity(course_id: str) -> str | Response | tuple[str, int]:
    _person, here, role = require_editor(course_id)
    school, form = the_school(), request.form
    tool = school.tools.get(form.get("tool", ""))
    title = form.get("title", "").strip()
    tools = [one for one in school.tools.values() if one.is_active]
    if tool is None or not tool.is_active:
        wrong = "Choose a tool."
    elif not title:
        wrong = "Give the activity a title."
    else:
        with school.lock:
            school.add_activity(
                here,
                tool,
                title,
                opens_in="window" if form.get("opens_in") == "window" else "iframe",
                gradable="gradable" in form,
            )
        return redirect(url_for("pages.course", course_id=here.id))
    page = render_template(
        "add_activity.html", course=here, role=role, tools=tools, wrong=wrong, typed=form, tab="course"
    )
    return page, 400


@blueprint.get("/course/<course_id>/select")
def select_content(course_id: str) -> str:
    _person, here, role = require_editor(course_id)
    school = the_school()
    tool = school.tools.get(request.args.get("tool", ""))
    if tool is None or tool.deep_linking_url is None:
        raise PageRefusal(404, "This tool has no content selection", "Add the activity by its title instead.")
    address = f"{school.personality.paths.deep_linking}?course={here.id}&id={tool.deployment_id}"
    return render_template(
        "select_content.html",
        course=here,
        role=role,
        tool=tool,
        launch_address=address,
        storage=platform_storage_is_offered(tool),
        storage_frame=storage_frame(),
        tab="course",
    )


@blueprint.post("/course/<course_id>/activity/<activity_id>/delete")
def delete_activity(course_id: str, activity_id: str) -> Response:
    _person, here, _role = require_editor(course_id)
    school = the_school()
    with school.lock:
        found, _tool = _activity_in(here, activity_id)
        school.remove_activity(found.id)
    return redirect(url_for("pages.course", course_id=here.id))


@blueprint.get("/admin/tools")
def tools() -> str:
    require_admin()
    return _tools_page()


def _tools_page(wrong: str | None = None, wrong_by_hand: str | None = None) -> str:
    origin = the_school().tool_origin
    suggestion = request.form.get("url") or (f"{origin}/lti/register" if origin else "")
    return render_template(
        "tools.html",
        tools=list(the_school().tools.values()),
        suggestion=suggestion,
        wrong=wrong,
        wrong_by_hand=wrong_by_hand,
        typed=request.form,
    )


@blueprint.post("/admin/tools/register")
def register_tool() -> str | tuple[str, int]:
    require_admin()
    address = request.form.get("url", "").strip()
    if not is_web_address(address):
        return _tools_page("Give the tool’s registration address, beginning with http:// or https://."), 400
    try:
        full_address, _client_id = registration_url(address)
    except ValueError as problem:
        return _tools_page(wrong_by_hand=str(problem)), 400
    return render_template("registering.html", address=full_address, origin=address)


@blueprint.post("/admin/tools/by-hand")
def add_tool_by_hand() -> Response | tuple[str, int]:
    require_admin()
    form = request.form
    try:
        tool_by_hand(
            form.get("name", ""),
            form.get("login_url", "").strip(),
            form.get("redirect_uris", "").split(),
            form.get("jwks_url", "").strip(),
            form.get("target_link_uri", "").strip(),
            form.get("deep_linking_url", "").strip(),
            _custom(form.get("custom", "")),
        )
    except ValueError as problem:
        return _tools_page(wrong_by_hand=str(problem)), 400
    return redirect(url_for("pages.tools"))


def _custom(lines: str) -> dict[str, str]:
    """Custom parameters as they are typed: `name=value`, one a line. Raises ValueError."""
    custom = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"Custom parameters are written name=value; “{line}” is not.")
        custom[name.strip()] = value.strip()
    return custom


@blueprint.post("/admin/tools/<deployment_id>/<action>")
def change_tool(deployment_id: str, action: str) -> Response:
    require_admin()
    school = the_school()
    with school.lock:
        tool = _tool(deployment_id)
        if action == "activate":
            tool.is_active = True
        elif action == "storage":
            tool.platform_storage = not tool.platform_storage
        elif action == "delete":
            school.remove_tool(tool.deployment_id)
        else:
            raise PageRefusal(404, "There is no such action", "Go back to the list of tools.")
    return redirect(url_for("pages.tools"))


@blueprint.get("/faults")
def show_faults() -> str:
    return render_template("faults.html", faults=the_school().faults, switches=_SWITCH_LABELS)


_SWITCH_LABELS = {
    "down": "The LMS is down (503 for everything)",
    "anonymous": "Launches are anonymous: no user id, no name, no e-mail",
    "no_names": "Names are not sent",
    "no_email": "E-mail addresses are not sent",
    "platform_storage": "Platform storage is offered to every tool",
    "id_token_expired": "Launch messages arrive an hour old",
}


@blueprint.post("/faults")
def set_faults() -> Response:
    form = request.form
    if form.get("action") == "clear":
        faults.clear()
    elif form.get("action") in ("rotate_keys", "token_expired"):
        faults.change({form["action"]: True, "keep_old": "keep_old" in form})
    else:
        wanted: dict[str, Any] = {name: name in form for name in _SWITCH_LABELS}
        wanted["slow_s"] = _number(form.get("slow_s", ""))
        wanted["clock_offset_s"] = _number(form.get("clock_offset_s", ""))
        wanted["fail_next"] = int(_number(form.get("fail_next", "")))
        wanted["match"] = form.get("match", "")
        faults.change(wanted)
    return redirect(url_for("pages.show_faults"))


def _number(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError as problem:
        raise PageRefusal(400, f"“{text}” is not a number", "Go back and give a number of seconds.") from problem


def _activity_in(here: Course, activity_id: str) -> tuple[Activity, Tool]:
    school = the_school()
    found = school.activities.get(activity_id)
    if found is None or found.course_id != here.id:
        raise PageRefusal(404, "There is no such activity", "It may have been deleted. Go back to the course.")
    return found, school.tools[found.deployment_id]


def _tool(deployment_id: str) -> Tool:
    tool = the_school().tools.get(deployment_id)
    if tool is None:
        raise PageRefusal(404, "There is no such tool", "It may have been deleted. Go back to the list of tools.")
    return tool
