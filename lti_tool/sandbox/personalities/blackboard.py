"""Blackboard Learn, by its developer documentation and the messages printed there.

Tools are registered once at the vendor's portal, for all schools, and each school enters the client id: there is no
dynamic registration. The portal's part (keys, tokens, authorization) has the vendor's paths here, on the school's host.
"""

from __future__ import annotations

from lti_tool.sandbox.personalities import Paths, Quirks
from lti_tool.sandbox.personalities.plain import Plain

SERVICES = "/learn/api/v1/lti"
ITEM = SERVICES + "/courses/<course>/lineItems/<item>"


class Blackboard(Plain):
    product = "Blackboard"
    family_code = "BlackboardLearn"
    more_variables = ("Context.id.history",)
    """`$ResourceLink.id.history` stays as it is written."""
    quirks = Quirks(issuer="https://blackboard.com", login_method="get", one_tool_per_domain=True)
    paths = Paths(
        configuration=None,
        registration=None,
        jwks="/api/v1/management/applications/jwks.json",
        authorization="/api/v1/gateway/oidcauth",
        tokens="/api/v1/gateway/oauth2/jwttoken",
        launch="/webapps/blackboard/execute/blti/launch",
        deep_linking="/webapps/blackboard/execute/blti/select",
        deep_linking_return="/webapps/blackboard/controller/lti/v2/deep",
        services=SERVICES,
        members=SERVICES + "/external/namesandroles/<course>",
        line_items=SERVICES + "/courses/<course>/lineItems",
        line_item=ITEM,
        scores=ITEM + "/scores",
        results=ITEM + "/results",
    )

    def deep_linking_data(self, session_key: str) -> str | None:
        """A value that must come back untouched: it says where the content goes."""
        return f"_2_1::_8_1::-1::true::{session_key}"
