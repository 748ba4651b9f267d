"""The scripting interface for tests and demonstrations: JSON in, JSON out, under `/sandbox/`.

It asks for no login: whoever reaches the sandbox may do everything with it. A body must be sent as application/json,
which a page of another site cannot do unasked.
"""

import secrets
from dataclasses import asdict
from typing import Any

import requests
from flask import Blueprint, Response, jsonify, request

from lti_tool.sandbox import faults
from lti_tool.sandbox.errors import ScriptRefusal
from lti_tool.sandbox.people import CourseRole, Person
from lti_tool.sandbox.registration import registration_url, tool_by_hand
from lti_tool.sandbox.school import Activity, Course
from lti_tool.sandbox.session import log_in, log_out
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.tools import Tool, is_web_address
from lti_tool.sandbox.webservice_functions import FUNCTIONS

blueprint = Blueprint("scripting", __name__, url_prefix="/sandbox")
TOOL_TIMEOUT_S = 30


@blueprint.post("/tools")
def add_tool() -> tuple[Response, int]:
    """Register a tool and activate it: `{"url": …}` dynamically, or by hand with name, login_url, redirect_uris,
    jwks_url, target_link_uri and, if there are any, deep_linking_url and custom (names to values).
    `"platform_storage": true` and `"activate": false` may be added. Answers 201 with client_id and deployment_id; 502
    if the tool did not register itself.
    """
    body = _body()
    tool = _register(body["url"]) if "url" in body else _by_hand(body)
    with the_school().lock:
        tool.is_active = bool(body.get("activate", True))
        tool.platform_storage = bool(body.get("platform_storage", False))
    return jsonify(_tool_json(tool)), 201


@blueprint.get("/tools")
def list_tools() -> Response:
    return jsonify([_tool_json(tool) for tool in the_school().tools.values()])


@blueprint.get("/platform")
def describe_platform() -> Response:
    """What a tool that is added by hand has to know of this LMS, as its administration page shows it.

    `registers_tools`: whether a tool may register itself, and can believe the LMS: one that signs under a name for all
    schools describes itself at the address of that name only, and not here.
    """
    school = the_school()
    paths, quirks = school.personality.paths, school.personality.quirks
    return jsonify(
        product=school.personality.product,
        family=school.personality.family_code,
        issuer=school.issuer,
        authorization_url=school.url(paths.authorization),
        token_url=school.url(paths.tokens),
        jwks_url=school.url(paths.jwks),
        token_audience=quirks.token_audience or "",
        registers_tools=paths.registration is not None and quirks.issuer is None,
    )


@blueprint.post("/activities")
def add_activity() -> tuple[Response, int]:
    """Place an activity: course, title, tool (client_id), and optionally custom, target ("iframe", "window"),
    gradable, maximum, url. Answers 201 with id, cmid, the course's id, and the
    addresses of its page and its bare launch.
    """
    body = _body()
    course, tool = _course(body.get("course")), _tool(body.get("tool", body.get("client_id")))
    title = body.get("title")
    if not isinstance(title, str) or not title:
        raise ScriptRefusal("title is missing.")
    target = body.get("target", "iframe")
    if target not in ("iframe", "window"):
        raise ScriptRefusal(f'target must be "iframe" or "window", not {target!r}.')
    custom = _custom(body)
    url = body.get("url")
    if url is not None and not is_web_address(url):
        raise ScriptRefusal(f"url must be a full web address, not {url!r}.")
    school = the_school()
    with school.lock:
        activity = school.add_activity(
            course,
            tool,
            title,
            url=url,
            opens_in=target,
            custom=custom,
            gradable=bool(body.get("gradable", False)),
            maximum=float(body.get("maximum", 100)),
        )
    return jsonify(id=activity.id, cmid=activity.module_id, course=course.id, **_addresses(activity)), 201


@blueprint.get("/activities")
def list_activities() -> Response:
    """What is placed in `?course=`, as a tool asked for it or a trainer made it."""
    school = the_school()
    course = _course(request.args.get("course", "CPC26"))
    with school.lock:
        placed = [
            {
                "id": activity.id,
                "title": activity.title,
                "url": activity.url,
                "custom": activity.custom,
                "available": asdict(activity.available),
                "submission": asdict(activity.submission),
                **_addresses(activity),
            }
            for activity in school.activities_of(course)
        ]
    return jsonify(placed)


@blueprint.post("/people")
def add_people() -> tuple[Response, int]:
    """Enrol new people: `{"count": N}` with generated names, or one with given and family. `role` (default "student")
    and `course` (default the main one) may be added. Answers 201 with their ids.
    """
    body = _body()
    course = _course(body.get("course", "CPC26"))
    role = _role(body.get("role", "student"))
    count = body.get("count", 1)
    if not isinstance(count, int) or not 0 <= count <= 100_000:
        raise ScriptRefusal("count must be a whole number up to 100000.")
    school = the_school()
    with school.lock:
        if "given" in body and "family" in body:
            added = [school.add_person(str(body["given"]), str(body["family"]))]
            course.members[added[0].id] = role
        else:
            added = school.add_people(course, count, role)
    return jsonify(ids=[person.id for person in added], usernames=[person.username for person in added]), 201


@blueprint.get("/people")
def list_people() -> Response:
    """Everyone with an account, with their role in the main course or in the one that `?course=` names."""
    course = _course(request.args.get("course", "CPC26"))
    return jsonify([_person_json(person, course) for person in the_school().people.values()])


@blueprint.post("/enrolments")
def enrol() -> Response:
    """Change what a person is in a course: user, course (default the main one) and role, null to leave it."""
    body = _body()
    course, person = _course(body.get("course", "CPC26")), _person(body.get("user"))
    school = the_school()
    with school.lock:
        if body.get("role") is None:
            course.members.pop(person.id, None)
        else:
            course.members[person.id] = _role(body["role"])
    return jsonify(_person_json(person, course))


@blueprint.post("/login")
def login() -> Response:
    """Log the calling browser in as `user` (id or username), or out with null."""
    body = _body()
    if body.get("user") is None:
        log_out()
        return jsonify(id=None)
    person = _person(body["user"])
    log_in(person)
    return jsonify(id=person.id, username=person.username, name=person.name)


@blueprint.get("/columns")
def list_columns() -> Response:
    """The columns of the gradebook of `?course=`, with a grade in them or not; `activity` is null for one that belongs
    to no activity."""
    school = the_school()
    course = _course(request.args.get("course", "CPC26"))
    with school.lock:
        columns = [
            {
                "line_item": item.id,
                "label": item.label,
                "maximum": item.maximum,
                "activity": item.activity_id,
                "resource_id": item.resource_id,
                "tag": item.tag,
            }
            for item in school.line_items_of(course)
        ]
    return jsonify(columns)


@blueprint.get("/grades")
def list_grades() -> Response:
    """What the gradebook of `?course=` holds: one entry for each line item and person with a grade."""
    school = the_school()
    course = _course(request.args.get("course", "CPC26"))
    with school.lock:
        items = {item.id: item for item in school.line_items_of(course)}
        entries = [
            {
                "line_item": item_id,
                "label": items[item_id].label,
                "user": person_id,
                "score": grade.score,
                "maximum": items[item_id].maximum,
                "feedback": grade.feedback,
                "modified": grade.modified,
            }
            for (item_id, person_id), grade in school.grades.items()
            if item_id in items
        ]
    return jsonify(entries)


@blueprint.get("/web-services")
def show_web_services() -> Response:
    """The address and the token of the web services, the functions of the service, and how often each was called."""
    school = the_school()
    with school.lock:
        services, path = school.web_services, school.personality.paths.web_services
        return jsonify(
            url=school.base_url if path else None,
            token=services.token if path else None,
            functions=services.functions,
            calls=dict(services.calls),
        )


@blueprint.post("/web-services")
def change_web_services() -> Response:
    """Change them: `functions` that the service is to have, `new_token` (true), `forget_calls` (true)."""
    body, school = _body(), the_school()
    functions = body.get("functions")
    if functions is not None and not (isinstance(functions, list) and all(each in FUNCTIONS for each in functions)):
        raise ScriptRefusal("functions must be a list of functions that the sandbox knows.")
    with school.lock:
        if functions is not None:
            school.web_services.functions = functions
        if body.get("new_token"):
            school.web_services.token = secrets.token_hex(16)
        if body.get("forget_calls"):
            school.web_services.calls.clear()
    return show_web_services()


@blueprint.get("/groups")
def list_groups() -> Response:
    """Groups and groupings of `?course=`, as web services and people made them."""
    school, course = the_school(), _course(request.args.get("course", "CPC26"))
    with school.lock:
        return jsonify(
            groups=[
                {"id": each.id, "name": each.name, "idnumber": each.id_number, "members": sorted(each.members, key=int)}
                for each in course.groups
            ],
            groupings=[
                {"id": each.id, "name": each.name, "idnumber": each.id_number, "groups": sorted(each.groups, key=int)}
                for each in course.groupings
            ],
        )


@blueprint.get("/events")
def list_events() -> Response:
    """The whole calendar."""
    school = the_school()
    with school.lock:
        return jsonify([asdict(event) for event in school.events.values()])


@blueprint.get("/messages")
def list_messages() -> Response:
    """All messages that web services sent, oldest first."""
    school = the_school()
    with school.lock:
        return jsonify([asdict(message) for message in school.messages])


@blueprint.get("/faults")
def show_faults() -> Response:
    return jsonify(the_school().faults.as_json())


@blueprint.post("/faults")
def set_faults() -> Response:
    """Put the faults of the body in force (see `faults.change`); answers what is in force now."""
    faults.change(_body())
    return jsonify(the_school().faults.as_json())


@blueprint.delete("/faults")
def clear_faults() -> Response:
    faults.clear()
    return jsonify(the_school().faults.as_json())


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ScriptRefusal("Send a JSON object as application/json.")
    return body


def _register(tool_url: object) -> Tool:
    if not isinstance(tool_url, str) or not is_web_address(tool_url):
        raise ScriptRefusal(f"url must be a full web address, not {tool_url!r}.")
    school = the_school()
    try:
        address, client_id = registration_url(tool_url)
    except ValueError as problem:
        raise ScriptRefusal(str(problem)) from problem
    # No lock is held here: the tool calls back while it answers.
    try:
        answer = school.http.get(address, timeout=TOOL_TIMEOUT_S, headers={"Accept": "text/html"})
    except requests.RequestException as problem:
        raise ScriptRefusal(f"The tool could not be reached: {problem}", 502) from problem
    tool = school.tool_by_client(client_id)
    if tool is None:
        excerpt = " ".join(answer.text.split())[:500]
        raise ScriptRefusal(f"The tool answered {answer.status_code} without registering itself: {excerpt}", 502)
    return tool


def _by_hand(body: dict[str, Any]) -> Tool:
    required = ("name", "login_url", "jwks_url", "target_link_uri")
    for name in required:
        if not isinstance(body.get(name), str):
            raise ScriptRefusal(f"Give the tool's registration url, or all of {', '.join(required)} and redirect_uris.")
    redirect_uris = body.get("redirect_uris")
    if not isinstance(redirect_uris, list):
        raise ScriptRefusal("redirect_uris must be a list.")
    try:
        return tool_by_hand(
            body["name"],
            body["login_url"],
            redirect_uris,
            body["jwks_url"],
            body["target_link_uri"],
            str(body.get("deep_linking_url") or ""),
            _custom(body),
        )
    except ValueError as problem:
        raise ScriptRefusal(str(problem)) from problem


def _addresses(activity: Activity) -> dict[str, str]:
    """Of an activity's page, and of its bare launch."""
    school = the_school()
    page = f"/course/{activity.course_id}/activity/{activity.id}"
    launch = f"{school.personality.paths.launch}?id={activity.module_id}"
    return {"page": school.url(page), "launch": school.url(launch)}


def _custom(body: dict[str, Any]) -> dict[str, str]:
    custom = body.get("custom") or {}
    if not isinstance(custom, dict) or not all(isinstance(value, str) for value in custom.values()):
        raise ScriptRefusal("custom must be an object of strings.")
    return custom


def _tool_json(tool: Tool) -> dict[str, Any]:
    return {
        "client_id": tool.client_id,
        "deployment_id": tool.deployment_id,
        "name": tool.name,
        "active": tool.is_active,
        "platform_storage": tool.platform_storage,
        "scopes": list(tool.scopes),
    }


def _person_json(person: Person, course: Course) -> dict[str, Any]:
    return {
        "id": person.id,
        "username": person.username,
        "name": person.name,
        "job": person.job,
        "role": course.members.get(person.id),
        "admin": person.is_admin,
    }


def _course(name: object) -> Course:
    course = the_school().course(str(name))
    if course is None:
        raise ScriptRefusal(f"There is no course {name!r}.", 404)
    return course


def _tool(client_id: object) -> Tool:
    tool = the_school().tool_by_client(str(client_id))
    if tool is None:
        raise ScriptRefusal(f"There is no tool with the client_id {client_id!r}.", 404)
    return tool


def _person(name: object) -> Person:
    person = the_school().person(str(name))
    if person is None:
        raise ScriptRefusal(f"There is no person {name!r}.", 404)
    return person


def _role(name: object) -> CourseRole:
    try:
        return CourseRole(str(name))
    except ValueError as problem:
        roles = ", ".join(role.value for role in CourseRole)
        raise ScriptRefusal(f"role must be one of {roles}, not {name!r}.") from problem
