"""Assignment and Grade Services 2.0: the columns of the gradebook, scores into them, results out of them."""

import json
from datetime import datetime
from typing import Any, TypeGuard

from flask import Flask, Response, request

from lti_tool.sandbox import vocabulary as v
from lti_tool.sandbox.errors import ServiceRefusal
from lti_tool.sandbox.personalities import Page
from lti_tool.sandbox.school import Course, Grade, LineItem, School
from lti_tool.sandbox.services_nrps import requested_page, require_media_type, require_method
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.tokens import require_token
from lti_tool.sandbox.tools import Tool

ALL_METHODS = ["GET", "POST", "PUT", "DELETE"]


def add_routes(app: Flask, school: School) -> None:
    paths = school.personality.paths
    app.add_url_rule(paths.line_items, "line_items", line_items, methods=ALL_METHODS)
    app.add_url_rule(paths.line_item, "line_item", line_item, methods=ALL_METHODS)
    app.add_url_rule(paths.scores, "scores", take_score, methods=ALL_METHODS)
    app.add_url_rule(paths.results, "results", list_results, methods=ALL_METHODS)
    app.add_url_rule(paths.services + "/<path:_rest>", "no_service", no_such_service, methods=ALL_METHODS)


def line_items(course: str, tool: str = "") -> Response:
    """List the caller's line items (filters `resource_link_id`, `resource_id`, `tag`; pages), or create one."""
    require_media_type(v.MEDIA_LINE_ITEMS if request.method == "GET" else v.MEDIA_LINE_ITEM)
    require_method("GET", "POST")
    caller = require_token(*_line_item_scopes())
    school = the_school()
    with school.lock:
        where = _course(course, caller, tool)
        return _create(where, caller) if request.method == "POST" else _list(where, caller)


def line_item(course: str, item: str, tool: str = "") -> Response:
    """Read, change (whole, by PUT) or delete one line item."""
    require_media_type(v.MEDIA_LINE_ITEM)
    require_method("GET", "PUT", "DELETE")
    caller = require_token(*_line_item_scopes())
    school = the_school()
    with school.lock:
        found = _item(_course(course, caller, tool), item, caller)
        if request.method == "DELETE":
            return _delete(found)
        if request.method == "PUT":
            return _change(found, caller)
        return _json(json.dumps(school.personality.line_item_body(school, found)), v.MEDIA_LINE_ITEM)


def take_score(course: str, item: str, tool: str = "") -> Response:
    """One score for one person (AGS 2.0, 3.4): 200 and an empty body, or a refusal whose status line says why."""
    require_media_type(v.MEDIA_SCORE)
    require_method("POST")
    caller = require_token(v.SCOPE_SCORE)
    school = the_school()
    with school.lock:
        where = _course(course, caller, tool)
        found = _item(where, item, caller)
        try:
            person_id = _grade(where, found, request.get_json(force=True, silent=True))
        except _ScoreRefused as refused:
            status, reason = refused.args
            return school.personality.score_refusal(status, reason)
    return _json(school.personality.score_answer(school, found, person_id), v.MEDIA_SCORE)


def list_results(course: str, item: str, tool: str = "") -> Response:
    """What the gradebook shows for a line item; `user_id` for one person only."""
    require_media_type(v.MEDIA_RESULTS)
    require_method("GET")
    caller = require_token(v.SCOPE_RESULT_READ)
    school = the_school()
    with school.lock:
        found = _item(_course(course, caller, tool), item, caller)
        wanted = request.args.get("user_id", "")
        grades = [
            (person_id, grade)
            for (item_id, person_id), grade in school.grades.items()
            if item_id == found.id and wanted in ("", person_id)
        ]
        page = requested_page(len(grades))
        chosen = _on_page(grades, page)
        bodies = [school.personality.result_body(school, found, person_id, grade) for person_id, grade in chosen]
        return _paged(bodies, page, caller, v.MEDIA_RESULTS)


def no_such_service(_rest: str) -> Response:
    raise ServiceRefusal(400, "There is no service at this address")


def _line_item_scopes() -> tuple[str, ...]:
    return (v.SCOPE_LINE_ITEM, v.SCOPE_LINE_ITEM_READ) if request.method == "GET" else (v.SCOPE_LINE_ITEM,)


def _course(course_id: str, caller: Tool, tool: str) -> Course:
    if tool not in ("", caller.deployment_id):
        raise ServiceRefusal(403, "The access token belongs to another tool than the address names")
    named_tool = request.args.get("type_id")
    if named_tool is not None and named_tool != caller.deployment_id:
        raise ServiceRefusal(401, "The access token belongs to another tool than type_id names")
    course = the_school().courses.get(course_id)
    if course is None:
        raise ServiceRefusal(404, f"Not Found: Course {course_id} doesn't exist")
    return course


def _item(course: Course, item_id: str, caller: Tool) -> LineItem:
    item = the_school().line_items.get(item_id)
    if item is None or item.course_id != course.id:
        raise ServiceRefusal(404, f"Not Found: Grade item {item_id} doesn't exist")
    if item.deployment_id != caller.deployment_id:
        raise ServiceRefusal(403, "The line item belongs to another tool")
    return item


def _list(course: Course, caller: Tool) -> Response:
    school = the_school()
    filters = {"resource_link_id": "activity_id", "resource_id": "resource_id", "tag": "tag"}
    items = [item for item in school.line_items_of(course) if item.deployment_id == caller.deployment_id]
    for name, attribute in filters.items():
        if name in request.args:
            items = [item for item in items if getattr(item, attribute) == request.args[name]]
    page = requested_page(len(items))
    bodies = [school.personality.line_item_body(school, item) for item in _on_page(items, page)]
    return _paged(bodies, page, caller, v.MEDIA_LINE_ITEMS)


def _on_page(entries: list[Any], page: Page) -> list[Any]:
    return entries[page.start : page.start + page.limit] if page.limit else entries


def _paged(bodies: list[dict[str, Any]], page: Page, caller: Tool, media_type: str) -> Response:
    school = the_school()
    response = _json(school.personality.list_json(bodies), media_type)
    if page.limit:
        address = school.url(request.path + school.personality.service_query(caller))
        # Headers travel as bytes: what is not ASCII here goes out in UTF-8, as the LMS's own source is written.
        links = school.personality.grade_page_links(address, page).encode().decode("latin-1")
        response.headers["Link"] = links
    return response


def _create(course: Course, caller: Tool) -> Response:
    school = the_school()
    wanted = _checked_line_item(course, caller)
    item = school.add_line_item(
        course,
        caller,
        wanted["label"],
        wanted["scoreMaximum"],
        activity_id=wanted.get("resourceLinkId"),
        resource_id=wanted.get("resourceId", ""),
        tag=wanted.get("tag", ""),
        is_declared=True,
    )
    body = {**wanted, "id": school.personality.line_item_body(school, item)["id"]}
    return _json(_sent_back(body), v.MEDIA_LINE_ITEM, 201)


def _change(item: LineItem, caller: Tool) -> Response:
    school = the_school()
    wanted = _checked_line_item(school.courses[item.course_id], caller)
    maximum = float(wanted["scoreMaximum"])
    if maximum != item.maximum:
        _rescale(item, maximum / item.maximum)
    item.label, item.maximum = wanted["label"], maximum
    item.resource_id, item.tag = wanted.get("resourceId", ""), wanted.get("tag", "")
    if "resourceLinkId" in wanted:
        item.activity_id = wanted["resourceLinkId"]
    body = {**wanted, "id": school.personality.line_item_body(school, item)["id"]}
    return _json(_sent_back(body), v.MEDIA_LINE_ITEM)


def _sent_back(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))


def _rescale(item: LineItem, factor: float) -> None:
    grades = the_school().grades
    for key, grade in grades.items():
        if key[0] == item.id and grade.score is not None:
            grades[key] = Grade(grade.score * factor, grade.feedback, grade.modified)


def _delete(item: LineItem) -> Response:
    """Only what the tool declared: a column that came with an activity goes with its activity."""
    if not item.is_declared:
        raise ServiceRefusal(403, "This line item belongs to an activity of the course")
    the_school().remove_line_item(item.id)
    return Response(status=204)


def _checked_line_item(course: Course, caller: Tool) -> dict[str, Any]:
    wanted = request.get_json(force=True, silent=True)
    if not isinstance(wanted, dict) or not wanted.get("label") or "scoreMaximum" not in wanted:
        raise ServiceRefusal(400, "No label or Score Maximum")
    if not isinstance(wanted["label"], str):
        raise ServiceRefusal(400, "label must be a string")
    if not _is_number(wanted["scoreMaximum"]) or wanted["scoreMaximum"] <= 0:
        raise ServiceRefusal(400, "scoreMaximum must be a positive number")
    for name in ("resourceId", "tag", "resourceLinkId"):
        if not isinstance(wanted.get(name, ""), str):
            raise ServiceRefusal(400, f"{name} must be a string")
    if "resourceLinkId" in wanted:
        activity = the_school().activities.get(wanted["resourceLinkId"])
        if activity is None or activity.course_id != course.id or activity.deployment_id != caller.deployment_id:
            raise ServiceRefusal(403, "resourceLinkId is no link of this tool in this course")
    return wanted


class _ScoreRefused(Exception):
    """A score that is not taken: status and reason."""


def _grade(course: Course, item: LineItem, score: Any) -> str:
    """Put `score` into the gradebook as the LMS does, which is not always what the sender meant; the person's id.

    Anything but FullyGraded clears the grade that was there, and a score without a comment clears the feedback.
    """
    school = the_school()
    person_id, sent = _checked_score(course, score)
    before = school.grades.get((item.id, person_id))
    quirks = school.personality.quirks
    earliest = sent if quirks.takes_score_of_same_second else sent - 1
    if before and before.modified > earliest:
        reason = f"Refusing score with an earlier timestamp for item {item.id} and user {person_id}"
        raise _ScoreRefused(quirks.old_score_status, reason)
    given = score.get("scoreGiven") if score["gradingProgress"] == "FullyGraded" else None
    points = None if given is None else given * item.maximum / (score.get("scoreMaximum") or item.maximum)
    # The LMS dates a cleared grade by its own clock: a score sent from a slow clock comes too late after that.
    modified = int(school.now()) if points is None else sent
    school.grades[item.id, person_id] = Grade(points, score.get("comment") or None, modified)
    return person_id


def _checked_score(course: Course, score: Any) -> tuple[str, int]:
    """The person's id and the second the score was made. Raises `_ScoreRefused` (400) saying what is wrong."""
    if not isinstance(score, dict):
        raise _ScoreRefused(400, "Incorrect score received: not a JSON object")
    for name in ("userId", "timestamp", "activityProgress", "gradingProgress"):
        if not isinstance(score.get(name), str):
            raise _ScoreRefused(400, f"Incorrect score received: {name} is missing or no string")
    if score["activityProgress"] not in v.ACTIVITY_PROGRESS:
        raise _ScoreRefused(400, "Incorrect score received: unknown activityProgress")
    if score["gradingProgress"] not in v.GRADING_PROGRESS:
        raise _ScoreRefused(400, "Incorrect score received: unknown gradingProgress")
    _check_points(score)
    if not isinstance(score.get("comment") or "", str):
        raise _ScoreRefused(400, "Incorrect score received: comment must be a string")
    role = course.members.get(score["userId"])
    if role is None or not role.is_gradable:
        status = the_school().personality.quirks.not_gradable_status
        raise _ScoreRefused(status, "Incorrect score received: no such user, or not gradable in this course")
    return score["userId"], _seconds(score["timestamp"])


def _check_points(score: dict[str, Any]) -> None:
    given, maximum = score.get("scoreGiven"), score.get("scoreMaximum")
    if given is None:
        return
    if not _is_number(given) or given < 0:
        raise _ScoreRefused(400, "Incorrect score received: scoreGiven must be a number, 0 or more")
    if not _is_number(maximum) or maximum <= 0:
        raise _ScoreRefused(400, "Incorrect score received: scoreGiven needs a positive scoreMaximum")


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -1e9 <= value <= 1e9


def _seconds(timestamp: str) -> int:
    """The whole second of an ISO 8601 time with a time zone (AGS 2.0, 3.4.7)."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError as problem:
        raise _ScoreRefused(400, "Incorrect score received: timestamp is not ISO 8601") from problem
    if moment.tzinfo is None:
        raise _ScoreRefused(400, "Incorrect score received: timestamp has no time zone")
    return int(moment.timestamp())


def _json(body: str, media_type: str, status: int = 200) -> Response:
    response = Response(body, status)
    response.headers["Content-Type"] = f"{media_type}; charset=utf-8"
    return response
