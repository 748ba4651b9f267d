"""A sandbox LMS that has the tool in one of its courses; nothing of the tool is needed to run it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import requests
from flask import Flask
from requests.adapters import BaseAdapter

from lti_tool.sandbox import School, create_app
from lti_tool.sandbox.people import CourseRole
from lti_tool.sandbox.tools import Tool

TOOL = "http://localhost:8000"
COURSE = "2"
CLIENT_ID = "meitheal-here"


class KeySet(BaseAdapter):
    """Gives the LMS the tool's keys; the tool itself is not served."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        super().__init__()
        self._body = json.dumps(jwks).encode()

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code = 200
        answer.request = request
        answer._content = self._body
        return answer

    def close(self) -> None:
        pass


def open_sandbox(
    address: str,
    personality: str,
    jwks: Mapping[str, Any],
    clock: Callable[[], float],
    *,
    gradable: bool = True,
    more_teachers: int = 0,
) -> Flask:
    """A sandbox at `address` with the tool and one activity of it in the course; the same each time."""
    app = create_app(address, personality=personality, clock=clock)
    school: School = app.extensions["sandbox"]
    school.http.mount(TOOL, KeySet(jwks))
    tool = Tool(
        deployment_id=school.next_deployment_id(),
        client_id=CLIENT_ID,
        name="Meitheal",
        login_url=f"{TOOL}/lti/login",
        redirect_uris=(f"{TOOL}/lti/launch",),
        jwks_url=f"{TOOL}/lti/jwks.json",
        target_link_uri=f"{TOOL}/lti/launch",
        scopes=school.personality.granted_scopes(_SCOPES),
        is_active=True,
    )
    school.add_tool(tool)
    school.add_people(school.courses[COURSE], more_teachers, CourseRole.STUDENT)
    school.add_activity(school.courses[COURSE], tool, "Coaching cycle 1", gradable=gradable)
    return app


_SCOPES = tuple(
    f"https://purl.imsglobal.org/spec/lti-ags/scope/{name}"
    for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")
)
