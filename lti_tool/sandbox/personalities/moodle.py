"""Moodle, as a real one (4.4dev, build 20231124) was recorded and as its source reads."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Response

from lti_tool.sandbox import vocabulary as v
from lti_tool.sandbox.people import CourseRole
from lti_tool.sandbox.personalities import Launching, Page, Paths, Quirks
from lti_tool.sandbox.personalities.plain import Plain, plain_number

if TYPE_CHECKING:
    from flask import Request

    from lti_tool.sandbox.people import Person
    from lti_tool.sandbox.school import Activity, Grade, LineItem, School
    from lti_tool.sandbox.tools import Tool

VERSION = "2023112400"
RELEASE = "4.4dev (Build: 20231124)"
SERVICES = "/mod/lti/services.php"

# The names Moodle's configuration lists. What it lists and cannot fill in becomes an empty string; what it does not
# list reaches the tool as it was written, with its dollar sign.
VARIABLES = (
    "basic-lti-launch-request",
    "ContentItemSelectionRequest",
    "ToolProxyRegistrationRequest",
    "Context.id",
    "Context.title",
    "Context.label",
    "Context.id.history",
    "Context.sourcedId",
    "Context.longDescription",
    "Context.timeFrame.begin",
    "CourseSection.title",
    "CourseSection.label",
    "CourseSection.sourcedId",
    "CourseSection.longDescription",
    "CourseSection.timeFrame.begin",
    "CourseSection.timeFrame.end",
    "ResourceLink.id",
    "ResourceLink.title",
    "ResourceLink.description",
    "User.id",
    "User.username",
    "Person.name.full",
    "Person.name.given",
    "Person.name.family",
    "Person.email.primary",
    "Person.sourcedId",
    "Person.name.middle",
    "Person.address.street1",
    "Person.address.locality",
    "Person.address.country",
    "Person.address.timezone",
    "Person.phone.primary",
    "Person.phone.mobile",
    "Person.webaddress",
    "Membership.role",
    "Result.sourcedId",
    "Result.autocreate",
    "BasicOutcome.sourcedId",
    "BasicOutcome.url",
    "Moodle.Person.userGroupIds",
)

# How a launch says where it opens: the claim's word, and Moodle's own number in the return address.
CONTAINERS = {"iframe": ("iframe", 3), "window": ("window", 4)}


class Moodle(Plain):
    product = "Moodle"
    family_code = "moodle"
    id_token_lifetime_s = 60
    missing_scope_status = 401
    quirks = Quirks(takes_issuer_as_audience=True, context_type="CourseSection", members_versions=("1.0", "2.0"))
    paths = Paths(
        configuration="/mod/lti/openid-configuration.php",
        registration="/mod/lti/openid-registration.php",
        jwks="/mod/lti/certs.php",
        authorization="/mod/lti/auth.php",
        tokens="/mod/lti/token.php",
        launch="/mod/lti/launch.php",
        deep_linking="/mod/lti/contentitem.php",
        deep_linking_return="/mod/lti/contentitem_return.php",
        services=SERVICES,
        members=SERVICES + "/CourseSection/<course>/bindings/<tool>/memberships",
        line_items=SERVICES + "/<course>/lineitems",
        line_item=SERVICES + "/<course>/lineitems/<item>/lineitem",
        scores=SERVICES + "/<course>/lineitems/<item>/lineitem/scores",
        results=SERVICES + "/<course>/lineitems/<item>/lineitem/results",
        web_services="/webservice/rest/server.php",
    )

    def __init__(self) -> None:
        self._salt = secrets.token_hex(16)

    def configuration(self, school: School) -> dict[str, Any]:
        deep_linking = {"type": v.DEEP_LINKING_REQUEST, "placements": ["ContentArea"]}
        return {
            "issuer": school.base_url,
            "token_endpoint": school.url(self.paths.tokens),
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "jwks_uri": school.url(self.paths.jwks),
            "authorization_endpoint": school.url(self.paths.authorization),
            "registration_endpoint": school.url(self.paths.registration or ""),
            "scopes_supported": [
                v.SCOPE_BASIC_OUTCOME,
                v.SCOPE_LINE_ITEM_READ,
                v.SCOPE_RESULT_READ,
                v.SCOPE_SCORE,
                v.SCOPE_LINE_ITEM,
                v.SCOPE_MEMBERS_READ,
                v.SCOPE_TOOL_SETTING,
                "openid",
            ],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public", "pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
            v.PLATFORM_CONFIGURATION: {
                "product_family_code": "moodle",
                "version": RELEASE,
                "messages_supported": [{"type": v.RESOURCE_LINK_REQUEST}, deep_linking],
                "variables": list(VARIABLES),
            },
        }

    def granted_scopes(self, requested: Sequence[str]) -> tuple[str, ...]:
        """Moodle knows three levels of grading only: asking for one scope may bring others with it."""
        readers = (v.SCOPE_SCORE, v.SCOPE_RESULT_READ, v.SCOPE_LINE_ITEM_READ)
        granted: list[str] = []
        if v.SCOPE_LINE_ITEM in requested:
            granted += [*readers, v.SCOPE_LINE_ITEM]
        elif any(scope in requested for scope in readers):
            granted += readers
        granted += [scope for scope in (v.SCOPE_MEMBERS_READ, v.SCOPE_TOOL_SETTING) if scope in requested]
        return tuple(granted)

    def registration_answer(self, tool: Tool) -> dict[str, Any]:
        """May list more scopes than were granted, and does so here; what holds is in the claims of a launch."""
        return {**super().registration_answer(tool), "scope": " ".join(self.granted_scopes(v.SCOPES_ALL))}

    def message_hint(self, activity: Activity | None) -> tuple[str, str]:
        number = _random_number()
        key = f"ltilaunch{activity.id}_{number}" if activity else f"ltilaunch_{number}"
        module = int(activity.module_id) if activity else 0
        return key, _compact_json({"cmid": module, "launchid": key})

    def launch_key(self, message_hint: str) -> str | None:
        try:
            hint = json.loads(message_hint)
        except (ValueError, RecursionError):
            return None
        key = hint.get("launchid") if isinstance(hint, dict) else None
        return key if isinstance(key, str) else None

    def launch_roles(self, person: Person, role: CourseRole) -> list[str]:
        """Everyone who may manage activities is an Instructor here, the non-editing teacher included."""
        roles = [v.ROLE_CONTEXT + ("Instructor" if role.is_staff else "Learner")]
        if person.is_admin:
            roles += [v.ROLE_SYSTEM + "Administrator", v.ROLE_INSTITUTION + "Administrator"]
        return roles

    def member_roles(self, person: Person, role: CourseRole) -> list[str]:
        """Short names; who cannot add activities counts as Learner, and one role URI is Moodle's own."""
        roles = ["Instructor" if role.may_edit else "Learner"]
        if person.is_admin:
            roles.append("http://purl.imsglobal.org/vocab/lis/v2/person#Administrator")
        return roles

    def own_claims(self, launching: Launching) -> dict[str, Any]:
        school, course, activity = launching.school, launching.course, launching.activity
        person = launching.person
        ext = {"lms": "moodle-2"}
        if launching.names_are_sent:
            ext["user_username"] = person.username
        lis = {"course_section_sourcedid": course.short_name}
        if not school.faults.anonymous:
            lis["person_sourcedid"] = person.id_number
        presentation: dict[str, Any] = {"locale": "en"}
        claims: dict[str, Any] = {v.CLAIM_EXT: ext, v.CLAIM_LIS: lis, v.CLAIM_LAUNCH_PRESENTATION: presentation}
        if activity:
            target, container = CONTAINERS[activity.opens_in]
            query = {
                "course": course.id,
                "launch_container": container,
                "instanceid": activity.id,
                "sesskey": launching.session_key,
            }
            presentation["document_target"] = target
            presentation["return_url"] = school.url("/mod/lti/return.php?" + urlencode(query))
            if activity.gradable and not school.faults.anonymous:
                claims[v.CLAIM_BASIC_OUTCOME] = self._basic_outcome(launching, activity)
        claims[v.CLAIM_TOOL_PLATFORM] = {
            "product_family_code": "moodle",
            "version": VERSION,
            "guid": school.guid,
            "name": school.short_name,
            "description": school.name,
        }
        return claims

    def deep_linking_settings(self, launching: Launching) -> dict[str, Any]:
        query = {
            "course": launching.course.id,
            "id": launching.tool.deployment_id,
            "sesskey": launching.session_key,
        }
        return {
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["frame", "iframe", "window"],
            "accept_copy_advice": False,
            "accept_multiple": True,
            "accept_unsigned": False,
            "auto_create": False,
            "can_confirm": False,
            "deep_link_return_url": launching.school.url(self.paths.deep_linking_return + "?" + urlencode(query)),
            "title": launching.tool.name,
            "text": "",
        }

    def service_query(self, tool: Tool) -> str:
        return f"?type_id={tool.deployment_id}"

    def score_answer(self, school: School, item: LineItem, person_id: str) -> str:
        return ""

    def variables(self, launching: Launching) -> Mapping[str, str]:
        person, course, activity = launching.person, launching.course, launching.activity
        values = {
            "Context.id": course.id,
            "Context.title": course.title,
            "Context.label": course.short_name,
            "Context.sourcedId": course.short_name,
            "Context.longDescription": course.summary,
            "CourseSection.title": course.title,
            "CourseSection.label": course.short_name,
            "CourseSection.sourcedId": course.short_name,
            "CourseSection.longDescription": course.summary,
            "Membership.role": ",".join(self.launch_roles(person, launching.role)),
        }
        if activity:
            values["ResourceLink.id"] = activity.id
            values["ResourceLink.title"] = activity.title
            values["ResourceLink.description"] = activity.description
        if not launching.school.faults.anonymous:
            values["User.id"] = person.id
            values["Person.sourcedId"] = person.id_number
            values["Moodle.Person.userGroupIds"] = ",".join(course.group_ids_of(person.id))
        if launching.names_are_sent:
            values["User.username"] = person.username
            values["Person.name.full"] = person.name
            values["Person.name.given"] = person.given
            values["Person.name.family"] = person.family
        if launching.email_is_sent:
            values["Person.email.primary"] = person.email
        return {name: values.get(name, "") for name in VARIABLES}

    def service_parameters(self, launching: Launching) -> dict[str, str]:
        """Moodle tells its service addresses as custom parameters too; one of them keeps a hole it never fills."""
        if launching.activity is None:
            return {}
        school, tool, course = launching.school, launching.tool, launching.course
        services = school.url(SERVICES)
        parameters = {}
        if v.SCOPE_MEMBERS_READ in tool.scopes:
            members = f"{services}/CourseSection/{course.id}/bindings/{tool.deployment_id}/memberships"
            parameters["context_memberships_url"] = members
        if v.SCOPE_TOOL_SETTING in tool.scopes:
            parameters["system_setting_url"] = f"{services}/tool/{tool.deployment_id}/custom"
            context = f"{services}/CourseSection/{course.id}/bindings/tool/{tool.deployment_id}/custom"
            parameters["context_setting_url"] = context
            parameters["link_setting_url"] = f"{services}/links/{{link_id}}/custom"
        return parameters

    def member(self, launching: Launching) -> dict[str, Any]:
        person, activity = launching.person, launching.activity
        member: dict[str, Any] = {"status": "Active", "roles": self.member_roles(person, launching.role)}
        if activity:
            message: dict[str, Any] = {v.CLAIM_MESSAGE_TYPE: v.RESOURCE_LINK_REQUEST}
            if activity.gradable:
                message[v.CLAIM_BASIC_OUTCOME] = self._basic_outcome(launching, activity)
            member["message"] = [message]
        member["user_id"] = person.id
        member["lis_person_sourcedid"] = person.id_number
        if launching.names_are_sent:
            member["name"] = person.name
            member["given_name"] = person.given
            member["family_name"] = person.family
        if launching.email_is_sent:
            member["email"] = person.email
        if launching.names_are_sent:
            member["ext_user_username"] = person.username
        return member

    def next_members_url(self, address: str, page: Page, activity: Activity | None, role: str) -> str:
        """The filter by `role` is forgotten: from the second page on, everybody comes."""
        url = f"{address}?limit={page.limit}&from={page.start + page.limit}"
        return f"{url}&rlid={activity.id}" if activity else url

    def grade_page_links(self, address: str, page: Page) -> str:
        """Typographic quotes around the relation, as Moodle's source has them."""
        last = max(page.total - page.limit + 1, 0)
        out_of_range = page.start >= page.total
        starts = {"first": 0, "canonical": page.start, "last": last}
        if page.start > 0 and not out_of_range:
            starts["prev"] = max(page.start - page.limit, 0)
        if page.has_next:
            starts["next"] = page.start + page.limit
        order = ("first", "prev", "canonical", "next", "last")
        links = (f"<{address}&limit={page.limit}&from={starts[rel]}>; rel=“{rel}”" for rel in order if rel in starts)
        return ", ".join(links)

    def line_item_body(self, school: School, item: LineItem) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": self._line_item_url(school, item),
            "label": item.label,
            "scoreMaximum": plain_number(item.maximum),
            "resourceId": item.resource_id,
            "tag": item.tag,
        }
        if item.activity_id is not None:
            body["resourceLinkId"] = item.activity_id
            body["ltiLinkId"] = item.activity_id
        return body

    def result_body(self, school: School, item: LineItem, person_id: str, grade: Grade) -> dict[str, Any]:
        """Nothing but the user for a grade that was cleared, or is zero: Moodle takes zero for none."""
        results = school.url(f"{SERVICES}/{item.course_id}/lineitems/{item.id}/lineitem/results")
        query = f"?type_id={item.deployment_id}&user_id={person_id}"
        body: dict[str, Any] = {"id": results + query, "userId": person_id}
        if grade.score:
            body["resultScore"] = plain_number(grade.score)
            body["resultMaximum"] = plain_number(item.maximum)
            if grade.feedback:
                body["comment"] = grade.feedback
            body["scoreOf"] = self._line_item_url(school, item)
            body["timestamp"] = datetime.fromtimestamp(grade.modified, UTC).isoformat()
        return body

    def list_json(self, entries: Sequence[Mapping[str, Any]]) -> str:
        """As PHP writes JSON: compact, in ASCII, with every slash escaped."""
        return json.dumps(entries, separators=(",", ":")).replace("/", "\\/")

    def service_error(self, status: int, reason: str, request: Request) -> Response:
        about: dict[str, str] = {"method": request.method, "url": request.full_path.rstrip("?")}
        if request.headers.get("Accept"):
            about["accept"] = request.headers["Accept"]
        if request.mimetype:
            about["contentType"] = request.mimetype
        body = json.dumps({"status": status, "reason": reason, "request": about}, indent=4)
        return Response(body, f"{status} {_one_line(reason)}", mimetype="application/json")

    def score_refusal(self, status: int, reason: str) -> Response:
        """An empty list as the body; the reason is in the status line only."""
        response = Response("[]", f"{status} {_one_line(reason)}")
        response.headers["Content-Type"] = f"{v.MEDIA_SCORE}; charset=utf-8"
        return response

    def _line_item_url(self, school: School, item: LineItem) -> str:
        address = f"{SERVICES}/{item.course_id}/lineitems/{item.id}/lineitem?type_id={item.deployment_id}"
        return school.url(address)

    def _basic_outcome(self, launching: Launching, activity: Activity) -> dict[str, str]:
        data = {
            "instanceid": activity.id,
            "userid": launching.person.id,
            "typeid": launching.tool.deployment_id,
            "launchid": _random_number(),
        }
        proof = hashlib.sha256((_compact_json(data) + self._salt).encode()).hexdigest()
        return {
            "lis_result_sourcedid": _compact_json({"data": data, "hash": proof}),
            "lis_outcome_service_url": launching.school.url("/mod/lti/service.php"),
        }


def _compact_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _random_number() -> int:
    return secrets.randbelow(2**31)


def _one_line(reason: str) -> str:
    # A status line holds Latin-1 at most, and no line break.
    return " ".join(reason.encode("ascii", "replace").decode().split())
