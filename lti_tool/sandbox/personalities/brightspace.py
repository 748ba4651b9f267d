"""Brightspace (D2L), by what its administrators and the makers of tools report; its source is not public.

Its keys change every hour, by the sandbox's clock; sooner by the fault `rotate_keys`.
"""

from __future__ import annotations

from lti_tool.sandbox.personalities import Paths, Quirks
from lti_tool.sandbox.personalities.plain import Plain

AUDIENCE = "https://api.brightspace.com/auth/token"
"""Of a request for a token: the same at every school, and not the address that is asked."""
GRADES = "/d2l/api/lti/ags/2.0/deployment/<tool>/orgunit/<course>/lineitems"


class Brightspace(Plain):
    product = "Brightspace"
    family_code = "desire2learn"
    quirks = Quirks(
        # No registration_token comes with a registration. How D2L knows a registration again is not published; here the
        # addresses carry it.
        sends_registration_token=False,
        configuration_needs_token=True,
        token_audience=AUDIENCE,
        names_key_algorithm=False,
        key_lifetime_s=3600,
        members_on_a_page=200,
        takes_query_in_links=False,
    )
    paths = Paths(
        configuration="/d2l/.well-known/openid-configuration",
        registration="/d2l/api/lti/register",
        jwks="/d2l/.well-known/jwks",
        authorization="/d2l/lti/authenticate",
        tokens="/core/connect/token",
        launch="/d2l/lti/launch",
        deep_linking="/d2l/lti/select",
        deep_linking_return="/d2l/lti/deeplinking",
        services="/d2l/api/lti",
        members="/d2l/api/lti/nrps/2.0/deployment/<tool>/orgunit/<course>/memberships",
        line_items=GRADES,
        line_item=GRADES + "/<item>",
        scores=GRADES + "/<item>/scores",
        results=GRADES + "/<item>/results",
    )
