"""Who sits at this browser: the account chosen on the "who am I" page, kept in a cookie of the LMS."""

import secrets
from typing import cast

from flask import session

from lti_tool.sandbox.errors import PageRefusal
from lti_tool.sandbox.people import CourseRole, Person
from lti_tool.sandbox.school import Course
from lti_tool.sandbox.state import the_school


def log_in(person: Person) -> None:
    session.clear()
    session["person"] = person.id
    session["sesskey"] = secrets.token_hex(5)


def log_out() -> None:
    session.clear()


def current_person() -> Person | None:
    return the_school().people.get(session.get("person", ""))


def session_key() -> str:
    """The key that addresses given to tools carry, so that only this session can use them."""
    return cast("str", session.get("sesskey", ""))


def require_person() -> Person:
    """The person logged in. Raises `PageRefusal` (401) if nobody is."""
    person = current_person()
    if person is None:
        raise PageRefusal(401, "You are not logged in", "Choose who you are first.")
    return person


def require_member(course_id: str) -> tuple[Person, Course, CourseRole]:
    """The person logged in, the course and what they are in it. Raises `PageRefusal` (401, 403, 404)."""
    person = require_person()
    school = the_school()
    course = school.courses.get(course_id)
    if course is None:
        raise PageRefusal(404, "There is no such course", "Go to the dashboard: it lists your courses.")
    role = school.role_of(person, course)
    if role is None:
        product = school.personality.product
        advice = f"You are not enrolled in “{course.title}”. Ask the school’s {product} administrator to enrol you."
        raise PageRefusal(403, "You are not enrolled in this course", advice)
    return person, course, role


def require_editor(course_id: str) -> tuple[Person, Course, CourseRole]:
    """As `require_member`, for those who may add activities to the course."""
    person, course, role = require_member(course_id)
    if not role.may_edit:
        raise PageRefusal(403, "You may not edit this course", "Only its teachers and managers add activities.")
    return person, course, role


def require_admin() -> Person:
    """The person logged in, who must be a site administrator. Raises `PageRefusal` (401, 403)."""
    person = require_person()
    if not person.is_admin:
        advice = "Switch to the site administrator to manage tools."
        raise PageRefusal(403, "Only the site administrator manages tools", advice)
    return person
