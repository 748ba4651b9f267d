"""Product families of LMSs, by the code that a platform gives itself at registration.

A family differs only where a specification leaves room or an LMS does not follow it. Whoever meets a new difference
adds an attribute or method here, with the plain case in Family.
"""

from typing import ClassVar, Literal

from lti_tool.lti.launch import Launch
from lti_tool.lti.platform import KnownPlatform, origin_of


class Family:
    """An LMS that does as the specifications say."""

    display_name: ClassVar[str] = ""
    """What people call it; empty where we do not know."""
    after_registration: ClassVar[Literal["place", "activate"]] = "place"
    """What its administrator does next: `activate` where a registered tool waits to be switched on."""

    def frame_origin(self, platform: KnownPlatform, launch: Launch) -> str:
        """Origin of the page that shows ours in a frame."""
        return platform.origin

    def return_origins(self, platform: KnownPlatform, launch: Launch) -> frozenset[str]:
        """Origins to which our answer to a selection of content may go: the platform's own, and no other."""
        known = {origin_of(platform.issuer), platform.origin, self.frame_origin(platform, launch)}
        return frozenset(known - {""})


class Moodle(Family):
    """Registers a tool as Pending: launches fail until an administrator activates it."""

    display_name = "Moodle"
    after_registration = "activate"


class SharedIssuer(Family):
    """One issuer for all schools: the sign-in address is the vendor's, the page around ours is the school's."""

    def frame_origin(self, platform: KnownPlatform, launch: Launch) -> str:
        return origin_of(launch.return_url) or platform.origin


class Canvas(SharedIssuer):
    display_name = "Canvas"


class Blackboard(SharedIssuer):
    display_name = "Blackboard"


class Brightspace(Family):
    display_name = "Brightspace"


class Sakai(Family):
    display_name = "Sakai"


_FAMILIES: dict[str, Family] = {
    "moodle": Moodle(),
    "canvas": Canvas(),
    "blackboardlearn": Blackboard(),
    "desire2learn": Brightspace(),
    "sakai": Sakai(),
    "sakailms.org": Sakai(),
}
_PLAIN = Family()


def family_of(code: str) -> Family:
    """The family of a product family code, in any case; the plain one for a code that is empty or unknown."""
    return _FAMILIES.get(code.lower(), _PLAIN)
