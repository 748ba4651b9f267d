"""The form on which a teacher says what they would like of a round: read, and what is not right in it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum

from werkzeug.datastructures import MultiDict

from lti_tool.cycles.rules import clean
from lti_tool.rounds.rules import DAYS, MAX_CHOSEN, MAX_WORDS, Settings, Wish, cell

LANGUAGES = ("en", "ga")
STATES = ("", "teach", "free")
"""What a period of the week can be: not in school, teaching, free. A tap leads to the next one."""


class Problem(StrEnum):
    """What is not right; the id of the input where it is mended."""

    WANTS = "wants"
    OFFERS = "offers"
    SUBJECT = "subject"
    YEAR = "year"
    WEEK = "week"
    """Two have to find a period in which each can visit the other, and one to talk."""


def read(form: MultiDict[str, str], before: Wish, settings: Settings, topics: Collection[str]) -> Wish:
    """What the whole form says, as it was typed; what it does not ask for stays as it was `before`."""
    week = read_week(form, len(settings.periods))
    return replace(
        before,
        wants=_ticked(form, "want", topics),
        offers=_ticked(form, "offer", topics),
        focus=form.get("focus", "") if form.get("focus", "") in topics else "",
        languages=_ticked(form, "language", LANGUAGES),
        subject=_line(form, "subject"),
        level=_line(form, "year"),
        free=tuple(each for each, state in week.items() if state == "free"),
        teaching=tuple(each for each, state in week.items() if state == "teach"),
        same_step=form.get("same_step") == "1",
        other_school=form.get("other_school") == "1" if settings.between_schools else before.other_school,
    )


def problems_of(wish: Wish) -> list[Problem]:
    """What is not right in what was typed, in the order of the page."""
    found = {
        Problem.WANTS: len(wish.wants) > MAX_CHOSEN,
        Problem.OFFERS: len(wish.offers) > MAX_CHOSEN,
        Problem.SUBJECT: len(wish.subject) > MAX_WORDS,
        Problem.YEAR: len(wish.level) > MAX_WORDS,
        Problem.WEEK: bool(wish.free) != bool(wish.teaching),
    }
    return [problem for problem, is_there in found.items() if is_there]


def read_week(form: Mapping[str, str], periods: int) -> dict[str, str]:
    """Cell → one of STATES, for the whole week."""
    cells = [cell(day, period) for day in range(DAYS) for period in range(periods)]
    return {each: state if (state := form.get(f"at-{each}", "")) in STATES else "" for each in cells}


def filled(wish: Wish, what: str, periods: int) -> Wish:
    """The wish after a button over or beside the week: `day N`, `period N` (N from 0) lead all of it on to the next
    state, or to teaching where it is mixed; `teach` makes all of the week lessons, `none` empties it."""
    kind, _, number = what.partition(" ")
    week = week_of(wish, periods)
    if kind in ("teach", "none"):
        part, state = list(week), "teach" if kind == "teach" else ""
    elif kind in ("day", "period") and number in {str(each) for each in range(max(DAYS, periods))}:
        part = [each for each in week if each.split("-")[kind == "period"] == number]
        states = {week[each] for each in part}
        state = STATES[(STATES.index(states.pop()) + 1) % len(STATES)] if len(states) == 1 else "teach"
    else:
        return wish
    week |= dict.fromkeys(part, state)
    return replace(
        wish,
        free=tuple(each for each in week if week[each] == "free"),
        teaching=tuple(each for each in week if week[each] == "teach"),
    )


def week_of(wish: Wish, periods: int) -> dict[str, str]:
    """Cell → one of STATES, for the whole week."""
    free, teaching = set(wish.free), set(wish.teaching)
    cells = [cell(day, period) for day in range(DAYS) for period in range(periods)]
    return {each: "free" if each in free else "teach" if each in teaching else "" for each in cells}


def _ticked(form: MultiDict[str, str], name: str, known: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in form.getlist(name) if each in known))


def _line(form: Mapping[str, str], name: str) -> str:
    """One line of text; as long as it was typed, up to what a page can give back."""
    return " ".join(clean(form.get(name, "")).split())[: 50 * MAX_WORDS]
