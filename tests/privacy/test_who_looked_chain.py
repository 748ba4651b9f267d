"""A chain of looks holds as it was written, and breaks at the line where anybody without the key touches it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lti_tool.privacy.looks import chain
from lti_tool.privacy.looks.chain import Head, Line

KEY = b"k" * 32
OTHER_KEY = b"o" * 32
FIRST = datetime(2026, 9, 1, 9, tzinfo=UTC)
Chain = tuple[Head, list[tuple[Line, str]]]

said = st.lists(
    st.tuples(
        st.sampled_from(["ann", "ben", "cas"]),
        st.sampled_from(["", "cycle1", "cycle2"]),
        st.sampled_from(["before", "visit", "history"]),
        st.integers(0, 5000),
    ),
    min_size=1,
    max_size=12,
)


def written(said_lines: list[tuple[str, str, str, int]], key: bytes = KEY) -> Chain:
    """The chain of these lines, each (viewer, cycle, what, hours after the first)."""
    previous, lines = chain.START, []
    for number, (viewer, cycle, what, hours) in enumerate(said_lines, 1):
        line = Line(number, chain.viewer_mark(key, viewer), cycle, what, FIRST + timedelta(hours=hours))
        previous = chain.line_mark(key, previous, line)
        lines.append((line, previous))
    return chain.new_head(key, len(lines), previous), lines


def numbered(lines: list[tuple[Line, str]]) -> list[tuple[Line, str]]:
    """Lines under the numbers of their places, as somebody would leave them who wants it not to be seen."""
    return [(replace(line, number=number), mark) for number, (line, mark) in enumerate(lines, 1)]


@given(said)
def test_what_was_written_is_whole(lines: list[tuple[str, str, str, int]]) -> None:
    head, kept = written(lines)
    assert chain.first_break(KEY, head, kept) is None


def test_nothing_written_is_whole() -> None:
    assert chain.first_break(KEY, chain.new_head(KEY, 0, chain.START), []) is None
    assert chain.first_break(KEY, None, []) is None


@given(said, st.data())
def test_a_line_taken_out_is_noticed_where_it_was(lines: list[tuple[str, str, str, int]], data: st.DataObject) -> None:
    head, kept = written(lines)
    at = data.draw(st.integers(0, len(kept) - 1))
    assert chain.first_break(KEY, head, kept[:at] + kept[at + 1 :]) == at + 1
    assert chain.first_break(KEY, head, numbered(kept[:at] + kept[at + 1 :])) == at + 1


@given(said, st.data())
def test_a_cut_end_is_noticed_also_with_a_head_to_match(
    lines: list[tuple[str, str, str, int]], data: st.DataObject
) -> None:
    head, kept = written(lines)
    left = data.draw(st.integers(0, len(kept) - 1))
    last = kept[left - 1][1] if left else chain.START
    for changed in (head, replace(head, length=left), replace(head, length=left, last_mark=last)):
        assert chain.first_break(KEY, changed, kept[:left]) == left + 1
    if left:
        assert chain.first_break(KEY, None, kept[:left]) == left + 1


CHANGES: dict[str, Callable[[Line], Line]] = {
    "viewer": lambda line: replace(line, viewer_mark=chain.viewer_mark(KEY, "dan")),
    "cycle": lambda line: replace(line, cycle_id="cycle3"),
    "what": lambda line: replace(line, what="after"),
    "hour": lambda line: replace(line, hour=line.hour + timedelta(hours=1)),
}


@pytest.mark.parametrize("what", CHANGES)
@given(lines=said, data=st.data())
def test_a_changed_line_is_noticed(what: str, lines: list[tuple[str, str, str, int]], data: st.DataObject) -> None:
    head, kept = written(lines)
    at = data.draw(st.integers(0, len(kept) - 1))
    line, mark = kept[at]
    changed = CHANGES[what](line)
    for left in (mark, chain.line_mark(OTHER_KEY, kept[at - 1][1] if at else chain.START, changed)):
        assert chain.first_break(KEY, head, [*kept[:at], (changed, left), *kept[at + 1 :]]) == at + 1


@given(said, st.data())
def test_a_line_put_in_is_noticed(lines: list[tuple[str, str, str, int]], data: st.DataObject) -> None:
    head, kept = written(lines)
    at = data.draw(st.integers(0, len(kept)))
    copied = data.draw(st.sampled_from(kept))
    longer = numbered([*kept[:at], copied, *kept[at:]])
    # A copy of the line that stood there looks like it; then it is the next that is one too many.
    place = at + 1 if copied[0].number == at + 1 else at
    assert chain.first_break(KEY, replace(head, length=len(longer)), longer) == place + 1


@given(said, st.data())
def test_moved_lines_are_noticed_where_the_first_moved(
    lines: list[tuple[str, str, str, int]], data: st.DataObject
) -> None:
    head, kept = written(lines)
    order = data.draw(st.permutations(range(len(kept))))
    assume(order != list(range(len(kept))))
    moved = [kept[place] for place in order]
    first = next(place for place, was in enumerate(order) if place != was)
    assert chain.first_break(KEY, head, moved) == first + 1
    assert chain.first_break(KEY, head, numbered(moved)) == first + 1


@given(said)
def test_without_the_key_no_chain_can_be_written(lines: list[tuple[str, str, str, int]]) -> None:
    assert chain.first_break(KEY, *written(lines, OTHER_KEY)) == 1


def test_values_do_not_run_into_each_other() -> None:
    one = Line(1, "a", "b", "cd", FIRST)
    assert chain.line_mark(KEY, "", one) != chain.line_mark(KEY, "", replace(one, cycle_id="bc", what="d"))
