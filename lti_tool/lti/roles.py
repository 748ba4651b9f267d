"""What the roles of a launch or a roster come to (LTI Core 1.3, appendix A.2).

Roles come as full URIs, as sub-roles (`…/membership/Instructor#TeachingAssistant`), in the forms of LTI 1.1 or as
short names, several at once, in the case of the vocabulary. Unknown ones are ignored.
"""

from collections.abc import Iterable
from typing import Literal

LmsRole = Literal["instructor", "learner", "other"]

_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
_OLD_MEMBERSHIP = "urn:lti:role:ims/lis/"
_INSTRUCTORS = frozenset({"Instructor", "ContentDeveloper"})
"""A content developer builds the course (Canvas: designer, Blackboard: course builder), so also places activities."""

_ABOVE = frozenset({"Administrator", "AccountAdmin", "SysAdmin", "SysSupport"})
_ABOVE_VOCABULARIES = (
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#",
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#",
    # Moodle's rosters: not in the vocabulary.
    "http://purl.imsglobal.org/vocab/lis/v2/person#",
    "urn:lti:instrole:ims/lis/",
    "urn:lti:sysrole:ims/lis/",
    _MEMBERSHIP + "#",
)


def context_role(roles: Iterable[str]) -> LmsRole:
    """instructor, learner or other, by the context roles alone; the widest wins.

    Being Instructor of the institution says nothing about this course.
    """
    found = {_context_name(role) for role in roles}
    if found & _INSTRUCTORS:
        return "instructor"
    return "learner" if "Learner" in found else "other"


def is_administrator(roles: Iterable[str]) -> bool:
    """Whether somebody administers the LMS, the institution or the course.

    The short name `Administrator` and the course's administrator count as well: counting too many means that somebody
    sees less.
    """
    return any(
        role in _ABOVE or (role.startswith(_ABOVE_VOCABULARIES) and role.replace("#", "/").rpartition("/")[2] in _ABOVE)
        for role in roles
    )


def _context_name(role: str) -> str:
    """The principal context role, such as Instructor; empty for a role of something else."""
    if role.startswith(_MEMBERSHIP):
        rest = role[len(_MEMBERSHIP) :]
        # `#Instructor`, or a sub-role: `/Instructor#TeachingAssistant`.
        return rest[1:].partition("#")[0] if rest[:1] in ("#", "/") else ""
    if role.startswith(_OLD_MEMBERSHIP):
        return role[len(_OLD_MEMBERSHIP) :].partition("/")[0]
    return role if role.isalpha() else ""
