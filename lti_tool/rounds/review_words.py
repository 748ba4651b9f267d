"""What the trainer's pages of a round say: codes and counts in, sentences out."""

from collections.abc import Sequence
from datetime import datetime

from babel.dates import format_date
from babel.numbers import format_decimal
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from lti_tool.cycles.words import zone
from lti_tool.matching.check import Verdict
from lti_tool.matching.values import Values
from lti_tool.pairing.words import somebody
from lti_tool.people.rules import Colleague
from lti_tool.rounds.changes import Cost
from lti_tool.rounds.fit import Part
from lti_tool.rounds.review import Line, Run, Witnesses
from lti_tool.rounds.rules import AGAIN, LITTLE, MOVED, NEW, TRIAD, Settings, Summary
from lti_tool.web.errors import PageError
from lti_tool.web.languages import listed

FEW = 5
"""Fewer people than this are never counted: somebody could tell who they are."""
MANY = 50
"""In rounds of fewer people the size of a proof is not told: it could show that somebody asked not to be paired."""
POINTS_TOLD = 20
"""In calculations of fewer people no points are told: of two or four, who are named, they would be their own fit."""
STEP = 5
"""Counts of who takes part are rounded down to a multiple of this."""


def tells_points(people: int) -> bool:
    """Whether the points of all together are told, in a calculation of so many people."""
    return people >= POINTS_TOLD


def names(members: tuple[Colleague, ...]) -> str:
    """The names of two or three, as people say them."""
    return listed([each.name or somebody() for each in members])


def standing(run: Run | None) -> tuple[str, str]:
    """(Heading, one sentence) on where a round stands after its latest run."""
    if run is None:
        return _("Nothing is calculated yet"), _("Teachers say in the round whether they would like a partner.")
    by = until(run.answer_by) if run.answer_by else ""
    said = {
        "waiting": (_("It is being calculated"), _("You can leave the page, it goes on by itself.")),
        "working": (_("It is being calculated"), _("You can leave the page, it goes on by itself.")),
        "review": (_("Ready for your review"), _("Nobody is asked before you say so.")),
        "out": (_("The teachers are asked"), _("They have until %(date)s to answer.", date=by)),
        "over": (_("The time to answer is over"), _("Those who are paired have begun. All else has lapsed.")),
        "stopped": (
            _("The calculation was stopped"),
            _("Nothing came of it, and nobody was told. You can calculate again at any time."),
        ),
        "failed": (
            _("The calculation did not come to an end"),
            _(
                "That is no fault of yours, and nothing was changed. Calculate again; if it happens once more, tell "
                "the people who run the tool."
            ),
        ),
        "dropped": (
            _("The last result was put away"),
            _("Nobody was asked. You can change the settings and calculate again."),
        ),
    }
    if run.status == "review" and run.is_empty:
        return _("Nobody could be brought together"), _("Put the result away; you can calculate again at any time.")
    return said[run.status]


def people_in(count: int) -> str:
    """How many teachers would have liked a partner when it was last calculated, as far as a number cannot tell who."""
    if count < FEW:
        return _("When it was last calculated, fewer than five teachers had said that they would like a partner.")
    return _(
        "When it was last calculated, at least %(count)s teachers had said that they would like a partner.",
        count=count - count % STEP,
    )


def aims() -> list[str]:
    """What is aimed at, the first before all others."""
    return [
        _("As few teachers as possible are without a partner."),
        _("The pair that fits least fits as well as possible."),
        _("All pairs taken together fit as well as possible."),
        _("Those who have worked together before meet somebody new."),
        _("What is then still equally good is settled by a draw, whose number is kept."),
    ]


def part(found: Part, settings: Settings) -> str:
    """What a part of the fit of two people is about."""
    subject = _("different subjects") if settings.subjects == "different" else _("the same subject")
    said = {
        "any": _("that they can work together at all"),
        "wanted": _("a topic that one would like to work on, and in which the other can be of use"),
        "focus": _("the same topic matters most to both now"),
        "both_want": _("a topic that both would like to work on"),
        "language": _("a language that both named"),
        "subject": subject,
        "level": _("the same year or setting"),
        "talk": _("a period of the week in which both are free"),
    }
    return said.get(found.key, found.key)


def points(found: Part) -> str:
    """What a part of the fit adds, in points."""
    if found.times == 1:
        return ngettext("%(num)s point", "%(num)s points", found.each)
    return ngettext(
        "%(num)s point each, at most %(times)s times", "%(num)s points each, at most %(times)s times",
        found.each, times=found.times,
    )  # fmt: skip


def doing(key: str) -> str:
    """What is done at present, for a key that the calculation tells."""
    said = {
        "": _("Waiting for its turn"),
        "load": _("Reading what teachers said"),
        "build": _("Finding who could work together"),
        "reading": _("Finding who could work together"),
        "left": _("Making sure that as few as possible are left"),
        "worst": _("Making the pair that fits least as good as possible"),
        "total": _("Making all pairs together as good as possible"),
        "triad": _("Finding the three who go together best"),
        "check": _("Checking the proof"),
        "plan": _("Looking ahead to later rounds"),
        "store": _("Keeping the result"),
    }
    return said.get(key, _("Calculating"))


def in_words(fit: int) -> str:
    """How well a pair fits, for the one that fits least; see fit.POINTS."""
    if fit < 4:
        return _("little in common by what they said")
    if fit < 10:
        return _("something to work on together")
    return _("much in common")


def summary(found: Summary, *, is_moved: bool = False, is_published: bool = False) -> list[tuple[str, str]]:
    """(What, how many or how good) of a run's result, in the order of the aims.

    `is_moved`: whether it is another by now than was calculated. Once it is published, what helps to review it is left
    out.
    """
    rows = [(_("Pairs"), str(found.pairs))]
    if found.triads:
        rows.append((_("Three together"), str(found.triads)))
    rows.append((_("Without a partner"), str(found.left)))
    if found.worst is not None:
        rows.append((_("The pair that fits least has"), in_words(found.worst)))
    rows.append((_("Pairs who have met before"), str(found.again)))
    if found.kept:
        rows.append((_("Stay as they are"), ngettext("%(num)s teacher", "%(num)s teachers", found.kept)))
    if found.later and not is_published:
        rows.append((_("Without a partner in later rounds"), _later(found.later)))
    if found.unplanned and not is_published:
        rows.append((_("Later rounds"), _("not looked ahead to: too many pairs are possible")))
    if found.nearest:
        looked_at = _("the %(num)s colleagues of each teacher who fit best", num=found.nearest)
        rows.append((_("Looked at, in a round of this size"), looked_at))
    if is_published or not (found.pairs or found.triads):
        return rows
    of_calculated = _("holds for the result as it was calculated, before you moved somebody")
    rows.append((_("Proof"), of_calculated if is_moved else proven(found)))
    return rows


def together(sizes: Sequence[int]) -> str:
    """How many go together and how many are left, as a sentence; `sizes`: how many people each line has."""
    two, three, one = (sizes.count(size) for size in (2, 3, 1))
    counts = [
        ngettext("%(num)s pair", "%(num)s pairs", two) if two else "",
        ngettext("%(num)s of three", "%(num)s of three", three) if three else "",
        ngettext("%(num)s without a partner", "%(num)s without a partner", one) if one else "",
    ]
    return f"{listed([each for each in counts if each])}."


def _later(left: tuple[int, ...]) -> str:
    if len(left) > 1 and len(set(left)) == 1:
        return str(_("%(left)s in each of the next %(rounds)s", left=left[0], rounds=len(left)))
    return listed([str(each) for each in left])


def proven(found: Summary) -> str:
    """Whether it was proven that nothing is better."""
    if not found.gap:
        return _("no better result is possible")
    if not tells_points(found.people):
        return _("no result can be much better")
    return ngettext(
        "no result can be better by more than %(num)s point of %(total)s",
        "no result can be better by more than %(num)s points of %(total)s",
        found.gap,
        total=found.total,
    )


def proof(found: Summary, of: Witnesses | None, seed: int) -> list[tuple[str, list[str]]]:
    """(Aim, sentences) on what was proven, in the order of the aims. `of`: None where its size is not told."""
    least, best, total, new, draw = aims()
    left = (
        _("Everybody has a partner, so nothing can be better.")
        if not found.left
        else ngettext(
            "%(num)s teacher is left, and it is proven that no fewer can be.",
            "%(num)s teachers are left, and it is proven that no fewer can be.",
            found.left,
        )
    )
    sentences = {
        least: [left],
        best: [
            _("The pair that fits least has %(fit)s.", fit=in_words(found.worst or 0)),
            _("No result that leaves as few has a better one."),
        ]
        if found.pairs or found.triads
        else [],
        total: [
            _(
                "All pairs together come to %(total)s points; %(proven)s.",
                total=format_decimal(found.total, locale=get_locale()),
                proven=proven(found),
            )
            if tells_points(found.people)
            else _("Of all pairs together it is proven: %(proven)s.", proven=proven(found))
        ],
        new: [
            ngettext(
                "%(num)s pair has met before. No result that is as good in all the rest has fewer.",
                "%(num)s pairs have met before. No result that is as good in all the rest has fewer.",
                found.again,
            )
            if found.again
            else _("No pair has met before.")
        ],
        draw: [_("The number of the draw is %(seed)s. With it the same comes out again.", seed=seed)],
    }
    if of is not None:
        if found.left and of.odd:
            sentences[least].append(
                _(
                    "The witness: without %(apart)s teachers, %(odd)s groups of an odd number stay, each of which "
                    "can only go on among itself.",
                    apart=of.apart,
                    odd=of.odd,
                )
            )
        sentences[best].append(
            _("The witness: no possible pair fits better.")
            if of.is_best_pair
            else _("The witness: of pairs that all fit better, more teachers would be left.")
        )
        sentences[total].append(
            ngettext(
                "The witness: a price for each teacher, and for %(num)s odd set of teachers, by which no pair is "
                "worth more than it costs.",
                "The witness: a price for each teacher, and for %(num)s odd sets of teachers, by which no pair is "
                "worth more than it costs.",
                of.sets,
            )
        )
    return list(sentences.items())


def about(found: Summary) -> list[str]:
    """How great the task was, as far as a number cannot tell of anybody."""
    sentences = [
        _("It took less than a second.")
        if found.seconds < 1
        else ngettext("It took %(num)s second.", "It took %(num)s seconds.", round(found.seconds))
    ]
    if found.people >= MANY:
        sentences.insert(
            0,
            _(
                "About %(count)s pairs were possible.",
                count=format_decimal(_rounded(found.candidates), locale=get_locale()),
            ),
        )
    return sentences


def _rounded(count: int) -> int:
    """A count to its first digit."""
    step: int = 10 ** (len(str(count)) - 1)
    return round(count / step) * step


def verdict(found: Verdict, people: int) -> str:
    """What the check of a proof found, in a calculation of so many people."""
    if found.proven:
        return _("Checked just now: the proof holds. No better result is possible.")
    if found.ok and not tells_points(people):
        return _("Checked just now: the proof holds. No result can be much better.")
    if found.ok:
        return ngettext(
            "Checked just now: the proof holds. No result can be better by more than %(num)s point.",
            "Checked just now: the proof holds. No result can be better by more than %(num)s points.",
            found.gap,
        )
    return _("Checked just now: the proof does not hold. Calculate again, and tell the people who run the tool.")


def cost(found: Cost, people: int, *, is_left: bool) -> str:
    """What a change would cost, by the aims in their order.

    `people`: how many are in the calculation; `is_left`: whether it gives a partner to somebody who has none.
    """
    before, after = found.before, found.after
    sentences = []
    if after.left < before.left:
        fewer = before.left - after.left
        sentences.append(ngettext("%(num)s fewer is left out.", "%(num)s fewer are left out.", fewer))
    elif is_left:
        sentences.append(_("Somebody else is without a partner then."))
    if in_words(after.worst) != in_words(before.worst):
        sentences.append(_("The pair that fits least would have %(fit)s.", fit=in_words(after.worst)))
    elif after.worst != before.worst:
        sentences.append(
            _("The pair that fits least would fit a little less.")
            if after.worst < before.worst
            else _("The pair that fits least would fit a little better.")
        )
    sentences.append(_in_all(before, after, people))
    if (met := after.again - before.again) > 0:
        sentences.append(ngettext("%(num)s more has met before.", "%(num)s more have met before.", met))
    if found.others:
        sentences.append(
            ngettext("%(num)s other gets another partner.", "%(num)s others get another partner.", found.others)
        )
    return " ".join(sentences)


def _in_all(before: Values, after: Values, people: int) -> str:
    """What becomes of the fit of all together; its measure is told of many people only."""
    less = before.total - after.total
    if not less:
        return str(_("All together fit just as well."))
    if not tells_points(people):
        if less < 0:
            return str(_("All together fit better."))
        is_much = 4 * less > before.total
        return str(_("All together fit much less well.") if is_much else _("All together fit a little less well."))
    if less > 0 and after.worst == before.worst:
        total = format_decimal(before.total, locale=get_locale())
        return ngettext("Costs %(num)s point of %(total)s.", "Costs %(num)s points of %(total)s.", less, total=total)
    if less > 0:
        return ngettext("All together come to %(num)s point less.", "All together come to %(num)s points less.", less)
    return ngettext("All together come to %(num)s point more.", "All together come to %(num)s points more.", -less)


def notes(line: Line) -> list[str]:
    """What a trainer may know of a proposal, a word or two each."""
    said = {
        TRIAD: _("three together"),
        AGAIN: _("have met before"),
        LITTLE: _("little in common by what they said"),
        MOVED: _("put together by hand"),
        NEW: _("new by what you moved"),
    }
    found = [text for flag, text in said.items() if line.attention & flag]
    return [*found, _("two schools")] if line.two_schools else found


def status(line: Line) -> str:
    """Where a proposal stands once the teachers are asked."""
    return {"asked": _("asked"), "paired": _("paired"), "lapsed": _("lapsed")}.get(line.status, "")


def helps(line: Line, settings: Settings) -> str:
    """What the trainer could change for somebody without a partner; else that nothing of it would help.

    What only the teacher could change is theirs to read, and to no one's eyes but theirs.
    """
    if line.helps == "triad" and not settings.triads:
        return _("With groups of three they would have partners.")
    if line.helps == "other_school" and not settings.between_schools:
        return _("If pairs between schools were allowed, they could have a partner.")
    return _("No setting of yours would change this.")


def part_titles() -> dict[str, str]:
    """Key of a part of the list → its heading."""
    return {"left": _("Without a partner"), "look": _("Worth a look"), "rest": _("All others")}


def told(code: str) -> str:
    """One sentence on what has just happened, for a code that a page was sent on with; empty for any other."""
    if not code:
        return ""
    sentences = {
        "moved": _("They are together now. The rest was calculated again around them."),
        "back": _("All moves are taken back: this is the result as it was calculated."),
        "published": _("The teachers are asked. They see it when they open this activity."),
        "dropped": _("The result is put away. Nobody was asked."),
        "stopping": _("The calculation stops at its next step."),
    }
    return sentences.get(code, "")


def not_offered() -> PageError:
    """The page for two who were not offered to be put together."""
    return PageError(
        409,
        _("This is not offered at present"),
        _("The two cannot be put together here. Nobody is told why, and there need not be a reason."),
        _("Go back to the pairs and choose among what is offered there."),
        reason="not offered",
    )


def meanwhile() -> PageError:
    """The page for what was possible when the trainer's page was opened, and is not any more."""
    return PageError(
        409,
        _("This has changed meanwhile"),
        _("Somebody else, or another page of yours, has changed where this round stands."),
        _("Go back to the page of the round and look at it as it is now."),
        reason="round changed",
    )


def closed() -> PageError:
    """The page for a round that is closed for new beginnings."""
    return PageError(
        409,
        _("This activity is closed"),
        _("In an archived round nothing new is calculated, and nobody is asked."),
        _("Open it again in its settings first."),
        reason="closed for new beginnings",
    )


def until(moment: datetime) -> str:
    """A day, for a sentence."""
    return str(format_date(moment.astimezone(zone()), "d MMMM y", locale=get_locale()))
