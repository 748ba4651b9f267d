"""The claims of an id_token (LTI Core 1.3, 5; Deep Linking 2.0, 4.4)."""

from typing import Any

from lti_tool.sandbox import vocabulary as v
from lti_tool.sandbox.personalities import Launching
from lti_tool.sandbox.tools import Tool


def id_token_claims(launching: Launching, nonce: str) -> dict[str, Any]:
    """What the LMS says about a launch, or about a content selection if `launching` has no activity."""
    claims = {
        **_token_part(launching, nonce),
        **_message_part(launching),
        **_person_part(launching),
        **launching.school.personality.own_claims(launching),
        v.CLAIM_CUSTOM: _custom(launching),
        **_services_part(launching),
    }
    return _as_the_faults_want(launching, claims)


def _token_part(launching: Launching, nonce: str) -> dict[str, Any]:
    school = launching.school
    issued = int(school.now())
    if school.faults.id_token_expired:
        issued -= 3600
    return {
        "nonce": nonce,
        "iat": issued,
        "exp": issued + school.personality.id_token_lifetime_s,
        "iss": school.issuer,
        "aud": launching.tool.client_id,
    }


def _message_part(launching: Launching) -> dict[str, Any]:
    tool, course, activity = launching.tool, launching.course, launching.activity
    part: dict[str, Any] = {
        v.CLAIM_VERSION: "1.3.0",
        v.CLAIM_MESSAGE_TYPE: v.RESOURCE_LINK_REQUEST if activity else v.DEEP_LINKING_REQUEST,
        v.CLAIM_DEPLOYMENT_ID: tool.deployment_id,
        v.CLAIM_TARGET_LINK_URI: target_link_uri(launching),
        v.CLAIM_ROLES: launching.school.personality.launch_roles(launching.person, launching.role),
        v.CLAIM_CONTEXT: {
            "id": course.id,
            "label": course.short_name,
            "title": course.title,
            "type": [launching.school.personality.quirks.context_type],
        },
    }
    if activity:
        link = {"id": activity.id, "title": activity.title, "description": activity.description}
        part[v.CLAIM_RESOURCE_LINK] = link
    else:
        settings = launching.school.personality.deep_linking_settings(launching)
        part[v.CLAIM_DEEP_LINKING_SETTINGS] = settings
    return part


def target_link_uri(launching: Launching) -> str:
    """Where the tool shall take the person: the activity's own address, or the tool's content selection."""
    if launching.activity:
        return launching.activity.url
    return launching.tool.deep_linking_url or launching.tool.target_link_uri


def _person_part(launching: Launching) -> dict[str, str]:
    person = launching.person
    part = {}
    if not launching.school.faults.anonymous:
        part["sub"] = person.id
    if launching.names_are_sent:
        part |= {"given_name": person.given, "family_name": person.family, "name": person.name}
    if launching.email_is_sent:
        part["email"] = person.email
    return part


def _custom(launching: Launching) -> dict[str, str]:
    own = launching.activity.custom if launching.activity else {}
    known = launching.school.personality.variables(launching)
    expanded = {name: _expand(value, known) for name, value in {**own, **launching.tool.custom}.items()}
    return {**expanded, **launching.school.personality.service_parameters(launching)}


def _expand(value: str, known: Any) -> str:
    if not value.startswith("$"):
        return value
    expanded: str = known.get(value[1:], value)
    return expanded


def _services_part(launching: Launching) -> dict[str, Any]:
    school, tool, course = launching.school, launching.tool, launching.course
    part: dict[str, Any] = {}
    grading = [scope for scope in v.SCOPES_GRADES if scope in tool.scopes]
    if grading:
        endpoint: dict[str, Any] = {"scope": grading, "lineitems": line_items_url(launching)}
        items = school.line_items_of_activity(launching.activity) if launching.activity else []
        # With several columns none is "the" line item of the link, and the claim stays away (AGS 2.0, 3.1).
        if len(items) == 1:
            endpoint["lineitem"] = line_item_url(launching, items[0].id)
        part[v.CLAIM_AGS] = endpoint
    if launching.activity and v.SCOPE_MEMBERS_READ in tool.scopes:
        address = school.url(_filled(school.personality.paths.members, tool, course.id))
        part[v.CLAIM_NRPS] = {
            "context_memberships_url": address,
            "service_versions": list(school.personality.quirks.members_versions),
        }
    return part


def line_items_url(launching: Launching) -> str:
    path = _filled(launching.school.personality.paths.line_items, launching.tool, launching.course.id)
    return launching.school.url(path + launching.school.personality.service_query(launching.tool))


def line_item_url(launching: Launching, item_id: str) -> str:
    path = _filled(launching.school.personality.paths.line_item, launching.tool, launching.course.id)
    path = path.replace("<item>", item_id)
    return launching.school.url(path + launching.school.personality.service_query(launching.tool))


def _filled(rule: str, tool: Tool, course_id: str) -> str:
    return rule.replace("<course>", course_id).replace("<tool>", tool.deployment_id)


def _as_the_faults_want(launching: Launching, claims: dict[str, Any]) -> dict[str, Any]:
    faults = launching.school.faults
    changed = dict(claims)
    if faults.roles is not None:
        changed[v.CLAIM_ROLES] = faults.roles
    changed |= faults.claims
    return {name: value for name, value in changed.items() if value is not None}
