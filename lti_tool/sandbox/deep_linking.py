"""The way back from a content selection: a tool's signed answer becomes activities (Deep Linking 2.0, 4.5)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, render_template, request

from lti_tool.sandbox import vocabulary as v
from lti_tool.sandbox.errors import PageRefusal
from lti_tool.sandbox.school import Activity, Course, School, Window
from lti_tool.sandbox.session import current_person, require_editor, session_key
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.tool_keys import BadToken, verify
from lti_tool.sandbox.tools import Tool, domain_of, is_web_address


def add_routes(app: Flask, school: School) -> None:
    rule = school.personality.paths.deep_linking_return
    app.add_url_rule(rule, "deep_linking_return", take_content, methods=["POST"])


def take_content() -> str:
    """The tool's answer, posted by the trainer's browser as `JWT`: creates its activities and says so on a page."""
    if current_person() is None and "repost" not in request.form:
        # As with a launch: the cookie is missing because the form came from another site, so send it again from here.
        fields = {**request.form.to_dict(), "repost": "1"}
        address = request.full_path
        return render_template("posting.html", address=address, fields=fields, title="One moment")
    _person, course, _role = require_editor(request.args.get("course", ""))
    school = the_school()
    tool = school.tools.get(request.args.get("id", ""))
    if tool is None or request.args.get("sesskey") != session_key():
        raise _refusal("the address does not belong to this session")
    claims = _checked_answer(tool)
    items = [_checked_item(item, tool) for item in claims.get(v.CLAIM_CONTENT_ITEMS, [])]
    if len(items) > 1 and not school.personality.quirks.takes_several_items:
        raise _refusal("there are several content items, and the request said accept_multiple: false")
    with school.lock:
        added = [_add(item, course, tool) for item in items]
    return render_template(
        "content_added.html",
        course=course,
        added=added,
        message=claims.get(v.CLAIM_DEEP_LINKING_MESSAGE),
        problem=claims.get(v.CLAIM_DEEP_LINKING_ERROR),
    )


def _refusal(why: str) -> PageRefusal:
    advice = f"The tool’s answer was refused: {why}. Nothing was added to the course."
    return PageRefusal(400, "The content could not be added", advice)


def _checked_answer(tool: Tool) -> dict[str, Any]:
    token = request.form.get("JWT", "")
    if not token:
        raise _refusal("there is no parameter JWT")
    school = the_school()
    try:
        claims = verify(school, tool, token, audiences={school.issuer}, once="nonce")
    except BadToken as problem:
        raise _refusal(str(problem)) from problem
    expected = {
        v.CLAIM_MESSAGE_TYPE: v.DEEP_LINKING_RESPONSE,
        v.CLAIM_VERSION: "1.3.0",
        v.CLAIM_DEPLOYMENT_ID: tool.deployment_id,
    }
    for claim, value in expected.items():
        if claims.get(claim) != value:
            raise _refusal(f"the claim {claim} must be {value!r}, not {claims.get(claim)!r}")
    data = school.personality.deep_linking_data(session_key())
    if data is None and v.CLAIM_DEEP_LINKING_DATA in claims:
        raise _refusal("it carries data, but the request had none to send back")
    if data is not None and claims.get(v.CLAIM_DEEP_LINKING_DATA) != data:
        raise _refusal("its data is not that of the request")
    if not isinstance(claims.get(v.CLAIM_CONTENT_ITEMS, []), list):
        raise _refusal("content_items must be a list")
    return claims


def _checked_item(item: Any, tool: Tool) -> dict[str, Any]:
    if not isinstance(item, dict) or item.get("type") != "ltiResourceLink":
        raise _refusal("each content item must be of type ltiResourceLink")
    url = item.get("url")
    if url is not None and (not is_web_address(url) or domain_of(url) != tool.domain):
        raise _refusal(f"the url {url!r} of a content item is not on the tool’s domain {tool.domain!r}")
    if url is not None and urlsplit(url).query and not the_school().personality.quirks.takes_query_in_links:
        raise _refusal(f"the url {url!r} of a content item has a query, which this LMS does not take")
    for name in ("title", "text"):
        if not isinstance(item.get(name, ""), str):
            raise _refusal(f"the {name} of a content item must be a string")
    custom = item.get("custom", {})
    if not isinstance(custom, dict) or not all(isinstance(value, str) for value in custom.values()):
        raise _refusal("custom of a content item must be an object of strings")
    line_item = item.get("lineItem")
    if line_item is not None and not (isinstance(line_item, dict) and _is_positive(line_item.get("scoreMaximum"))):
        raise _refusal("lineItem of a content item needs a positive scoreMaximum")
    for name in ("available", "submission"):
        _check_window(name, item.get(name, {}))
    return item


def _check_window(name: str, window: Any) -> None:
    moments = []
    for edge in ("startDateTime", "endDateTime"):
        if not isinstance(window, dict) or not isinstance(window.get(edge, ""), str):
            raise _refusal(f"{name} of a content item must be an object with startDateTime or endDateTime")
        if window.get(edge):
            moments.append(_moment(f"{edge} of {name}", window[edge]))
    if len(moments) == 2 and moments[0] > moments[1]:
        raise _refusal(f"{name} of a content item ends before it starts")


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise _refusal(f"the {name} is not ISO 8601") from problem
    if moment.tzinfo is None:
        raise _refusal(f"the {name} has no time zone")
    return moment


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1e9


def _add(item: Mapping[str, Any], course: Course, tool: Tool) -> Activity:
    line_item = item.get("lineItem")
    column = line_item or {}
    return the_school().add_activity(
        course,
        tool,
        item.get("title") or tool.name,
        url=item.get("url"),
        description=item.get("text", ""),
        opens_in="window" if "window" in item and "iframe" not in item else "iframe",
        custom=item.get("custom", {}),
        gradable=line_item is not None,
        maximum=column.get("scoreMaximum", 100),
        resource_id=str(column.get("resourceId", "")),
        tag=str(column.get("tag", "")),
        available=_window(item.get("available", {})),
        submission=_window(item.get("submission", {})),
    )


def _window(given: Mapping[str, str]) -> Window:
    return Window(given.get("startDateTime", ""), given.get("endDateTime", ""))
