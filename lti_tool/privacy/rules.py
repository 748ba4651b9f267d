"""Who may do what: the one place that decides.

Pure functions over small values. Everything that is not allowed here is refused: `may` answers False for an action
without a rule. Content belongs to the members of a cycle; an LMS role opens nothing by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from lti_tool.people.actor import Actor


class Action(StrEnum):
    """All that anyone can ask to do with something that has an owner."""

    SET_UP_ACTIVITY = "set up activity"
    PLACE_ACTIVITIES = "place activities"
    DECLARE_LEADER = "declare leader"
    TAKE_PART = "take part"
    BEGIN = "begin"
    """Something new: invite or accept, a cycle, a reflection. In an archived activity only what runs goes on."""
    SEE_PROGRESS = "see progress"
    ANSWER_INVITATION = "answer invitation"
    WITHDRAW_INVITATION = "withdraw invitation"
    ANSWER_PROPOSAL = "answer proposal"
    """Of a pairing round, to the two or three whom it names."""
    OPEN_PAIR = "open pair"
    OPEN_CYCLE = "open cycle"
    BOOK_VISIT = "book visit"
    BOOK_TALK = "book talk"
    SHARE_DEVICE = "share device"
    """Hold a conversation on one device that is passed across the table: all others then tap for the host too."""
    READ_TEXT = "read text"
    WRITE_TEXT = "write text"
    READ_REFLECTION = "read reflection"
    SEE_LOOKS = "see looks"
    """Who else opened what a person wrote: the log of that person."""
    SHARE_PASSAGE = "share passage"
    """Of one's own submitted reflection, with one audience."""
    READ_PASSAGE = "read passage"
    TAKE_BACK_PASSAGE = "take back passage"
    SEE_SHARED = "see shared"
    """The list of what others share in an activity; each passage in it is asked for by itself."""
    TAKE_MINE = "take mine"
    """See what is kept of a person, and download it: the person."""
    SEE_YEARS = "see years"
    """Goals, next steps and submitted reflections of all cycles of a person, in all their courses: the person."""
    KEEP_GROWTH = "keep growth"
    """What one would like to grow in: add to it, read, change and delete it."""
    SHARE_GROWTH = "share growth"
    """A line of it with one's pair, or take it back."""
    READ_GROWTH = "read growth"
    """A line that somebody shares."""
    DELETE_WORDS = "delete words"
    ASK_ADVICE = "ask advice"
    """Of the coach; without that nobody suggests anything."""
    SEE_GROUPS = "see groups"
    """Of an activity: what each is about, and who is in it."""
    CAPTURE = "capture"
    """Note a lesson live: whoever visits."""
    KEEP_NOTES = "keep notes"
    """Say how long raw notes of a visit live (R66)."""
    MANAGE_ACTIVITY = "manage activity"
    """Change, duplicate or archive it, give roles in it, see what was delivered to the LMS."""
    HOLD_ROUND = "hold round"
    """Set a pairing round, have it calculated, review the pairs and ask the teachers."""
    TAKE_OVER_ACTIVITY = "take over activity"
    SEE_PLAN = "see plan"
    ARRANGE_PLAN = "arrange plan"
    SET_DAYS = "set days"
    """Of an activity in the plan, or discard it while it has no link."""
    SEE_HEALTH = "see health"
    """Which pairs stand still, and nudge them."""
    TELL_GRADEBOOK = "tell gradebook"
    SEE_SCHOOL = "see school"
    """Its page: whether the LMS is connected, and the charter; no people."""
    SEE_TOTALS = "see totals"
    """Of a school: how many teachers take part, and nobody of them."""
    TEST_CONNECTION = "test connection"
    """With the LMS, and see when it was used last."""
    SIGN_CHARTER = "sign charter"
    """Of a school, or take it back."""
    SEE_PROTOCOLS = "see protocols"
    """What is shipped and what the course made of it, as far as it was given out."""
    EDIT_PROTOCOL = "edit protocol"
    """Of the course's own: its draft, its versions; make one."""
    READ_THREAD = "read thread"
    """What the members of a pair or group write to each other."""
    WRITE_THREAD = "write thread"
    DELETE_MESSAGE = "delete message"
    READ_INSTRUMENT = "read instrument"
    """What those who are in a cycle built to look with."""
    BUILD_INSTRUMENT = "build instrument"
    """Begin it, change it, approve it."""
    KEEP_INSTRUMENT = "keep instrument"
    """In one's own library, or take it out."""
    RELEASE_INSTRUMENT = "release instrument"
    """Of one's own library, to the other teachers of the course."""
    USE_RELEASED = "use released"
    """An instrument that a teacher of the course released."""
    PRACTISE = "practise"
    """With a lesson that never was, and see at which words notes are hinted: nothing there is anybody's."""
    EDIT_WORDS = "edit words"
    """At which notes in a course are hinted."""
    READ_DOOR = "read door"
    """What a teacher offers others of the activity to come and see."""
    ANSWER_AS_FRIEND = "answer as friend"
    """To both of a pair who ask somebody to be their critical friend."""
    ACCOMPANY = "accompany"
    """A pair, as its critical friend: see where it is, never what it writes."""
    CLOSE_DOOR = "close door"
    """It: whether it is one's own."""
    SEE_OBSERVATION = "see observation"
    """One column of what a coach captured in a visit."""
    SHOW_OBSERVATION = "show observation"
    """It to all who are in the cycle: the host says when (R64)."""
    SAY_WEEK = "say week"
    """Bell times, days and holidays of a course, or of the people of one school in it."""
    USE_MOODLE = "use moodle"
    """Say what the groups of a course in the LMS stand for, and whether pairs become groups there."""
    KEEP_TIMETABLE = "keep timetable"
    """When one teaches and is free: say it, read and delete it."""
    KEEP_CALENDAR = "keep calendar"
    """The address at which a calendar program reads one's bookings: make, change and end it."""
    KEEP_LEDGER = "keep ledger"
    """How much time one gave to coaching: read, say, download and delete it."""
    KEEP_REMINDERS = "keep reminders"
    """By which way and when one is reminded, and the address for it: say, read and delete it."""
    SEE_TIMES = "see times"
    """At which all members of a cycle could meet, by what they said; which of them is booked, the host says (R41)."""


@dataclass(frozen=True, slots=True)
class ActivityFacts:
    """An activity, as far as rules need it."""

    course_id: str
    status: str
    has_trainer: bool = True
    """Whether somebody is its trainer who is still there and leads no school."""
    reports_completion: bool = False


@dataclass(frozen=True, slots=True)
class SelectionFacts:
    """A selection of content in the LMS, as far as rules need it."""

    membership_id: str
    """Who selects."""


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """A course, as far as rules need it."""

    course_id: str


@dataclass(frozen=True, slots=True)
class PlannedFacts:
    """An activity in the plan of a course, as far as rules need it."""

    course_id: str
    is_mine: bool
    """Whether the actor is its trainer."""


@dataclass(frozen=True, slots=True)
class ProtocolFacts:
    """A protocol, as far as rules need it."""

    course_id: str | None
    """Whose own it is; None for a shipped one."""
    is_followed_here: bool = False
    """Whether an activity of the actor's course has it."""


@dataclass(frozen=True, slots=True)
class SchoolFacts:
    """A school or the platform it uses, as far as rules need it."""

    platform_id: str
    is_own: bool = False
    """Whether the actor works there, by their own word or because there is no other."""


@dataclass(frozen=True, slots=True)
class InvitationFacts:
    """An invitation, as far as rules need it."""

    activity_id: str
    host_membership_id: str
    coach_membership_id: str
    status: str


@dataclass(frozen=True, slots=True)
class PairFacts:
    """A pair, as far as rules need it."""

    activity_id: str
    membership_ids: tuple[str, ...]
    is_open: bool = True
    """Whether it has not ended; a pause closes nothing."""


Role = Literal["host", "coach", "observer", "keeper", "member"]


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """A message in the thread of a pair."""

    activity_id: str
    author_id: str


@dataclass(frozen=True, slots=True)
class FriendFacts:
    """A critical friend of a pair that has not ended."""

    activity_id: str
    membership_id: str
    """Of the friend."""
    status: str
    """asked by both, active once the friend agreed; proposed while only one of the two did, declined."""


@dataclass(frozen=True, slots=True)
class DoorFacts:
    """What a teacher offers others of an activity to come and see."""

    activity: ActivityFacts
    activity_id: str
    author_id: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a cycle, with the role they have in this cycle and in no other."""

    person_id: str
    membership_id: str
    role: Role
    is_gone: bool = False
    """Whether they left the group while the cycle ran: what they wrote for themselves stays theirs, and they read
    nothing else of it."""


@dataclass(frozen=True, slots=True)
class CycleFacts:
    """A cycle, as far as rules need it."""

    activity_id: str
    members: tuple[Member, ...]
    is_running: bool = True
    visit_done: bool = False
    first_turn_done: bool = False
    """Whether the host's first turn of the conversation after has been marked done (R64)."""
    advice_asked: bool = False
    """Whether the host asked for advice."""

    def member(self, person_id: str) -> Member | None:
        """The membership of a person in this cycle, if they are in it."""
        return next((member for member in self.members if member.person_id == person_id), None)


Writers = Role | Literal["both", "each"]
Readers = Literal["pair", "author"]
Opens = Literal["visit_done", "first_turn_done", "advice_asked"] | None


@dataclass(frozen=True, slots=True)
class AdviceFacts:
    """A conversation in which the host can ask for advice."""

    cycle: CycleFacts
    on_one_device: bool = False
    """Whether it is held on one device that is passed across the table, so that the host taps on it too."""


@dataclass(frozen=True, slots=True)
class TextFacts:
    """A field of a cycle: who writes it, who reads it, and when it opens to the other."""

    cycle: CycleFacts
    by: Writers
    seen: Readers
    opens: Opens = None
    author_id: str | None = None
    """Whose register it is, for a field of which each has their own; None for a shared one."""


@dataclass(frozen=True, slots=True)
class ReflectionFacts:
    """A submitted reflection."""

    cycle: CycleFacts
    author_id: str


@dataclass(frozen=True, slots=True)
class LogFacts:
    """The log of who opened what a person wrote."""

    owner_id: str


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """A passage of a submitted reflection that somebody would share with an audience; see PassageFacts."""

    reflection: ReflectionFacts
    audience: str


@dataclass(frozen=True, slots=True)
class PassageFacts:
    """A passage of a submitted reflection that its author shares with an audience."""

    activity: ActivityFacts
    activity_id: str
    author_id: str
    audience: str
    """partner: the other member of the cycle; cohort: who takes part in the activity; trainer: its trainers;
    portfolio: the author alone."""
    is_in_cycle: bool
    """Whether the actor is a member of the cycle that the reflection belongs to."""


@dataclass(frozen=True, slots=True)
class GrowthFacts:
    """Something that somebody would like to grow in."""

    owner_id: str
    pair: PairFacts | None = None
    """With which it is shared, or would be."""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class WordsFacts:
    """What one person wrote in one place of a cycle, all versions of it."""

    cycle: CycleFacts
    author_id: str
    is_together: bool
    """Whether the partner wrote in it too, or signed it: then it is not one person's to take away."""


@dataclass(frozen=True, slots=True)
class ObservationFacts:
    """What a coach captured in a visit, or one column of it."""

    cycle: CycleFacts
    coach_id: str
    """The person who captured it."""
    is_closed: bool
    is_shown: bool
    """Whether the host said that they look at it together."""
    column: Literal["seen", "question", "mine"] = "seen"


@dataclass(frozen=True, slots=True)
class OwnInstrumentFacts:
    """An instrument of somebody's library."""

    owner_id: str
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class TimetableFacts:
    """When somebody teaches and is free."""

    owner_id: str
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class TimeFacts:
    """What somebody keeps of their own time: the address of their calendar, or their ledger."""

    owner_id: str
    is_new: bool = False
    """Whether there is nothing of it yet."""


def may(actor: Actor, action: Action, thing: Any = None) -> bool:
    """Whether `actor` may do `action` with `thing` (the facts named in the rule). Without a rule: no."""
    rule = RULES.get(action)
    return rule is not None and rule(actor, thing)


def readers(text: TextFacts) -> tuple[Member, ...]:
    """The members of the cycle who can read a field now; nobody outside the cycle ever can."""
    return tuple(member for member in text.cycle.members if _opens_to(member, text))


def _opens_to(member: Member, text: TextFacts) -> bool:
    if text.by == "each" and member.person_id == text.author_id:
        return True
    if member.is_gone:
        return False
    if text.by in ("both", member.role):
        return True
    if text.seen == "author":
        return False
    if text.opens == "visit_done":
        return text.cycle.visit_done
    if text.opens == "first_turn_done":
        return text.cycle.first_turn_done
    if text.opens == "advice_asked":
        return text.cycle.advice_asked
    return True


def _set_up_activity(actor: Actor, activity: ActivityFacts) -> bool:
    return (
        actor.is_active
        and actor.lms_role == "instructor"
        and not actor.is_above
        and activity.status == "new"
        and activity.course_id == actor.course_id
    )


def _place_activities(actor: Actor, selection: SelectionFacts) -> bool:
    return (
        actor.is_active
        and actor.lms_role == "instructor"
        and not actor.is_above
        and selection.membership_id == actor.membership_id
    )


def _declare_leader(actor: Actor, _thing: None) -> bool:
    return actor.is_active and not actor.is_leader


def _take_part(actor: Actor, activity: ActivityFacts) -> bool:
    return (
        actor.is_teacher
        and not actor.is_trainer
        and actor.is_in_audience
        and activity.status in ("open", "archived")
        and activity.course_id == actor.course_id
    )


def _begin(actor: Actor, activity: ActivityFacts) -> bool:
    return _take_part(actor, activity) and activity.status == "open"


def _see_progress(actor: Actor, activity: ActivityFacts) -> bool:
    return actor.is_trainer and actor.is_active and not actor.is_above and activity.course_id == actor.course_id


def _take_over_activity(actor: Actor, activity: ActivityFacts) -> bool:
    return (
        actor.is_active
        and actor.lms_role == "instructor"
        and not actor.is_above
        and activity.status != "new"
        and not activity.has_trainer
        and activity.course_id == actor.course_id
    )


def _see_plan(actor: Actor, course: CourseFacts) -> bool:
    return actor.is_active and not actor.is_above and course.course_id == actor.course_id


def _arrange_plan(actor: Actor, course: CourseFacts) -> bool:
    return actor.is_trainer and _see_plan(actor, course)


def _set_days(actor: Actor, planned: PlannedFacts) -> bool:
    return planned.is_mine and actor.is_active and not actor.is_above and planned.course_id == actor.course_id


def _see_health(actor: Actor, activity: ActivityFacts) -> bool:
    is_facilitator = actor.is_facilitator and actor.is_active and not actor.is_above
    return _see_progress(actor, activity) or (is_facilitator and activity.course_id == actor.course_id)


def _tell_gradebook(actor: Actor, activity: ActivityFacts) -> bool:
    return activity.reports_completion and _take_part(actor, activity)


def _see_school(actor: Actor, school: SchoolFacts) -> bool:
    return actor.is_active and actor.is_above and school.platform_id == actor.platform_id


def _test_connection(actor: Actor, school: SchoolFacts) -> bool:
    return actor.is_administrator and _see_school(actor, school)


def _see_totals(actor: Actor, school: SchoolFacts) -> bool:
    return _see_school(actor, school) and (actor.is_administrator or school.is_own)


def _sign_charter(actor: Actor, school: SchoolFacts) -> bool:
    return _see_school(actor, school) and (actor.is_administrator or school.is_own)


def _answer_invitation(actor: Actor, invitation: InvitationFacts) -> bool:
    is_here = actor.is_teacher and invitation.activity_id == actor.activity_id
    return is_here and actor.membership_id == invitation.coach_membership_id


def _withdraw_invitation(actor: Actor, invitation: InvitationFacts) -> bool:
    is_here = actor.is_teacher and invitation.activity_id == actor.activity_id
    return is_here and actor.membership_id == invitation.host_membership_id


def _open_pair(actor: Actor, pair: PairFacts) -> bool:
    return actor.is_teacher and pair.activity_id == actor.activity_id and actor.membership_id in pair.membership_ids


def _open_cycle(actor: Actor, cycle: CycleFacts) -> bool:
    # A teacher who became a leader, or left the course, keeps what is theirs; the pair's content stays with the pair.
    return cycle.activity_id == actor.activity_id and cycle.member(actor.person_id) is not None


def _book_visit(actor: Actor, cycle: CycleFacts) -> bool:
    member = cycle.member(actor.person_id)
    return _open_cycle(actor, cycle) and cycle.is_running and member is not None and member.role == "host"


def _book_talk(actor: Actor, cycle: CycleFacts) -> bool:
    member = cycle.member(actor.person_id)
    return _open_cycle(actor, cycle) and cycle.is_running and member is not None and not member.is_gone


def _ask_advice(actor: Actor, advice: AdviceFacts) -> bool:
    member = advice.cycle.member(actor.person_id)
    if member is None or not _book_talk(actor, advice.cycle):
        return False
    return member.role == "host" or advice.on_one_device


def _read_text(actor: Actor, text: TextFacts) -> bool:
    return _open_cycle(actor, text.cycle) and any(member.person_id == actor.person_id for member in readers(text))


def _write_text(actor: Actor, text: TextFacts) -> bool:
    member = text.cycle.member(actor.person_id)
    if member is None or not _open_cycle(actor, text.cycle):
        return False
    if text.by == "each":
        # One's own reflection can be edited after the cycle ended: submitting again makes the next version (R14).
        return text.author_id == actor.person_id
    return not member.is_gone and text.cycle.is_running and (text.by == "both" or text.by == member.role)


def _read_reflection(actor: Actor, reflection: ReflectionFacts) -> bool:
    return _open_cycle(actor, reflection.cycle) and reflection.author_id == actor.person_id


def _see_looks(actor: Actor, log: LogFacts) -> bool:
    # Also as a leader, and after they left the course: it is about what they wrote.
    return log.owner_id == actor.person_id


def _share_passage(actor: Actor, release: ReleaseFacts) -> bool:
    has_partner = len(release.reflection.cycle.members) > 1
    audiences = ("cohort", "trainer", "portfolio", *(["partner"] if has_partner else []))
    return _read_reflection(actor, release.reflection) and release.audience in audiences


def _read_passage(actor: Actor, passage: PassageFacts) -> bool:
    if passage.author_id == actor.person_id:
        return True
    if passage.activity_id != actor.activity_id or not actor.is_active or actor.is_above:
        return False
    if passage.audience == "partner":
        return passage.is_in_cycle
    if passage.audience == "cohort":
        return _take_part(actor, passage.activity)
    return passage.audience == "trainer" and _see_progress(actor, passage.activity)


def _take_back_passage(actor: Actor, passage: PassageFacts) -> bool:
    # From wherever they come, also as a leader or after they left the course: it is theirs.
    return passage.author_id == actor.person_id


def _see_shared(actor: Actor, activity: ActivityFacts) -> bool:
    return _take_part(actor, activity) or _see_progress(actor, activity)


def _take_mine(actor: Actor, person_id: str) -> bool:
    return actor.person_id == person_id


def _keep_timetable(actor: Actor, timetable: TimetableFacts) -> bool:
    return timetable.owner_id == actor.person_id and (actor.is_teacher or not timetable.is_new)


def _see_times(actor: Actor, cycle: CycleFacts) -> bool:
    return actor.is_teacher and _book_talk(actor, cycle)


def _keep_time(actor: Actor, time: TimeFacts) -> bool:
    # What is there stays one's own, also for a leader, and for whoever left the course.
    return time.owner_id == actor.person_id and (actor.is_teacher or not time.is_new)


def _keep_growth(actor: Actor, growth: GrowthFacts) -> bool:
    # What is there stays one's own, also for a leader, and for whoever left the course.
    return growth.owner_id == actor.person_id and (actor.is_teacher or not growth.is_new)


def _share_growth(actor: Actor, growth: GrowthFacts) -> bool:
    return growth.owner_id == actor.person_id and _read_growth(actor, growth)


def _read_growth(actor: Actor, growth: GrowthFacts) -> bool:
    return growth.pair is not None and growth.pair.is_open and _open_pair(actor, growth.pair)


def _delete_words(actor: Actor, words: WordsFacts) -> bool:
    return _open_cycle(actor, words.cycle) and words.author_id == actor.person_id and not words.is_together


def _capture(actor: Actor, cycle: CycleFacts) -> bool:
    # In a pair the coach; in a group everybody who comes to see the host.
    member = cycle.member(actor.person_id)
    return actor.is_teacher and _book_talk(actor, cycle) and member is not None and member.role != "host"


def _keep_notes(actor: Actor, cycle: CycleFacts) -> bool:
    # The notes are about the host's lesson, so the host says how long; also after the cycle has ended.
    member = cycle.member(actor.person_id)
    return _open_cycle(actor, cycle) and member is not None and member.role == "host"


def _read_thread(actor: Actor, pair: PairFacts) -> bool:
    # As with cycles: who left the course keeps what is theirs. Nobody above, and no trainer, reads what is still being
    # written; of what has ended they keep theirs too.
    if pair.is_open and (actor.is_above or actor.is_trainer):
        return False
    return pair.activity_id == actor.activity_id and actor.membership_id in pair.membership_ids


def _write_thread(actor: Actor, pair: PairFacts) -> bool:
    return _read_thread(actor, pair) and actor.is_teacher and pair.is_open


def _delete_message(actor: Actor, message: MessageFacts) -> bool:
    # Also of a thread that they do not read any more: their words are theirs to take back.
    return message.activity_id == actor.activity_id and message.author_id == actor.person_id


def _see_protocols(actor: Actor, protocol: ProtocolFacts) -> bool:
    is_here = protocol.course_id in (None, actor.course_id) or protocol.is_followed_here
    return actor.is_active and not actor.is_above and is_here


def _edit_protocol(actor: Actor, protocol: ProtocolFacts) -> bool:
    return actor.is_trainer and actor.is_active and not actor.is_above and protocol.course_id == actor.course_id


def _read_instrument(actor: Actor, cycle: CycleFacts) -> bool:
    member = cycle.member(actor.person_id)
    return _open_cycle(actor, cycle) and member is not None and not member.is_gone


def _keep_instrument(actor: Actor, own: OwnInstrumentFacts) -> bool:
    # What is there stays one's own, also for a leader, and for whoever left the course.
    return own.owner_id == actor.person_id and (actor.is_teacher or not own.is_new)


def _release_instrument(actor: Actor, own: OwnInstrumentFacts) -> bool:
    return own.owner_id == actor.person_id and actor.is_teacher and not actor.is_trainer


def _use_released(actor: Actor, course: CourseFacts) -> bool:
    return actor.is_teacher and not actor.is_trainer and course.course_id == actor.course_id


def _read_door(actor: Actor, door: DoorFacts) -> bool:
    return door.activity_id == actor.activity_id and _take_part(actor, door.activity)


def _answer_as_friend(actor: Actor, friend: FriendFacts) -> bool:
    return _is_friend(actor, friend) and friend.status == "asked"


def _accompany(actor: Actor, friend: FriendFacts) -> bool:
    return _is_friend(actor, friend) and friend.status == "active"


def _is_friend(actor: Actor, friend: FriendFacts) -> bool:
    is_here = actor.is_teacher and friend.activity_id == actor.activity_id
    return is_here and actor.membership_id == friend.membership_id


def _see_observation(actor: Actor, seen: ObservationFacts) -> bool:
    member = seen.cycle.member(actor.person_id)
    if member is None or not _open_cycle(actor, seen.cycle):
        return False
    if actor.person_id == seen.coach_id:
        return True
    if member.is_gone or not seen.is_closed or not seen.is_shown:
        return False
    # What the coach wants to ask opens when the host has had their turn; their own column never does.
    return seen.column == "seen" or (seen.column == "question" and seen.cycle.first_turn_done)


def _show_observation(actor: Actor, seen: ObservationFacts) -> bool:
    # Also after the cycle has ended: it is about the host's lesson.
    member = seen.cycle.member(actor.person_id)
    is_host = member is not None and member.role == "host" and not member.is_gone
    return is_host and _open_cycle(actor, seen.cycle) and actor.person_id != seen.coach_id and seen.is_closed


def _close_door(_actor: Actor, is_own: bool) -> bool:
    # From wherever they come, also as a leader or after they left the course: it is theirs.
    return is_own


RULES: dict[Action, Callable[[Actor, Any], bool]] = {
    Action.SET_UP_ACTIVITY: _set_up_activity,
    Action.PLACE_ACTIVITIES: _place_activities,
    Action.DECLARE_LEADER: _declare_leader,
    Action.TAKE_PART: _take_part,
    Action.BEGIN: _begin,
    Action.SEE_PROGRESS: _see_progress,
    Action.ANSWER_INVITATION: _answer_invitation,
    Action.WITHDRAW_INVITATION: _withdraw_invitation,
    Action.ANSWER_PROPOSAL: _open_pair,
    Action.OPEN_PAIR: _open_pair,
    Action.OPEN_CYCLE: _open_cycle,
    Action.BOOK_VISIT: _book_visit,
    Action.BOOK_TALK: _book_talk,
    Action.ASK_ADVICE: _ask_advice,
    Action.SHARE_DEVICE: _book_visit,
    Action.READ_TEXT: _read_text,
    Action.WRITE_TEXT: _write_text,
    Action.READ_REFLECTION: _read_reflection,
    Action.SEE_LOOKS: _see_looks,
    Action.SHARE_PASSAGE: _share_passage,
    Action.READ_PASSAGE: _read_passage,
    Action.TAKE_BACK_PASSAGE: _take_back_passage,
    Action.SEE_SHARED: _see_shared,
    Action.TAKE_MINE: _take_mine,
    Action.SEE_YEARS: _take_mine,
    Action.KEEP_GROWTH: _keep_growth,
    Action.SHARE_GROWTH: _share_growth,
    Action.READ_GROWTH: _read_growth,
    Action.DELETE_WORDS: _delete_words,
    Action.SEE_GROUPS: _take_part,
    Action.CAPTURE: _capture,
    Action.KEEP_NOTES: _keep_notes,
    Action.MANAGE_ACTIVITY: _see_progress,
    Action.HOLD_ROUND: _see_progress,
    Action.TAKE_OVER_ACTIVITY: _take_over_activity,
    Action.SEE_PLAN: _see_plan,
    Action.ARRANGE_PLAN: _arrange_plan,
    Action.PRACTISE: _see_plan,
    Action.EDIT_WORDS: _arrange_plan,
    Action.SAY_WEEK: _arrange_plan,
    Action.USE_MOODLE: _arrange_plan,
    Action.KEEP_TIMETABLE: _keep_timetable,
    Action.KEEP_CALENDAR: _keep_time,
    Action.KEEP_LEDGER: _keep_time,
    Action.KEEP_REMINDERS: _keep_time,
    Action.SEE_TIMES: _see_times,
    Action.SET_DAYS: _set_days,
    Action.SEE_HEALTH: _see_health,
    Action.TELL_GRADEBOOK: _tell_gradebook,
    Action.SEE_SCHOOL: _see_school,
    Action.SEE_TOTALS: _see_totals,
    Action.TEST_CONNECTION: _test_connection,
    Action.SIGN_CHARTER: _sign_charter,
    Action.SEE_PROTOCOLS: _see_protocols,
    Action.EDIT_PROTOCOL: _edit_protocol,
    Action.READ_THREAD: _read_thread,
    Action.WRITE_THREAD: _write_thread,
    Action.DELETE_MESSAGE: _delete_message,
    Action.READ_INSTRUMENT: _read_instrument,
    Action.BUILD_INSTRUMENT: _book_talk,
    Action.KEEP_INSTRUMENT: _keep_instrument,
    Action.RELEASE_INSTRUMENT: _release_instrument,
    Action.USE_RELEASED: _use_released,
    Action.READ_DOOR: _read_door,
    Action.CLOSE_DOOR: _close_door,
    Action.SEE_OBSERVATION: _see_observation,
    Action.SHOW_OBSERVATION: _show_observation,
    Action.ANSWER_AS_FRIEND: _answer_as_friend,
    Action.ACCOMPANY: _accompany,
}
