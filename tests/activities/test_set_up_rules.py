"""What a set-up form may say."""

import pytest

from lti_tool.activities.rules import MAX_PURPOSE, Problem, problems

KNOWN = ("light", "collegial")


@pytest.mark.parametrize(
    ("protocol", "purpose", "found"),
    [
        ("light", "", []),
        ("collegial", "x" * MAX_PURPOSE, []),
        ("", "", [Problem.NO_PROTOCOL]),
        ("Light", "", [Problem.NO_PROTOCOL]),
        ("light", "x" * (MAX_PURPOSE + 1), [Problem.LONG_PURPOSE]),
        ("no such", "á" * 5000, [Problem.NO_PROTOCOL, Problem.LONG_PURPOSE]),
    ],
)
def test_problems(protocol: str, purpose: str, found: list[Problem]) -> None:
    assert problems(protocol, purpose, KNOWN) == found
