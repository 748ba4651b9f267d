"""An LMS that does as the specifications say: what the personalities other than Moodle have in common."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from flask import Response

from lti_tool.sandbox import vocabulary as v
from lti_tool.sandbox.personalities import Launching, Page, Paths, Quirks

if TYPE_CHECKING:
    from flask import Request

    from lti_tool.sandbox.people import CourseRole, Person
    from lti_tool.sandbox.school import Activity, Grade, LineItem, School
    from lti_tool.sandbox.tools import Tool

SCOPES = (*v.SCOPES_GRADES, v.SCOPE_MEMBERS_READ)


class Plain:
    """Answers each question of a personality from the specifications; an LMS overrides what it does otherwise."""

    product: str
    family_code: str
    registered_family_code: ClassVar[str] = ""
    """What the configuration says instead; empty where it is the same."""
    paths: Paths
    id_token_lifetime_s = 3600
    missing_scope_status = 403
    quirks = Quirks()
    placements: ClassVar[tuple[str, ...]] = ()
    more_variables: ClassVar[tuple[str, ...]] = ()
    """Variables that the LMS knows besides the common ones; the sandbox has nothing to fill them with."""

    def configuration(self, school: School) -> dict[str, Any]:
        """As Dynamic Registration 1.0, 3.4. Asked for only where the paths name an address for it."""
        addresses = {
            "token_endpoint": self.paths.tokens,
            "jwks_uri": self.paths.jwks,
            "authorization_endpoint": self.paths.authorization,
            "registration_endpoint": self.paths.registration or "",
        }
        deep_linking: dict[str, Any] = {"type": v.DEEP_LINKING_REQUEST}
        if self.placements:
            deep_linking["placements"] = list(self.placements)
        configuration: dict[str, Any] = {
            "issuer": school.issuer,
            **{name: school.url(path) for name, path in addresses.items()},
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", *SCOPES],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
            v.PLATFORM_CONFIGURATION: {
                "product_family_code": self.registered_family_code or self.family_code,
                "messages_supported": [{"type": v.RESOURCE_LINK_REQUEST}, deep_linking],
                "variables": [*_VARIABLES, *self.more_variables],
            },
        }
        if self.quirks.token_audience:
            configuration["authorization_server"] = self.quirks.token_audience
        return configuration

    def granted_scopes(self, requested: Sequence[str]) -> tuple[str, ...]:
        return tuple(scope for scope in SCOPES if scope in requested)

    def registration_answer(self, tool: Tool) -> dict[str, Any]:
        configuration: dict[str, Any] = {
            "version": "1.3.0",
            "deployment_id": tool.deployment_id,
            "target_link_uri": tool.target_link_uri,
            "domain": tool.domain,
            "description": tool.description,
        }
        if tool.deep_linking_url is not None:
            message = {"type": v.DEEP_LINKING_REQUEST, "target_link_uri": tool.deep_linking_url}
            configuration["messages"] = [message]
        if tool.custom:
            configuration["custom_parameters"] = tool.custom
        names = ["name", "family_name", "given_name"] if tool.sends_name else []
        email = ["email"] if tool.sends_email else []
        configuration["claims"] = ["sub", "iss", *names, *email]
        return {
            "client_id": tool.client_id,
            "response_types": ["id_token"],
            "jwks_uri": tool.jwks_url,
            "initiate_login_uri": tool.login_url,
            "grant_types": ["client_credentials", "implicit"],
            "redirect_uris": list(tool.redirect_uris),
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "client_name": tool.name,
            "logo_uri": tool.logo_uri,
            "scope": " ".join(tool.scopes),
            v.TOOL_CONFIGURATION: configuration,
        }

    def message_hint(self, activity: Activity | None) -> tuple[str, str]:
        """A hint that means something to the LMS alone."""
        key = secrets.token_urlsafe(24)
        return key, key

    def launch_key(self, message_hint: str) -> str | None:
        return message_hint

    def launch_roles(self, person: Person, role: CourseRole) -> list[str]:
        roles = [v.ROLE_CONTEXT + ("Instructor" if role.is_staff else "Learner")]
        if person.is_admin:
            roles += [v.ROLE_SYSTEM + "Administrator", v.ROLE_INSTITUTION + "Administrator"]
        return roles

    def member_roles(self, person: Person, role: CourseRole) -> list[str]:
        """The same roles as at the launch, in full."""
        return self.launch_roles(person, role)

    def own_claims(self, launching: Launching) -> dict[str, Any]:
        school, course, activity = launching.school, launching.course, launching.activity
        presentation: dict[str, Any] = {
            "locale": "en-IE",
            "document_target": activity.opens_in if activity else "iframe",
        }
        if activity:
            presentation["return_url"] = school.url(f"/course/{course.id}?" + urlencode({"left": activity.id}))
        return {
            v.CLAIM_LAUNCH_PRESENTATION: presentation,
            v.CLAIM_TOOL_PLATFORM: {
                "product_family_code": self.family_code,
                "version": "1",
                "guid": school.guid,
                "name": school.name,
            },
        }

    def deep_linking_settings(self, launching: Launching) -> dict[str, Any]:
        query = {"course": launching.course.id, "id": launching.tool.deployment_id, "sesskey": launching.session_key}
        settings = {
            "accept_types": ["link", "ltiResourceLink"],
            "accept_presentation_document_targets": ["iframe", "window"],
            "accept_multiple": self.quirks.takes_several_items,
            "auto_create": False,
            "deep_link_return_url": launching.school.url(self.paths.deep_linking_return + "?" + urlencode(query)),
        }
        data = self.deep_linking_data(launching.session_key)
        return settings if data is None else {**settings, "data": data}

    def deep_linking_data(self, session_key: str) -> str | None:
        return None

    def variables(self, launching: Launching) -> Mapping[str, str]:
        person, course, activity = launching.person, launching.course, launching.activity
        values = {
            "Context.id": course.id,
            "Context.title": course.title,
            "Context.label": course.short_name,
            **dict.fromkeys(self.more_variables, ""),
        }
        if activity:
            values |= {"ResourceLink.id": activity.id, "ResourceLink.title": activity.title}
        if not launching.school.faults.anonymous:
            values["User.id"] = person.id
        if launching.names_are_sent:
            values |= {
                "User.username": person.username,
                "Person.name.full": person.name,
                "Person.name.given": person.given,
                "Person.name.family": person.family,
            }
        if launching.email_is_sent:
            values["Person.email.primary"] = person.email
        return values

    def service_parameters(self, launching: Launching) -> dict[str, str]:
        return {}

    def service_query(self, tool: Tool) -> str:
        return ""

    def member(self, launching: Launching) -> dict[str, Any]:
        person = launching.person
        member: dict[str, Any] = {
            "status": "Active",
            "user_id": person.id,
            "roles": self.member_roles(person, launching.role),
        }
        if launching.names_are_sent:
            member |= {"name": person.name, "given_name": person.given, "family_name": person.family}
        if launching.email_is_sent:
            member["email"] = person.email
        if launching.activity:
            member["message"] = [{v.CLAIM_MESSAGE_TYPE: v.RESOURCE_LINK_REQUEST, v.CLAIM_CUSTOM: {}}]
        return member

    def next_members_url(self, address: str, page: Page, activity: Activity | None, role: str) -> str:
        query: dict[str, str | int] = {"limit": page.limit, "from": page.start + page.limit}
        if activity:
            query["rlid"] = activity.id
        if role:
            query["role"] = role
        return f"{address}?{urlencode(query)}"

    def grade_page_links(self, address: str, page: Page) -> str:
        if not page.has_next:
            return ""
        separator = "&" if "?" in address else "?"
        return f'<{address}{separator}limit={page.limit}&from={page.start + page.limit}>; rel="next"'

    def line_item_body(self, school: School, item: LineItem) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": school.url(_filled(self.paths.line_item, item)),
            "label": item.label,
            "scoreMaximum": plain_number(item.maximum),
            "resourceId": item.resource_id,
            "tag": item.tag,
        }
        if item.activity_id is not None:
            body["resourceLinkId"] = item.activity_id
        return body

    def result_body(self, school: School, item: LineItem, person_id: str, grade: Grade) -> dict[str, Any]:
        body: dict[str, Any] = {
            "id": f"{school.url(_filled(self.paths.results, item))}/{person_id}",
            "scoreOf": school.url(_filled(self.paths.line_item, item)),
            "userId": person_id,
            "timestamp": datetime.fromtimestamp(grade.modified, UTC).isoformat(),
        }
        if grade.score is not None:
            body |= {"resultScore": plain_number(grade.score), "resultMaximum": plain_number(item.maximum)}
        if grade.feedback:
            body["comment"] = grade.feedback
        return body

    def list_json(self, entries: Sequence[Mapping[str, Any]]) -> str:
        return json.dumps(list(entries))

    def service_error(self, status: int, reason: str, request: Request) -> Response:
        return Response(json.dumps({"error": reason}), status, mimetype="application/json")

    def score_answer(self, school: School, item: LineItem, person_id: str) -> str:
        return ""

    def score_refusal(self, status: int, reason: str) -> Response:
        return Response(json.dumps({"error": reason}), status, mimetype="application/json")


_VARIABLES = (
    "Context.id",
    "Context.title",
    "Context.label",
    "ResourceLink.id",
    "ResourceLink.title",
    "User.id",
    "User.username",
    "Person.name.full",
    "Person.name.given",
    "Person.name.family",
    "Person.email.primary",
)


def plain_number(value: float) -> float | int:
    """`value` as JSON writes it: a whole number without a fraction."""
    return int(value) if float(value).is_integer() else value


def _filled(rule: str, item: LineItem) -> str:
    return rule.replace("<course>", item.course_id).replace("<tool>", item.deployment_id).replace("<item>", item.id)
