"""Finding a colleague as people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.people.rules import Colleague, search

PEOPLE = [
    Colleague("1", "Seán Ó Dónaill", "Seán"),
    Colleague("2", "Niamh Ní Bhriain", "Niamh"),
    Colleague("3", "Aoife Walsh", "Aoife"),
    Colleague("4", "", ""),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", ["4", "3", "2", "1"]),
        ("sean", ["1"]),
        ("SEÁN", ["1"]),
        ("o donaill", ["1"]),
        ("bhriain niamh", ["2"]),
        ("  ", ["4", "3", "2", "1"]),
        ("nobody", []),
    ],
)
def test_search(wanted: str, found: list[str]) -> None:
    assert [colleague.membership_id for colleague in search(PEOPLE, wanted)] == found


@given(st.text(), st.lists(st.text(max_size=20), max_size=5))
def test_search_answers_whatever_is_typed(wanted: str, names: list[str]) -> None:
    people = [Colleague(str(i), name, name) for i, name in enumerate(names)]
    assert {each.membership_id for each in search(people, wanted)} <= {each.membership_id for each in people}
    assert len(search(people, "")) == len(people)


@given(st.text())
def test_everybody_is_found_by_their_own_name(name: str) -> None:
    assert search([Colleague("me", name, name)], name)
