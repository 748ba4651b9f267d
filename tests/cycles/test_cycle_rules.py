"""The decisions of a cycle, without a database."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lti_tool.cycles import rules
from lti_tool.cycles.rules import Cycle, Head, Mark, Meeting, Member, Row, Save, Signature, WrongTime
from lti_tool.protocols.reader import shipped

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DUBLIN = ZoneInfo("Europe/Dublin")
HOST = Member("mh", "ph", "host", "Niamh")
COACH = Member("mc", "pc", "coach", "Seán")
CARD = ("card_seat", "card_part", "card_pupils", "card_in_out", "card_time", "card_not_recorded")


def cycle(protocol: str = "collegial", viewer: Member = HOST, *, done: str = "", **parts: object) -> Cycle:
    """A running first cycle; `done`: stages that are done, with spaces between."""
    made = Cycle(
        id="c", pair_id="p", activity_id="a", activity_title="", number=1, status="running", revision=1,
        started_at=NOW, finished_at=None, closed_at=None, protocol=shipped()[protocol], members=(HOST, COACH),
        viewer_id=viewer.person_id, marks=tuple(Mark(stage, "mh", NOW) for stage in done.split()),
    )  # fmt: skip
    return replace(made, **parts)


def heads(*fields: str, author: str = "ph") -> tuple[Head, ...]:
    return tuple(Head(f"row{i}{field}", 1, field, author, False) for i, field in enumerate(fields))


def test_a_first_turn_before_the_visit_opens_nothing_of_it() -> None:
    here = cycle(done="start before before.first_turn")
    talks = [replace(each, first_turn="host") if each.key == "before" else each for each in here.protocol.stages]
    here = replace(here, protocol=replace(here.protocol, stages=tuple(talks)))
    assert here.facts.first_turn_done and not here.facts_of_visit.first_turn_done
    after = replace(here, marks=(*here.marks, Mark("after.first_turn", "mh", NOW)))
    assert after.facts_of_visit.first_turn_done


def meeting(kind: str, in_hours: float, *, confirmed: bool = False) -> Meeting:
    return Meeting(kind, kind, NOW + timedelta(hours=in_hours), 40, "ph", 1, NOW if confirmed else None)


def signed(a_cycle: Cycle, item: str, *members: Member) -> Cycle:
    agreement = a_cycle.protocol.agreement(item)
    assert agreement is not None
    now = rules.current_heads(a_cycle, agreement)
    return replace(a_cycle, signatures=tuple(Signature(item, each.membership_id, now) for each in members))


GOAL = heads("goal", "criteria", "focus")
START = cycle(heads=heads("norms"))
BEFORE = cycle(done="start", heads=GOAL)
VISIT = {"done": "start before", "heads": heads("visit_purpose", *CARD)}
BOOKED = (meeting("visit", 24), meeting("after", 27))


@pytest.mark.parametrize(
    ("a_cycle", "for_host", "for_coach"),
    [
        (cycle(), "start", "start"),
        (START, "sign", "sign"),
        (signed(START, "together", HOST), "wait_sign", "sign"),
        (cycle(heads=heads("norms", "norms")), "choose_version", "choose_version"),
        (cycle(done="start"), "talk", "talk"),
        (BEFORE, "confirm", "confirm"),
        (signed(BEFORE, "goal", COACH), "confirm", "wait_confirm"),
        (signed(BEFORE, "goal", HOST, COACH), "close_talk", "close_talk"),
        (cycle(done="start before"), "plan_visit", "wait_visit"),
        (cycle(**VISIT | {"heads": heads("visit_purpose")}, meetings=BOOKED), "fill_card", "fill_card"),
        (cycle(**VISIT, meetings=BOOKED[:1]), "book_debrief", "book_debrief"),
        (cycle(**VISIT, meetings=BOOKED), "wait_visit_confirmed", "confirm_visit"),
        (cycle(**VISIT, meetings=(meeting("visit", 24, confirmed=True), BOOKED[1])), "visit_ahead", "visit_ahead"),
        (cycle(**VISIT, meetings=(meeting("visit", -2, confirmed=True), BOOKED[1])), "close_visit", "close_visit"),
        (cycle(done="start before visit"), "talk_first_turn", "talk_first_turn"),
        (cycle(done="start before visit after.first_turn"), "talk", "talk"),
        (cycle(done="start before visit after.first_turn", heads=heads("next_steps")), "close_talk", "close_talk"),
        (cycle(done="start before visit after"), "reflect", "reflect"),
        (cycle(done="start before visit after reflect"), "wait_reflection", "reflect"),
        (cycle(status="finished"), "choose_next", "choose_next"),
        (cycle(status="finished", members=(replace(HOST, wish="swap"), COACH)), "wait_wish", "answer_wish"),
        (
            cycle(status="finished", members=(replace(HOST, wish="swap"), replace(COACH, wish="continue"))),
            "different_wishes",
            "different_wishes",
        ),
        (cycle(status="stopped"), "stopped", "stopped"),
    ],
)
def test_the_next_step(a_cycle: Cycle, for_host: str, for_coach: str) -> None:
    assert rules.next_step(a_cycle, NOW).code == for_host
    assert rules.next_step(replace(a_cycle, viewer_id="pc"), NOW).code == for_coach


@pytest.mark.parametrize(
    ("a_cycle", "stage", "member", "codes"),
    [
        (cycle(), "start", HOST, ["text", "signatures"]),
        (cycle(), "before", HOST, ["earlier_stage"]),
        (BEFORE, "before", HOST, ["signatures"]),
        (signed(BEFORE, "goal", HOST), "before", HOST, ["partner_signature"]),
        (signed(BEFORE, "goal", HOST), "before", COACH, ["my_signature"]),
        (signed(BEFORE, "goal", HOST, COACH), "before", COACH, []),
        (cycle(**VISIT, meetings=BOOKED), "visit", HOST, ["not_confirmed", "not_yet"]),
        (cycle(**VISIT, meetings=(meeting("visit", -1), BOOKED[1])), "visit", HOST, ["not_confirmed"]),
        (cycle(**VISIT, meetings=(meeting("visit", -1), BOOKED[1])), "visit", COACH, []),
        (cycle(**VISIT, meetings=(meeting("visit", -1),)), "visit", COACH, ["meeting"]),
        (cycle(done="start before visit"), "after", HOST, ["first_turn", "text"]),
        (cycle(done="start before visit after"), "reflect", HOST, ["text"]),
        (cycle(done="start before visit after", heads=heads("own_learning")), "reflect", HOST, []),
        (cycle(done="start before visit after", heads=heads("own_learning")), "reflect", COACH, ["text"]),
    ],
)
def test_what_keeps_a_stage_open(a_cycle: Cycle, stage: str, member: Member, codes: list[str]) -> None:
    found = a_cycle.stage(stage)
    assert found is not None
    mine = replace(a_cycle, viewer_id=member.person_id)
    assert [lack.code for lack in rules.missing_to_close(mine, found, member, NOW)] == codes


def test_a_signature_counts_while_the_texts_stay() -> None:
    agreement = BEFORE.protocol.agreement("goal")
    assert agreement is not None
    both = signed(BEFORE, "goal", HOST, COACH)
    assert rules.signature_state(both, agreement, COACH) == "valid"
    changed = replace(both, heads=(replace(GOAL[0], rev=2), *GOAL[1:]))
    assert rules.signature_state(changed, agreement, COACH) == "changed"
    assert not rules.has_seen(changed, agreement, COACH, [head.token for head in GOAL])
    assert rules.has_seen(changed, agreement, HOST, [head.token for head in GOAL]), "it was the host who wrote"
    assert rules.signature_state(BEFORE, agreement, COACH) == "none"


@given(st.sampled_from(["continue", "swap"]))
def test_swapping_twice_is_not_swapping(wish: str) -> None:
    once = rules.roles_after((HOST, COACH), wish)
    assert sorted(once.values()) == ["coach", "host"]
    members = tuple(replace(member, role=once[member.membership_id]) for member in (HOST, COACH))
    assert rules.roles_after(members, wish) == {"mh": "host", "mc": "coach"}


@pytest.mark.parametrize(
    ("hours_after", "late", "early"), [(1, False, False), (40, False, False), (60, True, False), (-2, False, True)]
)
def test_the_conversation_after_is_soon_after_the_visit(hours_after: int, late: bool, early: bool) -> None:
    found = cycle(meetings=(meeting("visit", 10), meeting("after", 10 + hours_after)))
    assert (rules.debrief_is_late(found), rules.debrief_is_early(found)) == (late, early)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-12-10T10:05", datetime(2026, 12, 10, 10, 5, tzinfo=UTC)),
        (" 2026-12-10 10:05 ", datetime(2026, 12, 10, 10, 5, tzinfo=UTC)),
        ("2026-12-10T10:05:59", datetime(2026, 12, 10, 10, 5, tzinfo=UTC)),
        ("2026-11-01T10:00", datetime(2026, 11, 1, 10, 0, tzinfo=UTC)),
        ("2027-05-10T10:05", datetime(2027, 5, 10, 9, 5, tzinfo=UTC)),
        ("2026-10-25T01:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("", "missing"),
        ("  ", "missing"),
        ("tomorrow", "not_a_time"),
        ("2026-12-10T10:05Z", "not_a_time"),
        ("2027-03-28T01:30", "skipped"),
        ("0001-01-01T00:00", "far"),
        ("9999-12-31T23:59", "far"),
        ("2028-06-01T10:00", "far"),
    ],
)
def test_reading_a_local_time(typed: str, expected: datetime | str) -> None:
    if isinstance(expected, datetime):
        assert rules.read_local_time(typed, DUBLIN, NOW) == expected
        return
    with pytest.raises(WrongTime) as caught:
        rules.read_local_time(typed, DUBLIN, NOW)
    assert caught.value.code == expected


@given(st.text(max_size=30))
def test_no_typed_time_is_an_unforeseen_error(typed: str) -> None:
    with contextlib.suppress(WrongTime):
        assert rules.read_local_time(typed, DUBLIN, NOW).tzinfo is UTC


@given(st.text(alphabet=st.characters(), max_size=30))
def test_a_cleaned_text_can_be_kept_everywhere(text: str) -> None:
    cleaned = rules.clean(text)
    cleaned.encode()
    assert "\0" not in cleaned and "\r" not in cleaned and rules.clean(cleaned) == cleaned


# The register


def row(id_: str, text: str, author: str = "ph", **parts: object) -> Row:
    return replace(Row(id_, 1, author, "", 0, text, None), **parts)


@pytest.mark.parametrize(
    ("rows", "save", "action", "replaces"),
    [
        ([], Save("ph", "a", frozenset()), "insert", ()),
        ([], Save("ph", "", frozenset()), "nothing", ()),
        ([row("1", "a")], Save("ph", "b", frozenset({"1.1"})), "insert", ("1",)),
        ([row("1", "a")], Save("ph", "b", frozenset({"1.2"})), "insert", ()),
        ([row("1", "a")], Save("pc", "b", frozenset()), "insert", ()),
        ([row("1", "a")], Save("ph", "a", frozenset()), "nothing", ()),
        ([row("1", "a")], Save("pc", "a", frozenset({"1.1"})), "nothing", ()),
        ([row("1", "a", editor="e", seq=3)], Save("ph", "b", frozenset(), "e", 4), "update", ()),
        ([row("1", "a", editor="e", seq=3)], Save("ph", "b", frozenset(), "e", 3), "nothing", ()),
        ([row("1", "a", editor="e", seq=3)], Save("pc", "b", frozenset(), "e", 4), "insert", ()),
        ([row("1", "a", editor="e", seq=3, replaced_by="2"), row("2", "b", "pc")],
         Save("ph", "c", frozenset({"1.1"}), "e", 4), "insert", ()),
        ([row("1", "a", editor="e", seq=3, replaced_by="2"), row("2", "b", "pc")],
         Save("ph", "a", frozenset({"1.1"}), "e", 3), "nothing", ()),
        ([row("1", "a"), row("2", "b", "pc")], Save("ph", "b", frozenset({"1.1", "2.1"})), "choose", ("1",)),
        ([row("1", "a"), row("2", "b", "pc")], Save("ph", "a\n\nb", frozenset({"1.1", "2.1"})), "insert", ("1", "2")),
        ([row("1", "a", editor="e", seq=1), row("2", "b", "pc")],
         Save("ph", "both", frozenset({"1.1", "2.1"}), "e", 2), "update", ("2",)),
    ],
)  # fmt: skip
def test_what_a_save_does(rows: list[Row], save: Save, action: str, replaces: tuple[str, ...]) -> None:
    decided = rules.merge(rows, save)
    assert (decided.action, decided.replaces) == (action, replaces)


def test_the_same_words_again_keep_their_token() -> None:
    after, _ = rules.apply([row("1", "a", editor="e", seq=1)], Save("ph", "a", frozenset(), "e", 2), "new")
    assert (after[0].token, after[0].seq) == ("1.1", 2)


@st.composite
def sittings(draw: st.DrawFn) -> list[tuple[int, str, int]]:
    """What happens at three open pages: (page, what, how long ago the text it saw is)."""
    return draw(
        st.lists(
            st.tuples(
                st.integers(0, 2), st.sampled_from(["type", "send", "send again", "look", "choose"]), st.integers(0, 2)
            ),
            max_size=40,
        )
    )


@given(sittings())
@example([(0, "type", 0), (0, "type", 0), (0, "send", 0), (2, "type", 0), (2, "send", 0)])
@example([(2, "type", 0), (2, "send", 0), (0, "choose", 0), (2, "type", 0), (2, "send", 0)])
@example([(0, "type", 0), (0, "send", 0), (1, "look", 0), (1, "choose", 0), (0, "type", 0), (0, "send", 0)])
def test_no_interleaving_of_saves_loses_a_text(sitting: list[tuple[int, str, int]]) -> None:
    """Two people at three pages type, send, repeat and overtake each other in any order.

    Afterwards the last text that each page was told is saved is current, or was replaced by a save that named exactly
    it, or was typed over on the page where it was typed.
    """
    authors = ("ph", "pc", "ph")
    rows: list[Row] = []
    text, seq, base = ["", "", ""], [0, 0, 0], [frozenset[str](), frozenset[str](), frozenset[str]()]
    sent: list[list[Save]] = [[], [], []]
    acknowledged: list[tuple[int, Save]] = []
    named: set[str] = set()
    for number, (page, what, back) in enumerate(sitting):
        if what == "look":
            base[page] = frozenset(each.token for each in rows if each.replaced_by is None)
            continue
        if what == "type" or (what == "choose" and not rows):
            text[page], seq[page] = f"{number} by page {page}", seq[page] + 1
            continue
        if what == "choose":
            chosen = [each for each in rows if each.replaced_by is None][back % 1]
            save = Save(authors[page], chosen.text, base[page], f"page{page}", seq[page] + 1)
            seq[page] += 1
            text[page] = chosen.text
            sent[page].append(save)
        elif what == "send":
            sent[page].append(Save(authors[page], text[page], base[page], f"page{page}", seq[page]))
        if not sent[page]:
            continue
        save = sent[page][-1 - back % len(sent[page])] if what == "send again" else sent[page][-1]
        named |= save.base
        rows, _ = rules.apply(rows, save, f"row{number}")
        again, _ = rules.apply(rows, save, f"again{number}")
        assert again == rows, "a save that comes twice does nothing"
        acknowledged.append((page, save))
    for _page, save in acknowledged:
        kept = any(each.text == save.text for each in rows)
        if not save.text:
            continue
        # A text says at which page it was typed; another page may have chosen it meanwhile.
        typed_at = int(save.text[-1])
        first = min(each.seq for at, each in acknowledged if at == typed_at and each.text == save.text)
        typed_over = any(at == typed_at and later.seq > first for at, later in acknowledged)
        assert kept or typed_over
    for each in rows:
        if each.replaced_by is not None:
            assert any(token.startswith(f"{each.id}.") for token in named)
            assert each.token in named, "only what somebody had seen exactly so was replaced"
    if any(save.text for _, save in acknowledged):
        assert any(each.replaced_by is None for each in rows)


@pytest.mark.parametrize("protocol", ["light", "collegial"])
def test_the_stages_of_a_member(protocol: str) -> None:
    states = rules.stage_states(cycle(protocol, done="start"), HOST)
    assert [each.state for each in states][:3] == ["done", "now", "later"]
    assert rules.stage_of_pair(cycle(protocol, done="start")) == "before"


@pytest.mark.parametrize(("asked_in", "opens"), [("", False), (" before.advice", False), (" after.advice", True)])
def test_who_asks_for_advice_in_one_conversation_has_not_asked_in_another(asked_in: str, opens: bool) -> None:
    here = cycle(done=f"start before visit after.first_turn{asked_in}")
    suggestion = here.protocol.field("suggestion")
    assert suggestion is not None
    assert here.text_facts(suggestion).cycle.advice_asked is opens
