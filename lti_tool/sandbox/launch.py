"""A launch: the click in the course, the login initiation, and the answer to the tool's authentication request.

Security Framework 1.0, 5.1.1 (OpenID Connect Launch Flow): the LMS tells the tool who is about to come (login
initiation), the tool sends the browser back with `state` and `nonce`, and the LMS posts the signed message.
"""

from flask import Flask, render_template, request

from lti_tool.sandbox.claims import id_token_claims
from lti_tool.sandbox.errors import PageRefusal
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.personalities import Launching
from lti_tool.sandbox.school import Activity, Course, PendingLaunch, School
from lti_tool.sandbox.session import current_person, require_editor, require_member, session_key
from lti_tool.sandbox.state import the_school
from lti_tool.sandbox.tools import Tool


def add_routes(app: Flask, school: School) -> None:
    paths = school.personality.paths
    app.add_url_rule(paths.launch, "launch", start_launch)
    app.add_url_rule(paths.deep_linking, "deep_linking", start_content_selection)
    app.add_url_rule(paths.authorization, "authorization", answer_authentication, methods=["GET", "POST"])


def start_launch() -> str:
    """`?id=` names the activity's module: a form that posts the login initiation to the tool."""
    school = the_school()
    activity = school.activity_by_module(request.args.get("id", ""))
    if activity is None:
        raise PageRefusal(404, "There is no such activity", "It may have been deleted. Go back to the course.")
    person, course, _role = require_member(activity.course_id)
    return _login_initiation(person, course, school.tools[activity.deployment_id], activity)


def start_content_selection() -> str:
    """`?course=` and `?id=` (the tool): the login initiation of a deep linking request."""
    school = the_school()
    person, course, _role = require_editor(request.args.get("course", ""))
    tool = school.tools.get(request.args.get("id", ""))
    if tool is None or tool.deep_linking_url is None:
        raise PageRefusal(404, "This tool has no content selection", "Add the activity by its title instead.")
    return _login_initiation(person, course, tool, None)


def _login_initiation(person: Person, course: Course, tool: Tool, activity: Activity | None) -> str:
    if not tool.is_active:
        advice = "The site administrator has to activate it first, under Site administration, Tools."
        raise PageRefusal(403, f"The tool “{tool.name}” is pending", advice)
    school = the_school()
    key, message_hint = school.personality.message_hint(activity)
    with school.lock:
        activity_id = activity.id if activity else None
        school.pending_launches[key] = PendingLaunch(person.id, tool.deployment_id, course.id, activity_id)
    target = activity.url if activity else tool.deep_linking_url or tool.target_link_uri
    fields = {
        "iss": school.issuer,
        "target_link_uri": target,
        "login_hint": person.id,
        "lti_message_hint": message_hint,
        "client_id": tool.client_id,
        "lti_deployment_id": tool.deployment_id,
    }
    if platform_storage_is_offered(tool):
        fields["lti_storage_target"] = storage_frame()
    method = school.personality.quirks.login_method
    return _posting_page(tool.login_url, fields, f"Opening {tool.name}", method)


def platform_storage_is_offered(tool: Tool) -> bool:
    """Whether the LMS's pages keep small values for the tool (LTI Client Side postMessages 0.1)."""
    school = the_school()
    always = school.personality.quirks.storage_target is not None
    return always or tool.platform_storage or school.faults.platform_storage


def storage_frame() -> str:
    """Which frame keeps the values where platform storage is offered: `_parent`, or the name of a frame beside."""
    return the_school().personality.quirks.storage_target or "_parent"


def answer_authentication() -> str:
    """The tool's authentication request: a form that posts the id_token, or the error, to the tool.

    Nothing is posted to an address that is not registered for the `client_id`: then the person gets a page with 400.
    """
    asked = request.values
    if current_person() is None and "repost" not in asked:
        return _repost_page()
    school = the_school()
    tool = school.tool_by_client(asked.get("client_id", ""))
    redirect_uri = asked.get("redirect_uri", "")
    if tool is None:
        raise PageRefusal(400, "Invalid request", "The client_id of the tool’s request is not registered here.")
    if redirect_uri not in tool.redirect_uris:
        advice = f"The redirect_uri of the tool’s request, {redirect_uri!r}, is not one of its registration."
        raise PageRefusal(400, "Invalid request", advice)
    with school.lock:
        answer = _answer(tool)
    if "state" in asked:
        answer["state"] = asked["state"]
    return _posting_page(redirect_uri, answer, f"Opening {tool.name}")


class _Refused(Exception):
    """An authentication error (OpenID Connect Core 1.0, 3.1.2.6) with its description."""


def _answer(tool: Tool) -> dict[str, str]:
    school = the_school()
    try:
        launching = _checked_launch(tool)
    except _Refused as refused:
        error, description = refused.args
        return {"error": error, "error_description": description}
    return {"id_token": school.keys.sign(id_token_claims(launching, request.values["nonce"]))}


def _checked_launch(tool: Tool) -> Launching:
    asked = request.values
    for name in ("scope", "response_type", "login_hint", "nonce", "lti_message_hint"):
        if not asked.get(name):
            raise _Refused("invalid_request", f"The parameter {name} is missing")
    if asked["scope"] != "openid":
        raise _Refused("invalid_scope", "scope must be openid")
    if asked["response_type"] != "id_token":
        raise _Refused("unsupported_response_type", "response_type must be id_token")
    if asked.get("response_mode") != "form_post":
        raise _Refused("invalid_request", "response_mode must be form_post")
    if asked.get("prompt") != "none":
        raise _Refused("invalid_request", "prompt must be none")
    person = current_person()
    if person is None:
        raise _Refused("login_required", "Nobody is logged in at this browser")
    return _pending_launch(tool, person)


def _pending_launch(tool: Tool, person: Person) -> Launching:
    school, asked = the_school(), request.values
    key = school.personality.launch_key(asked["lti_message_hint"])
    # The hint works once, whatever comes of it: a reloaded launch ends here.
    pending = school.pending_launches.pop(key, None) if key else None
    if pending is None:
        raise _Refused("invalid_request", "The lti_message_hint is unknown or was used before")
    if pending.deployment_id != tool.deployment_id:
        raise _Refused("unauthorized_client", "This launch belongs to another tool")
    if asked["login_hint"] != person.id or pending.person_id != person.id:
        raise _Refused("access_denied", "The login_hint is not the person who is logged in")
    course = school.courses[pending.course_id]
    role = school.role_of(person, course)
    activity = school.activities.get(pending.activity_id) if pending.activity_id else None
    if role is None or (pending.activity_id and activity is None):
        raise _Refused("access_denied", "The activity is no longer there for this person")
    return Launching(school, person, role, course, tool, activity, session_key())


def _repost_page() -> str:
    """A page that sends the same request again from here.

    Browsers leave the LMS's cookie out of what another site sends inside a frame; coming from the LMS's own page the
    request has it. Nothing is known to be wrong yet, so the person just passes through.
    """
    fields = {name: value for name, value in request.values.items() if name != "repost"}
    return _posting_page(request.path, {**fields, "repost": "1"}, "One moment")


def _posting_page(address: str, fields: dict[str, str], title: str, method: str = "post") -> str:
    return render_template("posting.html", address=address, fields=fields, title=title, method=method)
