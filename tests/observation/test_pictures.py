"""Pictures: all that was noted is in the tables once, nothing leaves the drawing, and sentences say what is there."""

import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from observation.drawn import figure, speaking
from observation.made import entries_of, made, says

from lti_tool.observation import entries as entry_rules
from lti_tool.observation import instrument as instruments
from lti_tool.observation import words
from lti_tool.observation.entries import Entry, standing
from lti_tool.observation.instrument import CLASS, MARKS, TEACHER, Code, Instrument, Mark, Plan, Row, Seat, undecided
from lti_tool.observation.pictures import draw
from lti_tool.observation.pictures.shapes import LOOKS, WIDTH, Circle, Picture, Rect, Table, Text, box, fitted, wide
from lti_tool.observation.said import RefusedError, Said
from lti_tool.observation.shipped import shipped

MANY = settings(max_examples=400 if os.environ.get("MEITHEAL_SOAK") == "1" else 12, deadline=None)
BASES = sorted(shipped())
SVG = "{http://www.w3.org/2000/svg}"

COUNTED = {
    "verbal_flow": ("table_flow", 3),
    "class_traffic": ("table_places", 2),
    "participation_spread": ("table_turns", 2),
}
"""Base → table and column in which numbers of entries stand."""


def lesson(base: str, *values: dict[str, Any], every_ms: int = 10_000) -> list[Entry]:
    """Entries of one phone, ten seconds apart."""
    found = made(base)
    return [Entry("phone", i, i * every_ms, **says(found, **each)) for i, each in enumerate(values, 1)]


def table(picture: Picture, title: str) -> Table:
    (found,) = [each for each in picture.tables if each.title.key == title]
    return found


def said(picture: Picture, key: str) -> list[dict[str, Any]]:
    return [dict(each.values) for each in picture.words if each.key == key]


def bars_of(picture: Picture) -> dict[str, int]:
    """Label → number of each bar of a drawing that begins with bars."""
    texts = [each for each in picture.shapes if isinstance(each, Text)]
    return {
        str(label.said): int(str(number.said))
        for label, number in pairwise(texts)
        if number.bold and not label.bold and str(number.said).isdigit()
    }


# What holds for each


@st.composite
def drawn(draw_: st.DrawFn, base: str) -> tuple[Instrument, list[Entry], int]:
    """An instrument with a plan and texts of any size, entries, and the minutes of a lesson."""
    found = made(base)
    text = st.text("aMW字é<&\"'%{ ", max_size=38).map(lambda each: " ".join(each.split()))
    found = replace(
        found,
        name=f"a{draw_(text)}",
        codes=tuple(
            Code(each.key, f"{letter}{draw_(text)}") for letter, each in zip("abcdefghi", found.codes, strict=False)
        ),
        rows=tuple(Row(each.key, f"a{draw_(text)}", each.expected) for each in found.rows),
        interval_s=draw_(st.sampled_from([60, 150, 600])) if found.interval_s else 0,
    )
    if found.plan:
        width, depth = draw_(st.integers(1, 12)), draw_(st.integers(1, 16))
        places = [(x, y) for x in range(width) for y in range(depth)]
        Random(draw_(st.integers(0, 99))).shuffle(places)
        number = draw_(st.integers(1, min(40, len(places))))
        marks = tuple(Mark(MARKS[i % 5], *each) for i, each in enumerate(places[number : number + 9]))
        found = replace(
            found,
            plan=Plan(width, depth, tuple(Seat(i, *each) for i, each in enumerate(places[:number], 1)), marks),
        )
    return found, draw_(entries_of(found)), draw_(st.integers(0, 90))


@pytest.mark.parametrize("base", BASES)
def test_each_entry_that_stands_is_in_the_tables_once_and_nothing_leaves_the_drawing(base: str) -> None:
    @given(drawn(base))
    @MANY
    def check(case: tuple[Instrument, list[Entry], int]) -> None:
        found, entries, minutes = case
        assert instruments.read(found.to_json()) == found
        picture = draw(found, entries, minutes)
        told = [each for part in picture.tables for line in part.lines for each in line.entries]
        assert sorted(told) == sorted(each.id for each in standing(entries))
        for shape in picture.shapes:
            left, top, right, bottom = box(shape)
            assert left >= -0.2 and top >= -0.2 and right <= WIDTH + 0.2 and bottom <= picture.height + 0.2, shape
            assert getattr(shape, "look", "ink") in LOOKS
        if counted := COUNTED.get(base):
            title, column = counted
            numbers = [line.cells[column] for line in table(picture, title).lines if line.entries]
            assert sum(int(str(number)) for number in numbers) == sum(e.column == "seen" for e in standing(entries))
        for part in picture.tables:
            assert {len(line.cells) for line in part.lines} <= {len(part.heads)}

    check()


@pytest.mark.parametrize("base", BASES)
def test_the_same_entries_give_the_same_picture_whatever_their_order_and_without_what_was_taken_back(base: str) -> None:
    @given(entries_of(made(base), most=15), st.randoms())
    @settings(max_examples=5, deadline=None)
    def check(entries: list[Entry], random: Any) -> None:
        first = draw(made(base), entries, 40)
        mixed = [*entries, *(each for each in entries if random.random() < 0.3)]
        random.shuffle(mixed)
        assert draw(made(base), mixed, 40) == first
        assert draw(made(base), [each for each in mixed if not each.undone], 40) == first
        away = [Entry(each.device, 1000 + each.number, each.at_ms, undoes=each.number) for each in entries]
        assert draw(made(base), [*mixed, *away], 40) == draw(made(base), [], 40)

    check()


@pytest.mark.parametrize("number", [0, 1, 400])
def test_a_page_of_each_picture_is_well_formed_and_says_all_in_both_languages(number: int) -> None:
    for language in ("en", "ga"):
        with speaking(language):
            for base in BASES:
                found = made(base, language)
                seats = [each.number for each in found.plan.seats] if found.plan else [1]
                picture = draw(
                    found,
                    [
                        Entry("phone", i, i * 9_000, **says(found, seat=seats[i % len(seats)], text='"2 < 3" & so?'))
                        if i % 20
                        else Entry("tablet", i, i * 9_000, "mine", text="To try")
                        for i in range(1, number + 1)
                    ],
                    45,
                )
                read = figure(picture)
                captions = [each.text for each in read.iter("caption")]
                assert len(captions) == sum(bool(each.lines) for each in picture.tables)
                assert len([*read.iter("li")]) >= len(picture.words)
                for drawing in read.iter(f"{SVG}svg"):
                    assert drawing.get("role") == "img"
                    (title,) = drawing.iter(f"{SVG}title")
                    assert (title.text, drawing.get("aria-labelledby")) == (found.name, f"{title.get('id')} p1-desc")
                assert "%(" not in "".join(read.itertext())


def test_a_page_can_add_something_to_the_rows_that_tell_of_entries() -> None:
    with speaking("en"):
        picture = draw(made("tally"), lesson("tally", {}, {}), 10)
        read = figure(picture, lambda line: f"point at {len(line.entries)}" if line.entries else "")
    cells = [row[-1].text for row in read.iter("tr")]
    assert cells == [None, "point at 2", None, None]


def test_a_drawing_is_legible_in_grey_on_a_narrow_phone() -> None:
    with speaking("en"):
        read = figure(draw(made("at_task_sweep"), lesson("at_task_sweep", {}, {"code": "waiting"}), 10))
    (drawing,) = [each for each in read.iter(f"{SVG}svg") if each.get("role") == "img"]
    # A card on a screen of 320 px leaves 254 px for it.
    assert float(drawing.get("font-size", 0)) * 254 / WIDTH >= 12
    colours = {each.get(key) for each in read.iter() for key in ("fill", "stroke")} - {None, "none"}
    patterns = {f"url(#{each.get('id')})" for each in read.iter(f"{SVG}pattern")}
    assert colours <= {"currentColor", "var(--paper, #fff)", *patterns}


def test_sentences_are_known_and_none_of_them_judges() -> None:
    room = Path(words.__file__).parent
    source = "\n".join(each.read_text("utf-8") for each in sorted(room.rglob("*.py")) if each.name != "words.py")
    keys = set(re.findall(r'Said\("([a-z_]+)"', source))
    keys.update(re.findall(r'\b(?:say|once)\(.*, "([a-z_]+)"[,)]', source))
    assert len(keys) > 60
    with speaking("en"):
        values = dict.fromkeys(("count", "of", "number", "minute", "least", "most", "least_at", "most_at", "seats"), 2)
        texts = {"code": "Asks", "name": "A", "place": "A1", "seconds": "2.0", "allowed": "a"}
        texts |= {"lasting": "1:00", "at": "1:00"}
        sentences = [words.say(Said(key, {**values, **texts, "moves": 3, "entries": 4})) for key in words.SENTENCES]
    assert keys <= set(words.SENTENCES)
    judged = "good|bad|poor|well|better|best|should|excellent|effective|only|too few|weak|strong|score|rank|grade"
    assert not [each for each in sentences if re.search(rf"\b({judged})\b", each.casefold())]


@pytest.mark.parametrize("base", BASES)
def test_what_is_to_decide_or_to_mend_can_be_said(base: str) -> None:
    with speaking("en"):
        assert all(words.say(each).endswith(".") for each in undecided(shipped()[base].begin("en")))
        for read in (lambda: entry_rules.read({"number": "x"}, made(base)), lambda: instruments.read([base])):
            with pytest.raises(RefusedError) as refused:
                read()
            assert all(words.problem(each).endswith(".") for each in refused.value.problems)


# One by one


def test_scripting_keeps_the_questions_of_the_coach_and_what_is_for_the_own_class_apart() -> None:
    entries = [
        *lesson("scripting", {"text": "Why?"}, {"code": "pupil", "seat": 7, "text": "Because."}),
        Entry("tablet", 1, 15_000, "question", text="What made you wait?"),
        Entry("tablet", 2, 16_000, "mine", text="Wait longer"),
    ]
    picture = draw(made("scripting"), entries, 40)
    assert [line.cells[-1] for line in table(picture, "table_lines").lines] == ["Why?", "Because."]
    assert table(picture, "table_lines").lines[1].cells[2] == Said("seat", {"number": 7})
    assert [line.cells for line in table(picture, "table_question").lines] == [("0:15", "What made you wait?")]
    assert [line.cells for line in table(picture, "table_mine").lines] == [("0:16", "Wait longer")]


def test_each_line_is_a_stroke_in_the_lane_of_its_speaker_at_its_time() -> None:
    at = [(60, "teacher"), (120, "pupil"), (180, "teacher"), (16 * 60, "teacher")]
    entries = [Entry("p", i, s * 1000, code=code, text="?") for i, (s, code) in enumerate(at, 1)]
    picture = draw(made("scripting"), entries, 30)
    strokes = [each for each in picture.shapes if isinstance(each, Rect)]
    letters = {each.y: each.said for each in picture.shapes if isinstance(each, Text) and each.bold}
    lane = [(letters[min(letters, key=lambda y: abs(y - each.y - 13))], each.x) for each in strokes]
    assert [letter for letter, _ in lane] == ["A", "A", "B", "A"]
    (first, third, second, later) = [x for _, x in lane]
    assert second - first == pytest.approx(third - second, abs=0.2)
    # A quarter of an hour on, on the next line.
    assert later == first and strokes[3].y > strokes[0].y


def test_bars_and_tables_count_the_same() -> None:
    for base, title in (("selective_verbatim", "table_lines"), ("question_level", "table_questions")):
        codes = made(base).codes
        entries = lesson(base, *({"code": codes[i % 3].key} for i in range(10)))
        picture = draw(made(base), entries, 40)
        counts = [dict(each.values)["count"] for each in picture.words if each.key == "of_code"]
        assert list(bars_of(picture).values())[: len(codes)] == counts == [4, 3, 3, *[0] * (len(codes) - 3)]
        assert len(table(picture, title).lines) == 10


def test_questions_stand_in_the_strip_in_their_order() -> None:
    picture = draw(made("question_level"), lesson("question_level", *[{"code": "create"}, {}, {"code": "create"}]), 5)
    squares = [each for each in picture.shapes if isinstance(each, Rect) and each.height == 13]
    assert len(squares) == 3
    first, second, third = sorted(squares, key=lambda each: each.x)
    assert first.y == third.y > second.y


def test_a_silence_goes_from_the_end_of_a_question_or_answer_to_the_next_word() -> None:
    taps = [(1_000, "question"), (3_500, "speech"), (9_000, "answer"), (10_000, "speech"), (12_000, "question"),
            (13_000, "question"), (14_500, "speech"), (20_000, "speech"), (30_000, "question")]  # fmt: skip
    # Two devices: each second tap comes from the other.
    entries = [Entry(("a", "b")[i % 2], i + 1, at, code=code) for i, (at, code) in enumerate(taps)]
    picture = draw(made("wait_time"), entries, 1)
    lines = table(picture, "table_silences").lines
    assert [line.cells[2] for line in lines] == ["2.5", "1.0", Said("no_end"), "1.5", "", Said("no_end")]
    assert lines[4].cells[1] == Said("no_start")
    assert said(picture, "silences") == [{"count": 3}]
    assert [(each["count"], each["seconds"]) for each in said(picture, "median")] == [(2, "2.0"), (1, "1.0")]


def test_long_silences_stand_at_the_end_of_the_scale() -> None:
    entries = lesson("wait_time", {}, {"code": "speech"}, every_ms=45_000)
    assert said(draw(made("wait_time"), entries, 10), "longer") == [{"count": 1, "seconds": 30}]


def test_a_seat_tapped_twice_in_a_round_counts_once_as_what_was_tapped_last() -> None:
    taps = [(0, 1, "alone"), (1, 1, "waiting"), (2, 2, "alone"), (300, 1, "alone")]
    entries = [Entry("p", i + 1, s * 1000, seat=seat, code=code) for i, (s, seat, code) in enumerate(taps)]
    picture = draw(made("at_task_sweep"), entries, 10)
    divided = [line.cells[1:4] for line in table(picture, "table_rounds").lines]
    assert divided == [("1 (50%)", "0 (0%)", "1 (50%)"), ("1 (100%)", "0 (0%)", "0 (0%)")]
    assert table(picture, "table_seats").lines[0].cells == (Said("seat", {"number": 1}), "A, C", "A")
    # A round that was broken off after one seat does not look like one of all of them.
    ends = [each.said for each in picture.shapes if isinstance(each, Text) and "/24" in str(each.said)]
    assert ends == ["2/24", "1/24"]
    assert said(picture, "rounds") == [{"count": 2, "entries": 4}]


def test_the_letter_of_the_teacher_and_words_at_the_walls_stand_where_they_belong() -> None:
    room = Plan(4, 3, (Seat(1, 1, 2),), (Mark("desk", 0, 0), Mark("window", 0, 2), Mark("door", 3, 0)))
    used = replace(made("verbal_flow"), plan=room)
    shapes = draw(used, [Entry("phone", 1, 1000, code=used.codes[0].key, seat=TEACHER, to_seat=1)], 30).shapes
    texts = {each.said.key: each for each in shapes if isinstance(each, Text) and isinstance(each.said, Said)}
    (teacher,) = [each for each in shapes if isinstance(each, Circle) and each.look == "ink"]
    assert texts["teacher_letter"].x == teacher.x
    boxes = [box(each) for each in shapes if isinstance(each, Rect) and each.look == "pale"]
    for word, anchor, side in (("window", "start", 0), ("door", "end", 2)):
        # Written from the wall inwards, so from its box, however long it is in a language.
        assert texts[word].anchor == anchor
        assert min(abs(texts[word].x - each[side]) for each in boxes) <= 4


def test_the_table_of_turns_says_from_seat_to_seat_how_often_in_the_order_of_seats() -> None:
    pairs = [(4, 9)] * 4 + [(TEACHER, CLASS)] * 3 + [(4, TEACHER)] * 2
    entries = lesson("verbal_flow", *({"seat": seat, "to_seat": to} for seat, to in pairs))
    picture = draw(made("verbal_flow"), entries, 10)
    seat = {number: Said("seat", {"number": number}) for number in (4, 9)}
    assert [line.cells for line in table(picture, "table_flow").lines] == [
        (Said("teacher"), Said("class"), "Asks", 3),
        (seat[4], Said("teacher"), "Asks", 2),
        (seat[4], seat[9], "Asks", 4),
    ]
    # What goes to the class is no arrow, and is said under the plan.
    assert sum(each.kind == "arrow" for each in picture.shapes) == 2
    assert Said("to_class", {"count": 3}) in [each.said for each in picture.shapes if isinstance(each, Text)]
    assert (said(picture, "seats_spoke"), said(picture, "among_pupils")) == ([{"count": 1, "of": 24}], [{"count": 4}])


def test_a_stay_lasts_until_the_next_tap_and_of_the_last_one_nothing_is_said() -> None:
    spots = [(0.4, 2.5), (4.5, 5.5), (0.6, 2.1), (8.5, 7.5)]
    entries = lesson("class_traffic", *({"x": x, "y": y} for x, y in spots), every_ms=60_000)
    # Closed in the evening: the lesson is said to have lasted for hours.
    picture = draw(made("class_traffic"), entries, 300)
    assert [line.cells for line in table(picture, "table_places").lines] == [
        ("A3", Said("seat", {"number": 1}), 2, "2:00", "1:00"),
        ("E6", Said("seat", {"number": 16}), 1, "1:00", "2:00"),
        ("I8", Said("seat", {"number": 24}), 1, Said("not_known"), "4:00"),
    ]
    assert [each["lasting"] for each in said(picture, "stayed") + said(picture, "stayed_near")] == ["2:00", "1:00"]
    assert said(picture, "open_end") == [{"at": "4:00"}]
    turns = draw(made("participation_spread"), lesson("participation_spread", {"seat": 3}, {"seat": 4}), 300)
    lines = {str(line.cells[0]): line.cells[3] for line in table(turns, "table_turns").lines}
    seats = [lines[str(Said("seat", {"number": number}))] for number in (3, 4, 5)]
    assert seats == ["0:10", Said("not_known"), "0:00"] and said(turns, "open_end") == [{"at": "0:20"}]


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        ([24, 24], ["share"]),
        # One that was broken off after one seat, where that one waited, is not "most at 5 minutes".
        ([24, 1], ["rounds_short", "share_once"]),
        ([24, 23, 2], ["rounds_short", "share"]),
        ([], []),
    ],
)
def test_rounds_of_fewer_seats_are_not_compared_with_others(noted: list[int], expected: list[str]) -> None:
    entries = [
        Entry("p", 100 * at + seat, at * 300_000 + seat, seat=seat, code="alone" if seat > 1 + at else "waiting")
        for at, seats in enumerate(noted)
        for seat in range(1, seats + 1)
    ]
    picture = draw(made("at_task_sweep"), entries, 15)
    told = [each.key for each in picture.words if each.values.get("code") in (None, "Waiting for help")]
    assert told == ["rounds", *expected]
    for each in said(picture, "share"):
        assert each["most"] - each["least"] <= 5


def test_counters_are_counted_for_every_five_minutes() -> None:
    at = [0, 299, 300, 301, 3599]
    entries = [Entry("p", i + 1, s * 1000, code="reasons") for i, s in enumerate(at)]
    lines = table(draw(made("tally"), entries, 60), "table_counts").lines
    assert [line.cells[2] for line in lines] == [2, 2, *[0] * 9, 1, 5]
    assert [line.cells[0] for line in lines[:2]] == ["0–5", "5–10"]


def test_a_stretch_is_filled_however_often_its_code_was_tapped() -> None:
    entries = [Entry("p", i + 1, s * 1000, code="listen") for i, s in enumerate([0, 60, 130, 500])]
    picture = draw(made("interval_codes"), entries, 10)
    listen = [line.cells[5] for line in table(picture, "table_stretches").lines]
    assert listen == ["●", "●", "", "", "●", 3]
    assert {"code": "Pupils listen", "count": 3, "of": 5} in said(picture, "in_stretches")
    filled = [each.width for each in picture.shapes if isinstance(each, Rect) and each.look == "ink"]
    assert len(filled) == 2 and filled[0] == pytest.approx(2 * filled[1], abs=0.2)


def test_talk_is_told_by_seat_and_by_part_of_the_room() -> None:
    seats = [1, 1, 1, TEACHER, 2, 24]
    picture = draw(made("participation_spread"), lesson("participation_spread", *({"seat": s} for s in seats)), 1)
    lines = {str(line.cells[0]): line.cells for line in table(picture, "table_turns").lines}
    assert len(lines) == 25
    assert lines[str(Said("seat", {"number": 1}))][1:4] == (Said("in_front"), 3, "0:30")
    assert lines[str(Said("teacher"))][1:4] == ("", 1, "0:10")
    assert said(picture, "half_of_turns") == [{"count": 1, "of": 24}]
    # The curve: nothing of 21 seats, then one turn, two and five, which are all.
    (curve,) = [each.points for each in picture.shapes if each.kind == "path" and each.width == 3]
    (left, bottom), (right, top) = curve[0], curve[-1]
    heights = [(bottom - y) / (bottom - top) for _, y in curve]
    assert heights[21:] == pytest.approx([0, 0.2, 0.4, 1], abs=0.01) and set(heights[:22]) == {0}
    assert [(x - left) / (right - left) for x, _ in curve] == pytest.approx([i / 24 for i in range(25)], abs=0.01)
    assert said(picture, "words_front") + said(picture, "words_back") == [
        {"count": 4, "seats": 12},
        {"count": 1, "seats": 6},
    ]


def test_what_was_expected_stands_beside_what_was_seen() -> None:
    entries = lesson("case_pupils", {"row": "second", "text": "Draws"}, {"row": "second", "text": "Rubs it out"})
    lines = table(draw(made("case_pupils"), entries, 40), "table_pupils").lines
    assert [line.cells for line in lines][1] == (
        "Pupil Two", "Draws before calculating", ("0:10 Draws", "0:20 Rubs it out")
    )  # fmt: skip
    assert [len(line.entries) for line in lines] == [0, 2, 0]


def test_what_pupils_say_tells_no_time_and_no_order() -> None:
    entries = lesson("student_voice", {"row": "stuck", "text": "Wait", "code": "hard"}, {"row": "stuck", "text": "Ask"})
    picture = draw(made("student_voice"), entries, 40)
    assert [line.cells[1:] for line in table(picture, "table_answers").lines] == [
        ("Ask", ""),
        ("Wait", "What was hard"),
    ]
    assert "0:10" not in str(picture)


def test_of_a_list_the_last_tap_holds_and_remarks_stay() -> None:
    entries = lesson(
        "checklist", {"row": "choice", "code": "not_seen"}, {"row": "choice", "code": "seen", "text": "Two ways"}
    )
    picture = draw(made("checklist"), entries, 40)
    assert [line.cells[1:] for line in table(picture, "table_list").lines] == [
        (Said("not_said"), ()), ("Seen", ("0:20 Two ways",)), (Said("not_said"), ())
    ]  # fmt: skip
    assert picture.shapes == ()


def test_a_label_is_shortened_to_what_there_is_room_for() -> None:
    assert fitted("Short", 100) == "Short"
    assert wide(fitted("W" * 40, 100)) <= 100
    assert fitted("字" * 40, 100).endswith("…")
