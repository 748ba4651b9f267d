"""What a picture, a plan and a refusal say, in the language of a page. Sentences describe, and never judge."""

from collections.abc import Callable, Mapping

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.observation.said import Problem, Said

_Values = Mapping[str, int | float | str]


def say(said: Said | str | int) -> str:
    """The sentence, or what is a text already as it is."""
    if not isinstance(said, Said):
        return str(said)
    return SENTENCES[said.key](said.values)


def problem(found: Problem) -> str:
    """What is to be done about a value that cannot be taken."""
    return say(found.said)


SENTENCES: dict[str, Callable[[_Values], str]] = {
    # Of a plan
    "front": lambda v: _("Front"),
    "board": lambda v: _("board"),
    "desk": lambda v: _("desk"),
    "door": lambda v: _("door"),
    "window": lambda v: _("window"),
    "screen": lambda v: _("screen"),
    "teacher": lambda v: _("Teacher"),
    # Translators: one letter for the teacher on a seating plan
    "teacher_letter": lambda v: _("T"),
    "class": lambda v: _("The class"),
    "seat": lambda v: _("Seat %(number)s", **v),
    "seats_of_plan": lambda v: ngettext("A plan with %(num)s seat.", "A plan with %(num)s seats.", int(v["count"])),
    # On axes and in drawings
    "axis_minute": lambda v: _("%(minute)s min", **v),
    "axis_seconds": lambda v: _("Seconds"),
    "by_zone": lambda v: _("Turns by part of the room"),
    "by_way": lambda v: _("How pupils came to speak"),
    "axis_turns": lambda v: _("Share of all turns"),
    "axis_seats": lambda v: _("Seats, fewest turns first"),
    "in_order": lambda v: _("In their order"),
    "middle": lambda v: _("%(seconds)s s", **v),
    "to_class": lambda v: _("To the class: %(count)s", **v),
    "no_theme": lambda v: _("Without a theme"),
    "zone_front": lambda v: ngettext("Front: %(num)s seat", "Front: %(num)s seats", int(v["count"])),
    "zone_middle": lambda v: ngettext("Middle: %(num)s seat", "Middle: %(num)s seats", int(v["count"])),
    "zone_back": lambda v: ngettext("Back: %(num)s seat", "Back: %(num)s seats", int(v["count"])),
    "in_front": lambda v: _("front"),
    "in_middle": lambda v: _("middle"),
    "in_back": lambda v: _("back"),
    # Titles of tables
    "table_lines": lambda v: _("The lines"),
    "table_moments": lambda v: _("The moments"),
    "table_pupils": lambda v: _("What was expected, and what was seen"),
    "table_answers": lambda v: _("The answers"),
    "table_list": lambda v: _("The list"),
    "table_questions": lambda v: _("The questions one by one"),
    "table_silences": lambda v: _("The silences one by one"),
    "table_counts": lambda v: _("Counts in every five minutes"),
    "table_stretches": lambda v: _("What went on in each stretch"),
    "table_rounds": lambda v: _("How the room was divided in each round"),
    "table_seats": lambda v: _("Seat by seat"),
    "table_flow": lambda v: _("From whom to whom"),
    "table_places": lambda v: _("Places in the room"),
    "table_turns": lambda v: _("Turns seat by seat"),
    "table_question": lambda v: _("Questions of the coach"),
    "table_mine": lambda v: _("What the coach takes along"),
    # Heads of columns
    "head_time": lambda v: _("Time"),
    "head_what": lambda v: _("What"),
    "head_seat": lambda v: _("Seat"),
    "head_line": lambda v: _("Seen and heard"),
    "head_moment": lambda v: _("Moment"),
    "head_pupil": lambda v: _("Pupil"),
    "head_expected": lambda v: _("Expected"),
    "head_seen": lambda v: _("Seen and heard"),
    "head_question": lambda v: _("Question"),
    "head_answer": lambda v: _("Answer"),
    "head_theme": lambda v: _("Theme"),
    "head_row": lambda v: _("Row"),
    "head_remarks": lambda v: _("Remarks"),
    "head_number": lambda v: _("Number"),
    "head_kind": lambda v: _("Kind"),
    "head_words": lambda v: _("In these words"),
    "head_after": lambda v: _("After"),
    "head_seconds": lambda v: _("Seconds"),
    "head_minutes": lambda v: _("Minutes"),
    "head_stretch": lambda v: _("From and to"),
    "head_round": lambda v: _("Round"),
    "head_from": lambda v: _("From whom"),
    "head_to": lambda v: _("To whom"),
    "head_count": lambda v: _("How often"),
    "head_place": lambda v: _("Place"),
    "head_near": lambda v: _("Near"),
    "head_times": lambda v: _("How often"),
    "head_lasting": lambda v: _("How long"),
    "head_first": lambda v: _("First at"),
    "head_zone": lambda v: _("Part of the room"),
    "head_turns": lambda v: _("Turns"),
    "head_mine": lambda v: _("For my own class"),
    "altogether": lambda v: _("Altogether"),
    "stretches": lambda v: _("In how many"),
    "no_start": lambda v: _("No end of a question or answer was tapped before"),
    "no_end": lambda v: _("Nobody was tapped as speaking"),
    "not_said": lambda v: _("Not tapped"),
    "not_known": lambda v: _("not known"),
    # Sentences
    "lines": lambda v: ngettext("%(num)s line was written down.", "%(num)s lines were written down.", int(v["count"])),
    "quotes": lambda v: ngettext("%(num)s sentence was noted.", "%(num)s sentences were noted.", int(v["count"])),
    "moments": lambda v: ngettext(
        "%(num)s moment was written down.", "%(num)s moments were written down.", int(v["count"])
    ),
    "noted": lambda v: ngettext("%(num)s entry was noted.", "%(num)s entries were noted.", int(v["count"])),
    "noted_of": lambda v: ngettext(
        "%(name)s: %(num)s entry.", "%(name)s: %(num)s entries.", int(v["count"]), name=v["name"]
    ),
    "answers": lambda v: ngettext(
        "%(num)s answer was written down.", "%(num)s answers were written down.", int(v["count"])
    ),
    "questions": lambda v: ngettext("%(num)s question was noted.", "%(num)s questions were noted.", int(v["count"])),
    "of_code": lambda v: _("%(code)s: %(count)s.", **v),
    "rows_said": lambda v: ngettext(
        "Something was tapped in %(num)s of %(of)s rows.",
        "Something was tapped in %(num)s of %(of)s rows.",
        int(v["count"]),
        of=v["of"],
    ),
    "silences": lambda v: ngettext("%(num)s silence was timed.", "%(num)s silences were timed.", int(v["count"])),
    "median": lambda v: ngettext(
        "%(code)s: %(num)s silence of about %(seconds)s seconds.",
        "%(code)s: %(num)s silences, half of them of about %(seconds)s seconds or longer.",
        int(v["count"]),
        code=v["code"],
        seconds=v["seconds"],
    ),
    "longer": lambda v: ngettext(
        "%(num)s silence was longer than %(seconds)s seconds. It stands at the end of the scale.",
        "%(num)s silences were longer than %(seconds)s seconds. They stand at the end of the scale.",
        int(v["count"]),
        seconds=v["seconds"],
    ),
    "in_stretches": lambda v: ngettext(
        "%(code)s: in %(num)s of %(of)s stretches.",
        "%(code)s: in %(num)s of %(of)s stretches.",
        int(v["count"]),
        code=v["code"],
        of=v["of"],
    ),
    "rounds": lambda v: ngettext(
        "%(num)s round, %(entries)s entries.",
        "%(num)s rounds, %(entries)s entries.",
        int(v["count"]),
        entries=v["entries"],
    ),
    "rounds_short": lambda v: ngettext(
        "%(num)s round in which fewer seats were noted is left out of what follows.",
        "%(num)s rounds in which fewer seats were noted are left out of what follows.",
        int(v["count"]),
    ),
    "share_once": lambda v: _("%(code)s: %(most)s%% of the seats noted, in the round at %(most_at)s minutes.", **v),
    "share": lambda v: _(
        "%(code)s: %(least)s%% to %(most)s%% of the seats noted in a round (least at %(least_at)s minutes, most at "
        "%(most_at)s).",
        **v,
    ),
    "share_alike": lambda v: _("%(code)s: %(most)s%% of the seats noted in each round.", **v),
    "turns": lambda v: ngettext("%(num)s turn was noted.", "%(num)s turns were noted.", int(v["count"])),
    "seats_spoke": lambda v: ngettext(
        "Talk came from %(num)s of %(of)s seats.",
        "Talk came from %(num)s of %(of)s seats.",
        int(v["count"]),
        of=v["of"],
    ),
    "teacher_spoke": lambda v: ngettext(
        "%(num)s turn was the teacher’s.", "%(num)s turns were the teacher’s.", int(v["count"])
    ),
    "among_pupils": lambda v: ngettext(
        "%(num)s turn went from pupil to pupil.", "%(num)s turns went from pupil to pupil.", int(v["count"])
    ),
    "half_of_turns": lambda v: ngettext(
        "Half of the turns or more came from %(num)s of %(of)s seats.",
        "Half of the turns or more came from %(num)s of %(of)s seats.",
        int(v["count"]),
        of=v["of"],
    ),
    "as_many": lambda v: _("The broken line is how the curve would run if each seat had as many turns."),
    "words_front": lambda v: ngettext("%(num)s turn from the front.", "%(num)s turns from the front.", int(v["count"])),
    "words_middle": lambda v: ngettext(
        "%(num)s turn from the middle.", "%(num)s turns from the middle.", int(v["count"])
    ),
    "words_back": lambda v: ngettext("%(num)s turn from the back.", "%(num)s turns from the back.", int(v["count"])),
    "places": lambda v: ngettext(
        "The teacher was noted at %(num)s place, in %(moves)s taps.",
        "The teacher was noted at %(num)s places, in %(moves)s taps.",
        int(v["count"]),
        moves=v["moves"],
    ),
    "open_end": lambda v: _("Nothing was noted after %(at)s. How long that last one went on is not counted.", **v),
    "stayed": lambda v: _("At %(place)s: %(lasting)s minutes altogether.", **v),
    "stayed_near": lambda v: _("At %(place)s, near seat %(number)s: %(lasting)s minutes altogether.", **v),
    "seats_near": lambda v: ngettext(
        "The path came near %(num)s of %(of)s seats.",
        "The path came near %(num)s of %(of)s seats.",
        int(v["count"]),
        of=v["of"],
    ),
    # What is still to decide
    "decide_codes": lambda v: ngettext(
        "Decide on at least %(num)s code.", "Decide on at least %(num)s codes.", int(v["count"])
    ),
    "decide_rows": lambda v: ngettext("Write at least %(num)s row.", "Write at least %(num)s rows.", int(v["count"])),
    "decide_expected": lambda v: _("Write what the host expects, for each pupil."),
    "decide_room": lambda v: _("Draw the plan of the room."),
    "decide_seats": lambda v: _("Draw the seating plan, with at least one seat."),
    "decide_agreed": lambda v: _("Say that the school’s policy allows it, and that those who have to agreed."),
    # What cannot be taken, and what to do
    "missing": lambda v: _("This is missing. Fill it in."),
    "empty": lambda v: _("This is empty. Write something, or remove it."),
    "unknown": lambda v: _("There is something here that is not known. Leave it out. Known are: %(allowed)s.", **v),
    "leave_out": lambda v: _("This instrument does not ask for it. Leave it out."),
    "no_mapping": lambda v: _("This cannot be read. Load the page again, and try once more."),
    "no_list": lambda v: _("This cannot be read as a list. Load the page again, and try once more."),
    "no_text": lambda v: _("This is not a text. Type it again."),
    "no_key": lambda v: _("This key cannot be used. Take small letters, digits and _, at most 24, a letter first."),
    "no_whole": lambda v: _("This is not a whole number from %(least)s to %(most)s. Choose one.", **v),
    "no_part": lambda v: _("This is outside the plan. Choose a number from 0 to %(most)s.", **v),
    "no_choice": lambda v: _("This cannot be chosen here. Choose one of: %(allowed)s.", **v),
    "no_words": lambda v: _("A code says in words what is seen or heard. A number or a sign alone reads as points."),
    "no_seat": lambda v: _("There is no such seat on the plan. Choose another one."),
    "no_device": lambda v: _("It is not known from which device this comes. Open the visit there again."),
    "no_flag": lambda v: _("This is neither yes nor no. Choose one."),
    "odd_signs": lambda v: _("There are signs in it that cannot be shown. Type it again."),
    "too_long": lambda v: ngettext(
        "This is longer than %(num)s character. Shorten it.",
        "This is longer than %(num)s characters. Shorten it.",
        int(v["most"]),
    ),
    "too_many": lambda v: ngettext(
        "There can be at most %(num)s of them. Remove some.",
        "There can be at most %(num)s of them. Remove some.",
        int(v["most"]),
    ),
    "twice": lambda v: _("This is here twice. Change one of the two."),
    "place_taken": lambda v: _("Something else is on this place already. Move one of the two."),
    "code_needed": lambda v: _("The code “%(code)s” belongs to this instrument. Put it back.", **v),
    "same_seat": lambda v: _("A turn goes to somebody else. Choose another seat, or the class."),
}
"""Key → its sentence."""
