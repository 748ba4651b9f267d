"""Product families of LMSs, by the code that a platform gives itself at registration.

A family differs only where a specification leaves room or an LMS does not follow it. Whoever meets a new difference
adds an attribute or method here, with the plain case in Family.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import quote

from lti_tool.lti.launch import Launch
from lti_tool.lti.platform import KnownPlatform, origin_of

Field = Literal[
    "site",
    "issuer",
    "client_id",
    "deployment_id",
    "authorization_url",
    "token_url",
    "jwks_url",
    "token_audience",
]
"""What an administrator can tell us of an LMS; `site` is the address under which people know it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where an LMS lives, as far as it follows from what was typed; the rest is empty."""

    issuer: str = ""
    authorization_url: str = ""
    token_url: str = ""
    jwks_url: str = ""
    token_audience: str = ""
    configuration_url: str = ""
    """Where it describes itself for everybody to read (Dynamic Registration 1.0, section 3.4)."""


class Family:
    """An LMS that does as the specifications say."""

    key: ClassVar[str] = "other"
    """Its name in addresses of ours and in files."""
    code: ClassVar[str] = ""
    """The product family code that is kept of one that was registered by hand."""
    display_name: ClassVar[str] = ""
    """What people call it; empty where we do not know."""
    registers_itself: ClassVar[bool] = False
    """Whether its administrator can paste the invite address, and it does the rest (Dynamic Registration 1.0)."""
    asks: ClassVar[tuple[Field, ...]] = ("issuer", "client_id", "authorization_url", "token_url", "jwks_url")
    """What an administrator has to type where it is registered by hand; everything else follows from it."""
    may_ask: ClassVar[tuple[Field, ...]] = ("deployment_id", "token_audience")
    """What one may type, where there is such a thing or it differs from what follows."""
    basis: ClassVar[Field] = "issuer"
    """From which of these the addresses follow."""

    def addresses(self, typed: Mapping[Field, str]) -> Addresses:
        """What follows from what an administrator typed, registering it by hand."""
        issuer = typed.get("issuer", "").rstrip("/")
        return Addresses(configuration_url=f"{issuer}/.well-known/openid-configuration" if issuer else "")

    def frame_origin(self, platform: KnownPlatform, launch: Launch) -> str:
        """Origin of the page that shows ours in a frame."""
        return platform.origin

    def return_origins(self, platform: KnownPlatform, launch: Launch) -> frozenset[str]:
        """Origins to which our answer to a selection of content may go: the platform's own, and no other."""
        known = {origin_of(platform.issuer), platform.origin, self.frame_origin(platform, launch)}
        return frozenset(known - {""})


_ADDRESSES: tuple[Field, ...] = ("issuer", "authorization_url", "token_url", "jwks_url")


class Moodle(Family):
    """Registers a tool as Pending: launches fail until an administrator activates it.

    One that was configured by hand is active at once, and all its addresses follow from that of the site.
    """

    key = "moodle"
    code = "moodle"
    display_name = "Moodle"
    registers_itself = True
    asks = ("site", "client_id", "deployment_id")
    may_ask = _ADDRESSES
    basis = "site"

    def addresses(self, typed: Mapping[Field, str]) -> Addresses:
        site = typed.get("site", "")
        return Addresses(
            issuer=site,
            authorization_url=f"{site}/mod/lti/auth.php",
            token_url=f"{site}/mod/lti/token.php",
            jwks_url=f"{site}/mod/lti/certs.php",
            configuration_url=f"{site}/mod/lti/openid-configuration.php",
        )


class SharedIssuer(Family):
    """One issuer for all schools: the sign-in address is the vendor's, the page around ours is the school's."""

    def frame_origin(self, platform: KnownPlatform, launch: Launch) -> str:
        return origin_of(launch.return_url) or platform.origin


class Canvas(SharedIssuer):
    """Hosted by its maker, it has the same addresses at every school; a school that runs Canvas itself has its own, and
    the same issuer unless somebody changed it (config/security.yml)."""

    key = "canvas"
    code = "canvas"
    display_name = "Canvas"
    asks = ("client_id", "deployment_id")
    may_ask = ("site", *_ADDRESSES)
    basis = "site"

    def addresses(self, typed: Mapping[Field, str]) -> Addresses:
        site = typed.get("site") or "https://sso.canvaslms.com"
        return Addresses(
            issuer="https://canvas.instructure.com",
            authorization_url=f"{site}/api/lti/authorize_redirect",
            token_url=f"{site}/login/oauth2/token",
            jwks_url=f"{site}/api/lti/security/jwks",
        )


class Blackboard(SharedIssuer):
    """A tool is registered once, by its operator, at the vendor's portal; each school adds its client id. The keys of
    the portal have an address for each client."""

    key = "blackboard"
    code = "BlackboardLearn"
    display_name = "Blackboard"
    asks = ("client_id", "deployment_id")
    may_ask = _ADDRESSES
    basis = "client_id"

    def addresses(self, typed: Mapping[Field, str]) -> Addresses:
        portal = "https://developer.blackboard.com/api/v1"
        return Addresses(
            issuer="https://blackboard.com",
            authorization_url=f"{portal}/gateway/oidcauth",
            token_url=f"{portal}/gateway/oauth2/jwttoken",
            jwks_url=f"{portal}/management/applications/{quote(typed.get('client_id', ''), safe='')}/jwks.json",
        )


class Brightspace(Family):
    """Tokens come from one address for all schools, and are asked for with an audience that is another one still."""

    key = "brightspace"
    code = "desire2learn"
    display_name = "Brightspace"
    registers_itself = True
    asks = ("site", "client_id", "deployment_id")
    may_ask = (*_ADDRESSES, "token_audience")
    basis = "site"

    def addresses(self, typed: Mapping[Field, str]) -> Addresses:
        site = typed.get("site", "")
        return Addresses(
            issuer=site,
            authorization_url=f"{site}/d2l/lti/authenticate",
            token_url="https://auth.brightspace.com/core/connect/token",  # noqa: S106 - an address
            jwks_url=f"{site}/d2l/.well-known/jwks",
            token_audience="https://api.brightspace.com/auth/token",  # noqa: S106
            configuration_url=f"{site}/d2l/.well-known/openid-configuration",
        )


class Sakai(Family):
    """Its token address ends with the number of the tool there, so it has to be typed; the others follow from it."""

    key = "sakai"
    code = "sakai"
    display_name = "Sakai"
    registers_itself = True
    asks = ("client_id", "deployment_id", "token_url")
    may_ask = ("issuer", "authorization_url", "jwks_url")
    basis = "token_url"

    def addresses(self, typed: Mapping[Field, str]) -> Addresses:
        site = origin_of(typed.get("token_url", ""))
        return Addresses(
            issuer=site,
            authorization_url=f"{site}/imsoidc/lti13/oidc_auth",
            jwks_url=f"{site}/imsblis/lti13/keyset",
        )


_FAMILIES: dict[str, Family] = {
    "moodle": Moodle(),
    "canvas": Canvas(),
    "blackboardlearn": Blackboard(),
    "desire2learn": Brightspace(),
    "sakai": Sakai(),
    "sakailms.org": Sakai(),
}
_PLAIN = Family()
GUIDED: dict[str, Family] = {family.key: family for family in (*_FAMILIES.values(), _PLAIN)}
"""By key: those for which there is a guide to registration; `other` for an LMS that is none of them."""


def family_of(code: str) -> Family:
    """The family of a product family code, in any case; the plain one for a code that is empty or unknown."""
    return _FAMILIES.get(code.lower(), _PLAIN)
