"""What a set-up form may say."""

import pytest

from lti_tool.activities.rules import MAX_PURPOSE, MAX_TITLE, Choice, Problem, problems, problems_of_choices

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


EMPTY, GOOD = Choice("", "", "light"), Choice("Cycle 1", "", "light")


@pytest.mark.parametrize(
    ("choices", "found"),
    [
        ([GOOD], []),
        ([GOOD, EMPTY, EMPTY], []),
        ([EMPTY, GOOD, EMPTY], []),
        ([GOOD, Choice("", "", "no such")], []),
        ([EMPTY], [(0, Problem.NO_TITLE)]),
        ([EMPTY, EMPTY], [(0, Problem.NO_TITLE)]),
        ([GOOD, Choice("", "why", "light")], [(1, Problem.NO_TITLE)]),
        ([GOOD, Choice("x", "", "")], [(1, Problem.NO_PROTOCOL)]),
        ([Choice("x" * MAX_TITLE, "x" * MAX_PURPOSE, "collegial")], []),
        (
            [Choice("x" * (MAX_TITLE + 1), "x" * (MAX_PURPOSE + 1), "")],
            [(0, Problem.LONG_TITLE), (0, Problem.NO_PROTOCOL), (0, Problem.LONG_PURPOSE)],
        ),
    ],
)
def test_problems_of_choices(choices: list[Choice], found: list[tuple[int, Problem]]) -> None:
    assert problems_of_choices(choices, KNOWN) == found
