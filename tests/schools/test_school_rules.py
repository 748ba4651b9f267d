"""Whose word on a school counts, what a charter needs, and what a file may hold: by tables."""

from dataclasses import replace

import pytest
from factories import A_TEACHER
from schools.conftest import CHARTER

from lti_tool.people.actor import Actor
from lti_tool.privacy.rules import Action, SchoolFacts, may
from lti_tool.schools import rules
from lti_tool.schools.files import BadFile, Listed, read_schools
from lti_tool.schools.rules import Filled, Problem, SaidBy


@pytest.mark.parametrize(
    ("said_by", "known_by", "counts"),
    [
        ("person", "", True),
        ("person", "person", True),
        ("person", "file", True),
        ("person", "group", True),
        ("file", "", True),
        ("file", "person", False),
        ("file", "file", True),
        ("file", "group", True),
        ("group", "", True),
        ("group", "person", False),
        ("group", "file", False),
        ("group", "group", True),
    ],
)
def test_ones_own_word_wins_over_the_file_and_the_file_over_groups(
    said_by: SaidBy, known_by: str, counts: bool
) -> None:
    assert rules.replaces(said_by, known_by) is counts


TEACHER = replace(A_TEACHER, platform_id="here")
LEADER, ADMINISTRATOR = replace(TEACHER, is_leader=True), replace(TEACHER, lms_role="other", is_administrator=True)
TRAINER = replace(TEACHER, lms_role="instructor", is_trainer=True)
OWN, OTHER = SchoolFacts("here", is_own=True), SchoolFacts("here")
ELSEWHERE = SchoolFacts("elsewhere", is_own=True)
NOTHING: set[Action] = set()


@pytest.mark.parametrize(
    ("actor", "school", "allowed"),
    [
        (TEACHER, OWN, NOTHING),
        (TRAINER, OWN, NOTHING),
        (replace(TEACHER, is_facilitator=True), OWN, NOTHING),
        (LEADER, OWN, {Action.SEE_SCHOOL, Action.SIGN_CHARTER}),
        (LEADER, OTHER, {Action.SEE_SCHOOL}),
        (LEADER, ELSEWHERE, NOTHING),
        (replace(LEADER, is_active=False), OWN, NOTHING),
        (ADMINISTRATOR, OWN, {Action.SEE_SCHOOL, Action.TEST_CONNECTION, Action.SIGN_CHARTER}),
        (ADMINISTRATOR, OTHER, {Action.SEE_SCHOOL, Action.TEST_CONNECTION, Action.SIGN_CHARTER}),
        (ADMINISTRATOR, ELSEWHERE, NOTHING),
        (replace(ADMINISTRATOR, is_active=False), OWN, NOTHING),
    ],
)
def test_who_sees_tests_and_signs(actor: Actor, school: SchoolFacts, allowed: set[Action]) -> None:
    asked = (Action.SEE_SCHOOL, Action.TEST_CONNECTION, Action.SIGN_CHARTER)
    assert {action for action in asked if may(actor, action, school)} == allowed


GOOD = Filled("Bríd", "Principal", "120", True, True)


@pytest.mark.parametrize(
    ("filled", "found"),
    [
        (GOOD, []),
        (Filled(), [Problem.NO_NAME, Problem.NO_POSITION, Problem.BAD_MINUTES, Problem.NOT_PROMISED, Problem.NO_TIME]),
        (Filled("B" * 200, "P" * 100, " 10 ", True, True), []),
        (Filled("B" * 201, "P" * 101, "600", True, True), [Problem.LONG_NAME, Problem.LONG_POSITION]),
        (Filled("Bríd", "Principal", "120", False, True), [Problem.NOT_PROMISED]),
        (Filled("Bríd", "Principal", "120", True, False), [Problem.NO_TIME]),
        *(
            (Filled("Bríd", "Principal", minutes, True, True), [Problem.BAD_MINUTES])
            for minutes in ("", "9", "601", "-20", "12.5", "two", "٣٠", "1e2", "9" * 5000)
        ),
    ],
)
def test_a_charter_is_signed_only_when_it_is_whole(filled: Filled, found: list[Problem]) -> None:
    assert rules.problems(filled) == found


def test_what_cannot_be_seen_is_not_kept() -> None:
    assert rules.line("  Bríd\r\n\0Ní\u202e Cheallaigh ") == "Bríd Ní Cheallaigh"
    assert CHARTER["signed_by"] == rules.line(CHARTER["signed_by"])


@pytest.mark.parametrize(("people", "shown"), [(0, None), (4, None), (5, 5), (120, 120)])
def test_few_people_are_not_counted(people: int, shown: int | None) -> None:
    assert rules.count_shown(people) == shown


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Scoil Éanna", "SCOIL  eanna", True),
        ("Scoil Éanna", "Scoil Éanna ", True),
        ("Scoil Éanna", "Scoil Eoin", False),
    ],
)
def test_one_school_is_written_in_several_ways(one: str, other: str, same: bool) -> None:
    assert (rules.name_key(one) == rules.name_key(other)) is same


TWO = [Listed("17", "Scoil Éanna"), Listed("18", "Coláiste Bríde")]


@pytest.mark.parametrize(
    "content",
    [
        "user id,school\n17,Scoil Éanna\n18,Coláiste Bríde\n",
        "\ufeffuser id;school\r\n17;Scoil Éanna\r\n18;Coláiste Bríde",
        'School , User ID \n"Scoil Éanna",17\n\n , \nColáiste  Bríde,18\n',
        "name;user_id;school\nN;17;Scoil Éanna\nS;18;Coláiste Bríde\n",
        "userid,school\n17,Scoil Éanna\n18,Coláiste Bríde\n17,scoil eanna\n",
    ],
)
def test_a_file_as_spreadsheets_write_it(content: str) -> None:
    assert read_schools(content.encode()) == TWO


def test_a_school_may_have_a_comma_and_a_line_break_in_quotes() -> None:
    content = 'user id,school\n17,"St. Mary\'s,\nCork"\n18,\n'
    with pytest.raises(BadFile, match="line 4: the school is empty"):
        read_schools(content.encode())
    assert read_schools(content.replace("18,\n", "").encode()) == [Listed("17", "St. Mary's, Cork")]


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        (b"", ["line 1: the first line must name the columns: user id,school"]),
        (b"17,Scoil", ["line 1: the first line must name the columns: user id,school"]),
        (b"user id,school,school\n", ["line 1: the first line must name the columns: user id,school"]),
        (b"id;school\n1;x\n", ["line 1: the first line must name the columns: user id;school"]),
        (b"user id,school\n", ["there is nobody in the file"]),
        (b"user id,school\n17,Scoil \xc9anna\n", ["line 2: this is not UTF-8. Save the file as CSV UTF-8."]),
        (
            b"user id,school\n,A\n17,\n18\n19,a\0b\n" + b"x" * 256 + b",A\n20," + b"s" * 201 + b"\n21,A\n21,B\n",
            [
                "line 2: the user id is empty",
                "line 3: the school is empty",
                "line 4: 1 columns, the first line has 2",
                "line 5: the school has characters that cannot be shown",
                "line 6: the user id is longer than 255 characters",
                "line 7: the school is longer than 200 characters",
                "line 9: user id 21 has another school in line 8",
            ],
        ),
    ],
)
def test_all_that_is_wrong_with_a_file_is_said_at_once(content: bytes, errors: list[str]) -> None:
    with pytest.raises(BadFile) as raised:
        read_schools(content)
    assert raised.value.errors == errors


def test_a_quote_that_is_never_closed_is_no_file() -> None:
    with pytest.raises(BadFile, match="this is no CSV file"):
        read_schools(b'user id,school\n17,"Scoil\n')
