"""Sakai, by its published source (sakaiproject/sakai)."""

from __future__ import annotations

from lti_tool.sandbox.personalities import Paths, Quirks
from lti_tool.sandbox.personalities.plain import Plain

SERVICES = "/imsblis/lti13"
ITEM = SERVICES + "/lineitems/<course>/<item>"


class Sakai(Plain):
    product = "Sakai"
    family_code = "sakai"
    registered_family_code = "sakailms.org"
    more_variables = ("Context.id.history", "ResourceLink.id.history")
    missing_scope_status = 400
    quirks = Quirks(storage_target="_parent", configuration_needs_token=True)
    paths = Paths(
        configuration=SERVICES + "/well_known",
        registration=SERVICES + "/registration_endpoint",
        jwks=SERVICES + "/keyset",
        authorization="/imsoidc/lti13/oidc_auth",
        tokens=SERVICES + "/token",
        launch="/access/lti/launch",
        deep_linking="/access/lti/select",
        deep_linking_return="/access/lti/deep_link",
        services=SERVICES,
        members=SERVICES + "/namesandroles/<course>",
        line_items=SERVICES + "/lineitems/<course>",
        line_item=ITEM,
        scores=ITEM + "/scores",
        results=ITEM + "/results",
    )
