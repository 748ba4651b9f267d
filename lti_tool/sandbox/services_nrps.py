"""Names and Role Provisioning Services 2.0: who is in the course."""

import json

from flask import Flask, Response, request

from lti_tool.sandbox import vocabulary as v
from lti_tool.sandbox.errors import ServiceRefusal
from lti_tool.sandbox.people import CourseRole, Person
from lti_tool.sandbox.personalities import Launching, Page
from lti_tool.sandbox.school import Activity, Course, School
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.tokens import require_token
from lti_tool.sandbox.tools import Tool


def add_routes(app: Flask, school: School) -> None:
    app.add_url_rule(
        school.personality.paths.members, "members", list_members, methods=["GET", "POST", "PUT", "DELETE"]
    )


def list_members(course: str, tool: str = "") -> Response:
    """The course's members: all, or `limit` from number `from` on; `role` filters, `rlid` adds one link's view."""
    require_media_type(v.MEDIA_MEMBERS)
    require_method("GET")
    caller = require_token(v.SCOPE_MEMBERS_READ)
    school = the_school()
    with school.lock:
        where = school.courses.get(course)
        if where is None:
            raise ServiceRefusal(404, f"Not Found: Course {course} doesn't exist")
        if tool not in ("", caller.deployment_id):
            raise ServiceRefusal(403, "The access token belongs to another tool")
        activity = _activity(where, caller)
        return _answer(caller, where, activity)


def _activity(course: Course, caller: Tool) -> Activity | None:
    link_id = request.args.get("rlid", "")
    if not link_id:
        return None
    activity = the_school().activities.get(link_id)
    if activity is None or activity.course_id != course.id:
        raise ServiceRefusal(404, f"Not Found: Resource link {link_id} doesn't exist in this course")
    if activity.deployment_id != caller.deployment_id:
        raise ServiceRefusal(403, "The resource link belongs to another tool")
    return activity


def _answer(caller: Tool, course: Course, activity: Activity | None) -> Response:
    school = the_school()
    role = request.args.get("role", "")
    members = [one for one in school.members_of(course) if _has_role(one, role)]
    page = requested_page(len(members), school.personality.quirks.members_on_a_page)
    chosen = members[page.start : page.start + page.limit] if page.limit else members
    address = school.url(request.path)
    body = {
        "id": address,
        "context": {"id": course.id, "label": course.short_name, "title": course.title},
        "members": [
            school.personality.member(Launching(school, person, role_there, course, caller, activity, ""))
            for person, role_there in chosen
        ],
    }
    response = Response(json.dumps(body, ensure_ascii=False))
    response.headers["Content-Type"] = f"{v.MEDIA_MEMBERS}; charset=utf-8"
    if page.has_next:
        url = school.personality.next_members_url(address, page, activity, role)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response


def _has_role(member: tuple[Person, CourseRole], wanted: str) -> bool:
    """Whether a member passes the filter: short and full names of Instructor and Learner count, others let all pass."""
    name = wanted if "://" in wanted else v.ROLE_CONTEXT + wanted
    is_instructor = member[1].may_edit
    if name == v.ROLE_CONTEXT + "Instructor":
        return is_instructor
    if name == v.ROLE_CONTEXT + "Learner":
        return not is_instructor
    return True


def require_media_type(*accepted: str) -> None:
    """Check what a GET accepts, or what another request sends. Raises `ServiceRefusal` (400)."""
    if request.method == "DELETE":
        return
    if request.method != "GET":
        if request.mimetype not in accepted:
            raise ServiceRefusal(400, f"Content-Type must be {' or '.join(accepted)}")
        return
    wanted = request.headers.get("Accept", "")
    named = {part.partition(";")[0].strip() for part in wanted.split(",")}
    if wanted and "*/*" not in named and not named & set(accepted):
        raise ServiceRefusal(400, f"Accept must allow {' or '.join(accepted)}")


def require_method(*allowed: str) -> None:
    """Raises `ServiceRefusal` (405) for any other method."""
    if request.method not in allowed:
        raise ServiceRefusal(405, f"This address answers {' and '.join(allowed)} only")


def requested_page(total: int, longest: int = 0) -> Page:
    """The part of a list that `limit` and `from` ask for; without a sensible limit, all of it or the `longest` page."""
    limit, start = _whole(request.args.get("limit")), _whole(request.args.get("from"))
    if longest:
        limit = min(limit or longest, longest)
    return Page(limit, start, total) if limit else Page(0, 0, total)


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
