"""Decisions of a cycle: values in, values out.

`Cycle` is everything that can be known of a cycle without opening a single text. What may be closed, what comes next,
whose signature still counts, and how two people's saves of one text come together is decided here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, cast
from zoneinfo import ZoneInfo

from lti_tool.privacy.rules import CycleFacts, Opens, Role, TextFacts, Writers
from lti_tool.privacy.rules import Member as MemberFacts
from lti_tool.protocols.recipe import FULL, Agreement, Field, Gate, Protocol, Stage

FIRST_TURN = ".first_turn"
"""Ending of the mark that says that the first turn of a conversation is done."""
ADVICE = ".advice"
"""Ending of the mark that says that the host asked for advice in a conversation."""
DEBRIEF_WITHIN = timedelta(hours=48)
"""A conversation after that is later than this gives a hint to the pair, and to nobody else (R61)."""
WISHES = ("continue", "swap")
"""Of the two of a pair: with the roles as they are, or the other way round."""
GO_ON, BRING = "go_on", "bring"
WISHES_OF_GROUP = (GO_ON, BRING)
"""Of the members of a group: to go on, or to go on and be the next host."""


# What is known of a cycle


@dataclass(frozen=True, slots=True)
class Member:
    """One of the people of a cycle, with the role of this cycle; whoever reflects alone is the host of it."""

    membership_id: str
    person_id: str
    role: str
    """One of recipe.ROLES."""
    given_name: str
    """May be empty, where the LMS withholds names."""
    wish: str = ""
    is_former: bool = False
    """Whether it stands, without a name, for somebody who was erased."""
    is_gone: bool = False
    """Whether they left the group while this cycle ran: what they wrote stays, and nobody waits for them."""
    is_away: bool = False
    """Whether they pause, or left the group since: it goes on without them. Never in a pair, which pauses as one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody said that a stage is done."""

    stage: str
    membership_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """A current version of a text, without its words."""

    id: str
    rev: int
    field: str
    author_id: str
    is_blank: bool

    @property
    def token(self) -> str:
        """Names exactly this state of this row."""
        return f"{self.id}.{self.rev}"


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody agreed to something, as the texts were then."""

    item: str
    membership_id: str
    heads: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """When they meet."""

    id: str
    kind: str
    starts_at: datetime
    minutes: int
    set_by: str
    rev: int
    confirmed_at: datetime | None

    @property
    def ends_at(self) -> datetime:
        """Start plus minutes."""
        return self.starts_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle as one of its members meets it."""

    id: str
    pair_id: str
    activity_id: str
    activity_title: str
    number: int
    status: str
    """running, finished or stopped."""
    revision: int
    started_at: datetime
    finished_at: datetime | None
    closed_at: datetime | None
    protocol: Protocol
    members: tuple[Member, ...]
    viewer_id: str
    """Person who looks."""
    marks: tuple[Mark, ...] = ()
    signatures: tuple[Signature, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    heads: tuple[Head, ...] = ()
    notes_days: int | None = None
    """How long raw notes live after the conversation after; None: as long as the cycle."""
    notes_due_at: datetime | None = None
    notes_deleted_at: datetime | None = None
    step: str = FULL
    """How far the pair goes in this cycle: the lower of what the two said, without saying whose it is."""
    whole: Protocol | None = None
    """The protocol with what this step leaves out, and with all frames of a reflection; None where nothing is."""
    frame: str = ""
    """In which frame the viewer writes their reflection; empty: in the protocol's own fields."""
    place: str = ""
    """Where the trainer counts the pair."""
    starts_anew: bool = False
    """Whether its members get started together as in a first cycle, because somebody of the group has not before."""

    @property
    def me(self) -> Member:
        """The member who looks."""
        return next(member for member in self.members if member.person_id == self.viewer_id)

    @property
    def is_alone(self) -> bool:
        """Whether it is one teacher's own reflection, without a partner."""
        return len(self.members) == 1

    @property
    def is_group(self) -> bool:
        """Whether it is the cycle of a group, also where only two of it are left."""
        return self.protocol.is_for_group or len(self.members) > 2

    @property
    def others(self) -> tuple[Member, ...]:
        """All members but the one who looks, without those who left; the host first."""
        return tuple(each for each in self.members if each.person_id != self.viewer_id and not each.is_gone)

    @property
    def partner(self) -> Member:
        """The other one of a pair; nobody asks for it in a cycle of one or of a group."""
        (partner,) = (each for each in self.members if each.person_id != self.viewer_id)
        return partner

    @property
    def needed(self) -> tuple[Member, ...]:
        """Those for whom the others wait: all but who left or pauses. Where nobody is, all who did not leave."""
        there = tuple(each for each in self.members if not each.is_gone)
        return tuple(each for each in there if not each.is_away) or there

    def person(self, person_id: str) -> Member | None:
        """The member who is this person, also if they left; None for anybody else."""
        return next((each for each in self.members if each.person_id == person_id), None)

    def with_role(self, role: str) -> tuple[Member, ...]:
        """The members who have this role now; who pauses only where nobody else has it."""
        having = tuple(each for each in self.members if each.role == role and not each.is_gone)
        return tuple(each for each in having if not each.is_away) or having

    @property
    def host(self) -> Member:
        """Who invites in this cycle."""
        return next(member for member in self.members if member.role == "host")

    @property
    def coach(self) -> Member:
        """Who accompanies in this cycle; in a group without a coach its keeper."""
        having = (*self.with_role("coach"), *self.with_role("keeper"), *self.members[1:])
        return next((each for each in having if not each.is_away), having[0])

    @property
    def is_running(self) -> bool:
        """Whether they still work in it."""
        return self.status == "running"

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of this cycle, in order."""
        return self.protocol.stages_of(1 if self.starts_anew else self.number)

    @property
    def all_stages(self) -> tuple[Stage, ...]:
        """The same with what this step leaves out."""
        return self.with_left_out.stages_of(1 if self.starts_anew else self.number)

    @property
    def reflection(self) -> Stage:
        """The stage of the reflection."""
        return self.stages[-1]

    @property
    def facts(self) -> CycleFacts:
        """What the rules of privacy need of it."""
        return CycleFacts(
            activity_id=self.activity_id,
            members=tuple(
                MemberFacts(each.person_id, each.membership_id, cast("Role", each.role), each.is_gone)
                for each in self.members
            ),
            is_running=self.is_running,
            visit_done=any(is_done(self, stage) for stage in self.stages if stage.kind == "visit"),
            first_turn_done=any(first_turn_done(self, stage) for stage in self.stages),
            advice_asked=any(advice_asked(self, stage) for stage in self.stages),
        )

    @property
    def facts_of_visit(self) -> CycleFacts:
        """The same for what was seen in the visit: a first turn in the talk before opens nothing of it."""
        visit = next((each for each in self.stages if each.kind == "visit"), None)
        turn = self._next_or_last(visit, lambda each: each.first_turn is not None)
        return replace(self.facts, first_turn_done=turn is not None and first_turn_done(self, turn))

    def text_facts(self, field: Field, author_id: str | None = None) -> TextFacts:
        """What the rules of privacy need of a field; `author_id` for one of which everybody has their own."""
        # What is done in one conversation, or in one visit, opens nothing of another.
        stage = self.with_left_out.stage_of_field(field.key)
        turn = self._next_or_last(stage, lambda each: each.first_turn is not None)
        visit = self._next_or_last(stage, lambda each: each.kind == "visit")
        return TextFacts(
            cycle=replace(
                self.facts,
                advice_asked=stage is not None and advice_asked(self, stage),
                first_turn_done=turn is not None and first_turn_done(self, turn),
                visit_done=visit is not None and is_done(self, visit),
            ),
            by=cast("Writers", field.by),
            seen=cast("Literal['pair', 'author']", field.seen),
            opens=cast("Opens", field.opens),
            author_id=author_id if field.by == "each" else None,
        )

    def _next_or_last(self, stage: Stage | None, fits: Callable[[Stage], bool]) -> Stage | None:
        """The first stage that fits, from this one on; where none follows, the last before it."""
        order = [each.key for each in self.with_left_out.stages]
        fitting = [each for each in self.stages if fits(each)]
        here = order.index(stage.key) if stage is not None else 0
        return next((each for each in fitting if order.index(each.key) >= here), fitting[-1] if fitting else None)

    @property
    def with_left_out(self) -> Protocol:
        """The protocol with what this step leaves out: a page that is open still saves into it, so nothing is lost."""
        return self.whole or self.protocol

    def stage(self, key: str) -> Stage | None:
        """The stage of that key in this cycle, or None."""
        return next((stage for stage in self.stages if stage.key == key), None)

    def meeting(self, kind: str) -> Meeting | None:
        """The meeting of that kind, or None."""
        return next((meeting for meeting in self.meetings if meeting.kind == kind), None)

    def heads_of(self, field: Field, author_id: str) -> tuple[Head, ...]:
        """Current versions of a text; `author_id` says whose, for a field of which everybody has their own."""
        return tuple(
            head
            for head in self.heads
            if head.field == field.key and (field.by != "each" or head.author_id == author_id)
        )

    def submitted_at(self, member: Member) -> datetime | None:
        """When a member first submitted their reflection."""
        return next(
            (m.at for m in self.marks if m.stage == self.reflection.key and m.membership_id == member.membership_id),
            None,
        )


# Where the cycle is


def noted_visit(stages: Sequence[Stage]) -> Stage | None:
    """The visit in which somebody notes what is seen and heard; None where there is none among these stages."""
    return next((each for each in stages if each.kind == "visit" and any(one.raw for one in each.fields)), None)


def is_done(cycle: Cycle, stage: Stage) -> bool:
    """Whether a stage is done; a reflection once all for whom the others wait have submitted."""
    by = {mark.membership_id for mark in cycle.marks if mark.stage == stage.key}
    if stage.kind == "reflection":
        return by >= {member.membership_id for member in cycle.needed}
    return bool(by)


def is_done_for(cycle: Cycle, stage: Stage, member: Member) -> bool:
    """Whether a member has nothing left to do in a stage: their own reflection is theirs alone."""
    if stage.kind == "reflection":
        return cycle.submitted_at(member) is not None
    return is_done(cycle, stage)


def first_turn_done(cycle: Cycle, stage: Stage) -> bool:
    """Whether the first turn of a conversation has been marked."""
    return any(mark.stage == stage.key + FIRST_TURN for mark in cycle.marks)


def advice_asked(cycle: Cycle, stage: Stage) -> bool:
    """Whether the host asked for advice in a conversation."""
    return any(mark.stage == stage.key + ADVICE for mark in cycle.marks)


def done_at(cycle: Cycle, stage: Stage, member: Member) -> datetime | None:
    """When a stage was done, for a member."""
    if not is_done_for(cycle, stage, member):
        return None
    if stage.kind == "reflection":
        return cycle.submitted_at(member)
    return min(mark.at for mark in cycle.marks if mark.stage == stage.key)


def stage_now(cycle: Cycle, member: Member) -> Stage | None:
    """The first stage in which a member has something to do or to wait for; None when all is done for them."""
    return next((stage for stage in cycle.stages if not is_done_for(cycle, stage, member)), None)


def stage_of_pair(cycle: Cycle) -> str:
    """Key of the stage the pair is at; of the last one when all is done."""
    return next((stage.key for stage in cycle.stages if not is_done(cycle, stage)), cycle.stages[-1].key)


def new_place(cycle: Cycle) -> str | None:
    """Where a trainer counts the pair from now on, if it came to another place; None if not.

    The places are the same at every step of the ladder, and there is no way back: a pair that goes further than it had
    said may have something to do again in a place that it was seen to leave.
    """
    places = [key for key, _title in cycle.with_left_out.places]
    reached = cycle.with_left_out.place(stage_of_pair(cycle))
    came_from = places.index(cycle.place) if cycle.place in places else -1
    return reached if places.index(reached) > came_from else None


@dataclass(frozen=True, slots=True)
class StageState:
    """A stage as a member sees it on the way."""

    stage: Stage
    state: Literal["done", "now", "later"]
    at: datetime | None
    """Done: when. Otherwise: when the two meet for it, if they said."""


def stage_states(cycle: Cycle, member: Member) -> tuple[StageState, ...]:
    """All stages in order, as `member` sees them."""
    now = stage_now(cycle, member) if cycle.is_running else None
    return tuple(
        StageState(
            stage,
            "done" if is_done_for(cycle, stage, member) else "now" if stage is now else "later",
            done_at(cycle, stage, member) or _meets_at(cycle, stage),
        )
        for stage in cycle.stages
    )


def _meets_at(cycle: Cycle, stage: Stage) -> datetime | None:
    meeting = cycle.meeting(stage.meetings[0]) if stage.meetings else None
    return meeting.starts_at if meeting else None


# How long raw notes live


NOTES_DAYS = range(7, 366)
"""What a host can choose, in days; or as long as the cycle (R66)."""


def notes_due_at(cycle: Cycle, days: int | None) -> datetime | None:
    """When raw notes of the visit are deleted if they live `days` after the conversation after: None while that
    was not held, and where they live as long as the cycle. A cycle that ended before counts from then."""
    # Notes may be there that are not shown any more, because the pair goes less far by now.
    debrief = cycle.protocol.debrief or cycle.with_left_out.debrief
    if debrief is None or days is None:
        return None
    begins = done_at(cycle, debrief, cycle.me) or (None if cycle.is_running else cycle.finished_at)
    return begins + timedelta(days=days) if begins else None


# What must be there


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that stands in the way of closing a stage, confirming a visit or submitting."""

    code: str
    """text, versions (two at once), my_signature, partner_signature, signatures (nobody's yet), meeting, first_turn,
    earlier_stage, not_confirmed, not_yet (the visit lies ahead)."""
    of: str
    """Key of the field, agreement, meeting or stage."""
    stage: str
    """Key of the stage where it can be mended."""


def missing_in(cycle: Cycle, gates: Iterable[Gate], stage: Stage, member: Member) -> tuple[Missing, ...]:
    """What of a stage's conditions is not fulfilled yet, in the protocol's order."""
    found: list[Missing] = []
    for gate in gates:
        if gate.needs == "text":
            code = _text_lacks(cycle, gate.of, member)
        elif gate.needs == "agreement":
            code = _agreement_lacks(cycle, gate.of, member)
        elif gate.needs == "meeting":
            code = "" if cycle.meeting(gate.of) else "meeting"
        else:
            code = "" if first_turn_done(cycle, stage) else "first_turn"
        if code:
            found.append(Missing(code, gate.of, stage.key))
    return tuple(found)


def missing_to_close(cycle: Cycle, stage: Stage, member: Member, now: datetime) -> tuple[Missing, ...]:
    """What keeps `member` from closing a stage (from submitting, for a reflection); empty when nothing does."""
    for earlier in cycle.stages:
        if earlier is stage:
            break
        if not is_done_for(cycle, earlier, member):
            return (Missing("earlier_stage", earlier.key, earlier.key),)
    found = list(missing_in(cycle, stage.gates, stage, member))
    visit = cycle.meeting("visit") if stage.kind == "visit" else None
    if visit is not None:
        if member.role == "host" and visit.confirmed_at is None:
            # The coach's notes open to the host with the end of the visit; the coach said yes to it first.
            found.append(Missing("not_confirmed", "visit", stage.key))
        if visit.starts_at > now:
            found.append(Missing("not_yet", "visit", stage.key))
    return tuple(found)


def missing_to_book_visit(cycle: Cycle, stage: Stage, member: Member) -> tuple[Missing, ...]:
    """A visit needs its purpose before it can be booked (R33): the texts that come before the meeting in the gates."""
    before: list[Gate] = []
    for gate in stage.gates:
        if gate == Gate("meeting", "visit"):
            return missing_in(cycle, before, stage, member)
        before.append(gate)
    return ()


def missing_to_confirm_visit(cycle: Cycle, stage: Stage, member: Member) -> tuple[Missing, ...]:
    """A visit needs its roles card (R60) and a booked conversation after (R61) before it can be confirmed."""
    found = missing_in(cycle, stage.gates, stage, member)
    talks = [each for each in cycle.stages if "after" in each.meetings]
    # Also where a protocol of a course's own does not ask for it among the conditions of the visit.
    if not talks or cycle.meeting("after") or any(lack.of == "after" for lack in found):
        return found
    return (*found, Missing("meeting", "after", talks[0].key))


def _text_lacks(cycle: Cycle, key: str, member: Member) -> str:
    field = cycle.protocol.field(key)
    heads = cycle.heads_of(field, member.person_id) if field else ()
    if all(head.is_blank for head in heads):
        return "text"
    return "versions" if len(heads) > 1 else ""


def _agreement_lacks(cycle: Cycle, key: str, member: Member) -> str:
    agreement = cycle.protocol.agreement(key)
    if agreement is None:
        return "signatures"
    lacking = {each.person_id for each in unsigned(cycle, agreement)}
    if not lacking:
        return ""
    if len(lacking) == len(cycle.needed):
        return "signatures"
    return "my_signature" if member.person_id in lacking else "partner_signature"


# What all agree to


def unsigned(cycle: Cycle, agreement: Agreement) -> tuple[Member, ...]:
    """Those for whose signature an agreement waits."""
    return tuple(each for each in cycle.needed if signature_state(cycle, agreement, each) != "valid")


def current_heads(cycle: Cycle, agreement: Agreement) -> str:
    """The texts of an agreement as they are now, as a signature keeps them."""
    return ",".join(sorted(head.token for head in cycle.heads if head.field in agreement.fields))


def signature_state(cycle: Cycle, agreement: Agreement, member: Member) -> Literal["none", "valid", "changed"]:
    """Whether a member's signature counts; `changed`: it did, until a text changed."""
    for signature in cycle.signatures:
        if signature.item == agreement.key and signature.membership_id == member.membership_id:
            return "valid" if signature.heads == current_heads(cycle, agreement) else "changed"
    return "none"


def missing_to_sign(cycle: Cycle, agreement: Agreement, stage: Stage, member: Member) -> tuple[Missing, ...]:
    """What keeps an agreement from being signed: each text there, and in one version."""
    found = ((key, _text_lacks(cycle, key, member)) for key in agreement.fields)
    return tuple(Missing(code, key, stage.key) for key, code in found if code)


def has_seen(cycle: Cycle, agreement: Agreement, member: Member, seen: Iterable[str]) -> bool:
    """Whether a member who saw the versions `seen` knows the texts as they are: each seen, or written by themselves."""
    known = set(seen)
    return all(
        head.token in known or head.author_id == member.person_id
        for head in cycle.heads
        if head.field in agreement.fields
    )


# How saves of one text come together


@dataclass(frozen=True, slots=True)
class Row:
    """A version of a text with its words."""

    id: str
    rev: int
    author_id: str
    editor: str
    seq: int
    text: str
    replaced_by: str | None

    @property
    def token(self) -> str:
        """Names exactly this state of this row."""
        return f"{self.id}.{self.rev}"


@dataclass(frozen=True, slots=True)
class Save:
    """Somebody's text for a field. `base`: tokens of the versions they had before their eyes."""

    author_id: str
    text: str
    base: frozenset[str]
    editor: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Merge:
    """What a save does to a register."""

    action: Literal["nothing", "choose", "update", "insert"]
    row_id: str = ""
    """update: the row that takes the new text; choose: the head that stays."""
    replaces: tuple[str, ...] = ()
    """Ids of the heads that make way."""


def merge(rows: Sequence[Row], save: Save) -> Merge:
    """What to do with a save, given the register's heads and all rows of the same editor.

    No text of anybody is ever written over by somebody else, nor one's own by another page of one's own: a version
    makes way only when the save names exactly it. A save that comes twice, or after a later one of its page, does
    nothing.
    """
    heads = [row for row in rows if row.replaced_by is None]
    same_page = [row for row in rows if save.editor and row.editor == save.editor and row.author_id == save.author_id]
    if any(row.seq >= save.seq for row in same_page):
        return Merge("nothing")
    own = next((row for row in same_page if row.replaced_by is None), None)
    if own is not None:
        return Merge("update", own.id, tuple(row.id for row in heads if row.id != own.id and row.token in save.base))
    equal = next((row for row in heads if row.text == save.text and row.token in save.base), None)
    equal = equal or next((row for row in heads if row.text == save.text and row.author_id == save.author_id), None)
    if equal is not None:
        # Nothing new was written; one of several versions may have been chosen.
        others = tuple(row.id for row in heads if row.id != equal.id and row.token in save.base)
        return Merge("choose", equal.id, others) if others else Merge("nothing")
    if not heads and not save.text:
        return Merge("nothing")
    return Merge("insert", replaces=tuple(row.id for row in heads if row.token in save.base))


def apply(rows: Sequence[Row], save: Save, new_id: str) -> tuple[list[Row], str]:
    """The register after a save, and the id of the row that holds its text (empty when nothing was written)."""
    decided = merge(rows, save)
    holder = {"insert": new_id}.get(decided.action, decided.row_id)
    after = [replace(row, replaced_by=holder) if row.id in decided.replaces else row for row in rows]
    if decided.action == "update":
        after = [_rewritten(row, save) if row.id == decided.row_id else row for row in after]
    elif decided.action == "insert":
        after.append(Row(new_id, 1, save.author_id, save.editor, save.seq, save.text, None))
    return after, holder


def _rewritten(row: Row, save: Save) -> Row:
    # The same words again keep their token, so that nobody's signature lapses over nothing.
    rev = row.rev if row.text == save.text else row.rev + 1
    return replace(row, text=save.text, seq=save.seq, rev=rev)


def clean(text: str) -> str:
    """A text as it is kept: one kind of line end, and only what every device and database can hold."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "replace").decode()


def limit(field: Field, replaced: Iterable[str]) -> int:
    """How long a text may be: as the field says, or as long as all that it replaces ("keep both" never fails)."""
    lengths = [len(text) for text in replaced]
    return max(field.max_length, sum(lengths) + 2 * len(lengths))


# Times


class WrongTime(Exception):
    """A time that cannot be used. `code`: missing, not_a_time, skipped (clocks go forward then), far."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_local_time(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment in UTC of a local time as `datetime-local` sends it; the first of the two when clocks go back.

    A moment that has passed is fine: a visit may be written down afterwards. More than 400 days away is not.
    Raises WrongTime.
    """
    if not text.strip():
        raise WrongTime("missing")
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongTime("not_a_time") from None
    if local.tzinfo is not None:
        raise WrongTime("not_a_time")
    if abs(local.year - now.year) > 2:
        raise WrongTime("far")
    moment = local.replace(tzinfo=zone, second=0, microsecond=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(second=0, microsecond=0):
        raise WrongTime("skipped")
    if abs(moment - now) > timedelta(days=400):
        raise WrongTime("far")
    return moment


def debrief_is_late(cycle: Cycle) -> bool:
    """Whether the conversation after is booked later than 48 hours after the visit; said to the pair alone."""
    visit, after = cycle.meeting("visit"), cycle.meeting("after")
    return visit is not None and after is not None and after.starts_at - visit.ends_at > DEBRIEF_WITHIN


def debrief_is_early(cycle: Cycle) -> bool:
    """Whether the conversation after is booked for before the end of the visit."""
    visit, after = cycle.meeting("visit"), cycle.meeting("after")
    return visit is not None and after is not None and after.starts_at < visit.ends_at


def talk_before_is_late(cycle: Cycle) -> bool:
    """Whether the conversation before is booked for a time at which the visit has begun."""
    before, visit = cycle.meeting("before"), cycle.meeting("visit")
    return before is not None and visit is not None and before.ends_at > visit.starts_at


# What comes next


@dataclass(frozen=True, slots=True)
class NextStep:
    """The one thing a member can do now, or what they wait for."""

    code: str
    stage: str = ""
    of: str = ""
    """Key of the field, agreement or meeting it is about."""
    waits: bool = False
    """True when it is somebody else's turn; awaited() says whose."""


def next_step(cycle: Cycle, now: datetime) -> NextStep:
    """What comes next for the member who looks. Codes are named by stage kind; words.py says them."""
    member = cycle.me
    if cycle.is_alone:
        # It ends with what its one member does, so there is nobody to wait for or to agree with.
        return NextStep("reflect" if cycle.is_running else "reflected", cycle.reflection.key)
    if cycle.status == "finished":
        return _next_cycle(cycle)
    if cycle.status == "stopped":
        return NextStep("stopped")
    stage = stage_now(cycle, member)
    if stage is None:
        return NextStep("wait_reflection", cycle.reflection.key, waits=True)
    if stage.kind == "reflection":
        return NextStep("reflect", stage.key)
    missing = missing_in(cycle, stage.gates, stage, member)
    if stage.kind == "visit":
        return _next_in_visit(cycle, stage, missing, now)
    for lack in missing:
        if lack.code == "versions":
            return NextStep("choose_version", stage.key, lack.of)
    texts = [lack for lack in missing if lack.code == "text"]
    if stage.kind == "start":
        if texts:
            return NextStep("start", stage.key, texts[0].of)
        for lack in missing:
            waits = lack.code == "partner_signature"
            return NextStep("wait_sign" if waits else "sign", stage.key, lack.of, waits)
        return NextStep("sign", stage.key)
    if any(lack.code == "first_turn" for lack in missing):
        return NextStep("talk_first_turn", stage.key)
    if texts:
        return NextStep("talk", stage.key, texts[0].of)
    for lack in missing:
        waits = lack.code == "partner_signature"
        return NextStep("wait_confirm" if waits else "confirm", stage.key, lack.of, waits)
    return NextStep("close_talk", stage.key)


def _next_in_visit(cycle: Cycle, stage: Stage, missing: Sequence[Missing], now: datetime) -> NextStep:
    is_host = cycle.me.role == "host"
    visit = cycle.meeting("visit")
    if visit is None:
        return NextStep("plan_visit" if is_host else "wait_visit", stage.key, "visit", waits=not is_host)
    for lack in missing:
        code = {"meeting": "book_debrief", "versions": "choose_version"}.get(lack.code, "fill_card")
        return NextStep(code, stage.key, lack.of)
    if visit.confirmed_at is None:
        waits = cycle.me is not cycle.coach
        return NextStep("wait_visit_confirmed" if waits else "confirm_visit", stage.key, "visit", waits)
    if visit.starts_at > now:
        return NextStep("visit_ahead", stage.key, "visit")
    return NextStep("close_visit", stage.key, "visit")


def awaited(cycle: Cycle, step: NextStep) -> tuple[Member, ...]:
    """Whose turn it is where the member who looks waits; empty where they do not, or for nobody who is there."""
    agreement = cycle.protocol.agreement(step.of)
    if step.code in ("wait_sign", "wait_confirm") and agreement is not None:
        return unsigned(cycle, agreement)
    if step.code == "wait_reflection":
        return tuple(each for each in cycle.needed if cycle.submitted_at(each) is None)
    if step.code == "wait_wish":
        return tuple(each for each in cycle.needed if not each.wish)
    return {"wait_visit": (cycle.host,), "wait_visit_confirmed": (cycle.coach,)}.get(step.code, ())


def _next_cycle(cycle: Cycle) -> NextStep:
    if cycle.is_group:
        if not cycle.me.wish:
            return NextStep("choose_next")
        return NextStep("wait_wish", of=cycle.me.wish, waits=True)
    if not cycle.me.wish:
        return NextStep("answer_wish" if cycle.partner.wish else "choose_next", of=cycle.partner.wish)
    if not cycle.partner.wish:
        return NextStep("wait_wish", of=cycle.me.wish, waits=True)
    return NextStep("different_wishes", of=cycle.partner.wish)


def all_would_go_on(cycle: Cycle) -> bool:
    """Whether the next cycle of a group is wished by everybody for whom the others wait."""
    return all(member.wish for member in cycle.needed)


# Who has which role


def roles_after(members: Iterable[Member], wish: str) -> Mapping[str, str]:
    """Membership id → role in the next cycle of a pair: as now for `continue`, the other way round for `swap`."""
    other = {"host": "coach", "coach": "host"}
    return {member.membership_id: other[member.role] if wish == "swap" else member.role for member in members}


def roles_in_group(
    roles: Sequence[str], members: Sequence[str], past: Sequence[Mapping[str, str]], asks: Sequence[str] = ()
) -> dict[str, str]:
    """Membership id → role in the next cycle of a group.

    `roles`: of the protocol, in the order in which they rotate. `members`: who takes part in it, in the order in which
    they came. `past`: the same of each cycle before, the first one first. `asks`: who would like to be host.
    Nobody is host twice before all have been; among those whose turn it can be comes who asks, then who has waited
    longest. Every other role goes to whoever had it longest ago, too.
    """
    order = list(members)
    free, given = list(members), {}
    for role in roles:
        if role == "member":
            continue
        among = [each for each in free if can_host(each, members, past)] if role == "host" else free
        if not among:
            break
        chosen = min(
            among,
            key=lambda each: (
                role == "host" and each not in asks,
                _last_had(each, role, past),
                not _comes_to(each, role, roles, past),
                order.index(each),
            ),
        )
        given[chosen] = role
        free.remove(chosen)
        if role == "host":
            # At first the roles go round from the host on.
            start = order.index(chosen)
            order = order[start:] + order[:start]
    return given | dict.fromkeys(free, "member")


def can_host(member: str, members: Sequence[str], past: Sequence[Mapping[str, str]]) -> bool:
    """Whether a member of a group can be host of its next cycle; see roles_in_group."""
    return member in members and member not in _hosts_of_round(members, past)


def _hosts_of_round(members: Sequence[str], past: Sequence[Mapping[str, str]]) -> set[str]:
    """Who has been host since all were."""
    found: set[str] = set()
    for roles in past:
        found |= {each for each, role in roles.items() if role == "host"}
        if found.issuperset(members):
            found = set()
    return found


def _last_had(member: str, role: str, past: Sequence[Mapping[str, str]]) -> int:
    """Number of the cycle in which a member last had a role; 0 for none."""
    return max((number for number, roles in enumerate(past, 1) if roles.get(member) == role), default=0)


def _comes_to(member: str, role: str, roles: Sequence[str], past: Sequence[Mapping[str, str]]) -> bool:
    """Whether a role follows, in the order of the protocol, on the last one that a member had."""
    before = next((had[member] for had in reversed(past) if member in had), "")
    return before in roles and roles[(roles.index(before) + 1) % len(roles)] == role


def roles_to_take_over(cycle: Cycle) -> Mapping[str, str]:
    """Membership id → role of coach, keeper or observer that they take over, because nobody who has it is there:
    whoever had it left the group, or pauses, and then has it too when they are back. Nobody, where only the host is
    there; who observes takes over what leads, but only where nobody else does."""
    there = [each for each in cycle.members if not each.is_gone and not each.is_away]
    lost = {"coach", "keeper", "observer"} & {each.role for each in cycle.members} - {each.role for each in there}
    others = [each for each in reversed(there) if each.role not in ("host", "coach", "keeper")]
    heirs = [each.membership_id for each in sorted(others, key=lambda each: each.role == "observer")]
    return dict(zip(heirs, sorted(lost), strict=False))


def stands_still(cycle: Cycle, now: datetime) -> bool:
    """Whether a group has nothing left to do where it is, because somebody for whom it waited takes part no longer:
    nothing that they did told it so."""
    if cycle.closed_at is not None or not cycle.is_group:
        return False
    if not cycle.is_running:
        return cycle.status == "finished" and all_would_go_on(cycle)
    first = cycle.stages[0]
    is_agreed = (
        first.kind == "start" and not is_done(cycle, first) and not missing_to_close(cycle, first, cycle.me, now)
    )
    is_over = all(is_done(cycle, stage) for stage in cycle.stages)
    return is_agreed or is_over or bool(roles_to_take_over(cycle))


def goes_on_without(cycle: Cycle, member: Member) -> bool:
    """Whether a running cycle of a group goes on when a member leaves: what the host brought goes with the host, and
    it takes two to talk."""
    left = [each for each in cycle.members if each is not member and not each.is_gone]
    return member.role != "host" and len(left) >= 2
