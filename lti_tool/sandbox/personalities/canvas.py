"""Canvas, by its published source (instructure/canvas-lms) and its documentation.

The host of all schools signs for each of them: the issuer is not the address that answers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lti_tool.sandbox import vocabulary as v
from lti_tool.sandbox.personalities import Paths, Quirks
from lti_tool.sandbox.personalities.plain import Plain

if TYPE_CHECKING:
    from lti_tool.sandbox.people import CourseRole, Person
    from lti_tool.sandbox.school import LineItem, School
    from lti_tool.sandbox.tools import Tool

COURSES = "/api/lti/courses"
ITEM = COURSES + "/<course>/line_items/<item>"


class Canvas(Plain):
    product = "Canvas"
    family_code = "canvas"
    placements = ("assignment_selection",)
    """Where an assignment is made, one at a time; other places of Canvas take several links, and no column."""
    more_variables = ("Context.id.history",)
    quirks = Quirks(
        issuer="https://canvas.instructure.com",
        storage_target="post_message_forwarding",
        configuration_needs_token=True,
        needs_user_agent=True,
        takes_several_items=False,
        # Its documentation says that a page of members holds 50 unless the tool asks for another number.
        members_on_a_page=50,
        # A score is late only if it is older than the one before, and then the request is called bad, not a conflict.
        old_score_status=400,
        takes_score_of_same_second=True,
        not_gradable_status=422,
    )
    paths = Paths(
        configuration="/api/lti/security/openid-configuration",
        registration="/api/lti/registrations",
        jwks="/api/lti/security/jwks",
        authorization="/api/lti/authorize_redirect",
        tokens="/login/oauth2/token",
        launch="/external_tools/launch",
        deep_linking="/external_tools/select",
        deep_linking_return="/deep_linking_response",
        services=COURSES,
        members=COURSES + "/<course>/names_and_roles",
        line_items=COURSES + "/<course>/line_items",
        line_item=ITEM,
        scores=ITEM + "/scores",
        results=ITEM + "/results",
    )

    def configuration(self, school: School) -> dict[str, Any]:
        """`authorization_server` is the bare name of a host here, which as an audience Canvas itself refuses."""
        return {**super().configuration(school), "authorization_server": urlsplit(school.base_url).netloc}

    def registration_answer(self, tool: Tool) -> dict[str, Any]:
        """Without a deployment: there is none before an administrator has installed the tool."""
        answer = super().registration_answer(tool)
        del answer[v.TOOL_CONFIGURATION]["deployment_id"]
        return answer

    def launch_roles(self, person: Person, role: CourseRole) -> list[str]:
        """Roles in the institution and the system come along; a teaching assistant has the sub-role besides."""
        roles = super().launch_roles(person, role)
        if role.is_staff and not role.may_edit:
            roles.append("http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant")
        return [*roles, v.ROLE_INSTITUTION + ("Instructor" if role.is_staff else "Student"), v.ROLE_SYSTEM + "User"]

    def score_answer(self, school: School, item: LineItem, person_id: str) -> str:
        results = self.paths.results.replace("<course>", item.course_id).replace("<item>", item.id)
        return json.dumps({"resultUrl": f"{school.url(results)}/{person_id}"})
