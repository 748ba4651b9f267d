"""What role names come to."""

import pytest

from lti_tool.lti.roles import is_administrator, lms_role

V2 = "http://purl.imsglobal.org/vocab/lis/v2"


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["Learner"], "learner"),
        (["Instructor"], "instructor"),
        (["Learner", "Instructor"], "instructor"),
        ([f"{V2}/membership#Learner"], "learner"),
        ([f"{V2}/membership#Instructor", f"{V2}/institution/person#Student"], "instructor"),
        ([f"{V2}/membership/Instructor#TeachingAssistant"], "instructor"),
        ([f"{V2}/membership/Learner#NonCreditLearner"], "learner"),
        (["urn:lti:role:ims/lis/Learner"], "learner"),
        (["urn:lti:role:ims/lis/Instructor/GuestInstructor"], "instructor"),
        ([f"{V2}/institution/person#Instructor"], "other"),
        ([f"{V2}/institution/person#Faculty", f"{V2}/membership#Learner"], "learner"),
        ([f"{V2}/membership#Mentor"], "other"),
        (["https://lms.example/roles#Instructor"], "other"),
        (["http://evil.example/http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"], "other"),
        (["", "#", "membership#Instructor "], "other"),
        ([], "other"),
    ],
)
def test_only_roles_in_the_course_count(roles: list[str], expected: str) -> None:
    assert lms_role(roles) == expected


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("Administrator", True),
        (f"{V2}/membership#Administrator", True),
        (f"{V2}/institution/person#Administrator", True),
        (f"{V2}/system/person#SysAdmin", True),
        (f"{V2}/person#Administrator", True),
        ("urn:lti:sysrole:ims/lis/Administrator", True),
        ("Instructor", False),
        (f"{V2}/institution/person#Staff", False),
        (f"{V2}/person#AdministratorX", False),
    ],
)
def test_administrators_of_any_level_are_seen(role: str, expected: bool) -> None:
    assert is_administrator(["Learner", role]) is expected
