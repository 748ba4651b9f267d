"""What the role names of a launch or a roster come to (LTI Core 1.3, A.2).

Only roles in the course decide whether somebody is instructor or learner there: a member of a school's staff
(institution role Faculty) may well be a learner in a course.
"""

import re
from collections.abc import Iterable

_COURSE = re.compile(
    r"(?:http://purl\.imsglobal\.org/vocab/lis/v2/membership|urn:lti:role:ims/lis)"
    r"(?:/(?P<principal>\w+))?[#/](?P<name>\w+)"
)
_ABOVE = re.compile(
    r"http://purl\.imsglobal\.org/vocab/lis/v2/(?:(?:system|institution)/)?person#(?:Administrator|SysAdmin|AccountAdmin)"
    r"|urn:lti:(?:sysrole|instrole):ims/lis/(?:Administrator|SysAdmin|AccountAdmin)"
)
"""Moodle sends `…/lis/v2/person#Administrator`, which no specification knows."""

_TEACHES = {"Instructor", "ContentDeveloper"}
"""A content developer builds the course (designer in Canvas, course builder in Blackboard), so also places activities
in it, and must be able to set one up."""


def lms_role(roles: Iterable[str]) -> str:
    """`instructor`, `learner` or `other`: the strongest of the roles in the course, named in full or by a short name
    (`Learner`), as rosters do. A sub-role (Instructor#TeachingAssistant) counts as its principal role."""
    found = {_in_course(role) for role in roles}
    return "instructor" if found & _TEACHES else "learner" if "Learner" in found else "other"


def is_administrator(roles: Iterable[str]) -> bool:
    """Whether any role is that of an administrator of the course, the institution or the LMS."""
    return any(_in_course(role) == "Administrator" or _ABOVE.fullmatch(role) for role in roles)


def _in_course(role: str) -> str:
    if role.isalpha():
        return role
    found = _COURSE.fullmatch(role)
    return (found["principal"] or found["name"]) if found else ""
