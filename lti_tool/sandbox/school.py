"""The school: everything the LMS remembers, in memory, behind one lock."""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import requests

from lti_tool.sandbox import people
from lti_tool.sandbox.faults import Faults
from lti_tool.sandbox.keys import PlatformKeys
from lti_tool.sandbox.people import CourseRole, Person
from lti_tool.sandbox.personalities import Personality
from lti_tool.sandbox.tools import Tool

ACCESS_TOKEN_LIFETIME_S = 3600


@dataclass
class Group:
    id: str
    name: str
    members: set[str] = field(default_factory=set)
    id_number: str = ""
    description: str = ""
    description_format: int = 0
    enrolment_key: str | None = None


@dataclass
class Grouping:
    """Groups that a forum or an assignment can be set to."""

    id: str
    name: str
    id_number: str = ""
    description: str = ""
    groups: set[str] = field(default_factory=set)


@dataclass
class Course:
    """A course; `members` maps a person's id to what they are in it."""

    id: str
    short_name: str
    title: str
    summary: str
    members: dict[str, CourseRole] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    groupings: list[Grouping] = field(default_factory=list)

    def group_ids_of(self, person_id: str) -> list[str]:
        return [group.id for group in self.groups if person_id in group.members]


@dataclass(frozen=True)
class Window:
    """From when to when, each ISO 8601 as the tool sent it, or empty."""

    start: str = ""
    end: str = ""


@dataclass
class Activity:
    """A resource link placed in a course. `id` is what the tool sees, `module_id` what the LMS's own pages use.

    `available` is when it can be opened, `submission` when work can be handed in (Deep Linking 2.0, 3.5); the sandbox
    shows them and shuts nobody out.
    """

    id: str
    module_id: str
    course_id: str
    deployment_id: str
    title: str
    url: str
    description: str = ""
    opens_in: str = "iframe"
    gradable: bool = False
    custom: dict[str, str] = field(default_factory=dict)
    available: Window = Window()
    submission: Window = Window()


@dataclass
class LineItem:
    """A column of the gradebook. `is_declared` items were made by the tool, the others come with their activity."""

    id: str
    course_id: str
    deployment_id: str
    label: str
    maximum: float
    activity_id: str | None = None
    resource_id: str = ""
    tag: str = ""
    is_declared: bool = False


@dataclass(frozen=True)
class Grade:
    """What the gradebook shows for one person and line item; `score` in the line item's own scale."""

    score: float | None
    feedback: str | None
    modified: int


@dataclass(frozen=True)
class Event:
    """An entry of the LMS's calendar; `start` in seconds since the epoch, `length` in seconds."""

    id: int
    name: str
    description: str
    format: int
    course: int
    group: int
    user: int
    kind: str
    start: int
    length: int
    visible: int
    sequence: int
    modified: int


@dataclass(frozen=True)
class Message:
    """A message from the account of the web services' token to a person."""

    id: int
    to: str
    text: str
    sent_at: int


@dataclass
class WebServices:
    """How the web services are open to the tool: one token, a service with some functions."""

    token: str
    functions: list[str]
    calls: Counter[str] = field(default_factory=Counter)
    """How often each function was asked for, refused calls included."""


@dataclass(frozen=True)
class Kept:
    """Groups and groupings by course, events, and how many messages there were."""

    courses: dict[str, tuple[list[Group], list[Grouping]]]
    events: dict[int, Event]
    messages: int


@dataclass(frozen=True)
class PendingLaunch:
    """A launch between the click in the course and the tool's authentication request."""

    person_id: str
    deployment_id: str
    course_id: str
    activity_id: str | None


@dataclass(frozen=True)
class AccessToken:
    deployment_id: str
    scopes: tuple[str, ...]
    expires: float


class School:
    """The LMS's state. Whoever reads or changes it from several threads holds `lock`.

    `http` is the session the LMS calls tools with; a test may mount its own adapter there.
    """

    def __init__(
        self, base_url: str, personality: Personality, clock: Callable[[], float], seed: int, tool_origin: str | None
    ) -> None:
        self.lock = threading.RLock()
        self.base_url = base_url.rstrip("/")
        self.personality = personality
        self._clock = clock
        self.faults = Faults()
        self.keys = PlatformKeys(self.now, personality.quirks.key_lifetime_s)
        self.tool_origin = tool_origin
        self.http = requests.Session()
        self.http.trust_env = False
        self.name = "Coláiste Abhainn Rua"
        self.short_name = "abhainnrua"
        self.guid = secrets.token_hex(16)
        self.people: dict[str, Person] = {}
        self.courses: dict[str, Course] = {}
        self.tools: dict[str, Tool] = {}
        self.activities: dict[str, Activity] = {}
        self.line_items: dict[str, LineItem] = {}
        self.grades: dict[tuple[str, str], Grade] = {}
        self.pending_launches: dict[str, PendingLaunch] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.events: dict[int, Event] = {}
        self.messages: list[Message] = []
        self.web_services = WebServices(secrets.token_hex(16), [])
        self.seen_token_ids: set[tuple[str, str]] = set()
        self.tool_keys: dict[str, list[dict[str, object]]] = {}
        self._names = people.more_names(seed)
        # The numbers a fresh Moodle begins with: course 1 is the site itself, user 1 the guest, grade item 1 the course
        # total, modules 1 and 2 the forums of the site and of the first course.
        self._last_ids = {"person": 1, "course": 1, "group": 1, "tool": 0, "activity": 0, "module": 2, "line item": 1}
        self._last_ids |= {"grouping": 0, "event": 0, "message": 0}
        self._furnish()

    def now(self) -> float:
        """The LMS's clock, in seconds since the epoch: wrong by the offset a fault asks for."""
        return self._clock() + self.faults.clock_offset_s

    @property
    def issuer(self) -> str:
        """Who signs the messages: one name for all schools at some LMSs, else this school's address."""
        return self.personality.quirks.issuer or self.base_url

    def url(self, path: str) -> str:
        return self.base_url + path

    def person(self, id_or_username: str) -> Person | None:
        known = self.people.get(id_or_username)
        return known or next((one for one in self.people.values() if one.username == id_or_username), None)

    def course(self, id_or_short_name: str) -> Course | None:
        known = self.courses.get(id_or_short_name)
        return known or next((one for one in self.courses.values() if one.short_name == id_or_short_name), None)

    def tool_by_client(self, client_id: str) -> Tool | None:
        return next((tool for tool in self.tools.values() if tool.client_id == client_id), None)

    def activity_by_module(self, module_id: str) -> Activity | None:
        return next((one for one in self.activities.values() if one.module_id == module_id), None)

    def role_of(self, person: Person, course: Course) -> CourseRole | None:
        """What `person` is in `course`; a site administrator is a manager everywhere, enrolled or not."""
        if person.is_admin:
            return CourseRole.MANAGER
        return course.members.get(person.id)

    def members_of(self, course: Course) -> list[tuple[Person, CourseRole]]:
        """The people enrolled in `course` with their roles, by family name, then given name."""
        enrolled = [(self.people[person_id], role) for person_id, role in course.members.items()]
        return sorted(enrolled, key=lambda one: (one[0].family, one[0].given, int(one[0].id)))

    def activities_of(self, course: Course) -> list[Activity]:
        return [activity for activity in self.activities.values() if activity.course_id == course.id]

    def events_of(self, person: Person) -> list[Event]:
        """What a person's calendar shows: their own, their groups' and their courses', in order of time."""
        courses = {int(course.id): set(course.group_ids_of(person.id)) for course in self.courses.values()
                   if person.id in course.members}  # fmt: skip
        groups = set().union(*courses.values())
        mine = [
            each
            for each in self.events.values()
            if each.visible
            and (
                (each.kind == "user" and each.user == int(person.id))
                or (each.kind == "group" and str(each.group) in groups)
                or (each.kind == "course" and each.course in courses)
            )
        ]
        return sorted(mine, key=lambda each: (each.start, each.id))

    def line_items_of(self, course: Course) -> list[LineItem]:
        return [item for item in self.line_items.values() if item.course_id == course.id]

    def line_items_of_activity(self, activity: Activity) -> list[LineItem]:
        return [item for item in self.line_items.values() if item.activity_id == activity.id]

    def add_person(
        self, given: str, family: str, *, job: str = "", username: str | None = None, is_admin: bool = False
    ) -> Person:
        person_id = self._next_id("person")
        username = username or self._free_username(given, family)
        number = "" if job else f"AR{int(person_id):04d}"
        person = Person(
            person_id, username, given, family, f"{username}@abhainnrua.example", number, is_admin, job or "Teacher"
        )
        self.people[person.id] = person
        return person

    def add_people(self, course: Course, count: int, role: CourseRole) -> list[Person]:
        """Enrol `count` new people with generated names in `course`."""
        added = []
        for _ in range(count):
            given, family = next(self._names)
            # A generated name comes back after a while, so the number keeps the account's name its own.
            number = self._last_ids["person"] + 1
            added.append(self.add_person(given, family, username=f"{people.plain(given)}.{number}"))
        course.members.update((person.id, role) for person in added)
        return added

    def add_course(self, short_name: str, title: str, summary: str) -> Course:
        course = Course(self._next_id("course"), short_name, title, summary)
        self.courses[course.id] = course
        return course

    def add_group(self, course: Course, name: str, member_ids: Iterable[str]) -> Group:
        group = Group(self._next_id("group"), name, set(member_ids))
        course.groups.append(group)
        return group

    def add_grouping(self, course: Course, name: str, id_number: str = "", description: str = "") -> Grouping:
        grouping = Grouping(self._next_id("grouping"), name, id_number, description)
        course.groupings.append(grouping)
        return grouping

    def next_event_id(self) -> int:
        return int(self._next_id("event"))

    def send_message(self, to: str, text: str) -> Message:
        message = Message(int(self._next_id("message")), to, text, int(self.now()))
        self.messages.append(message)
        return message

    def snapshot(self) -> Kept:
        """What web services change, to bring back when a batch is refused."""
        kept = {
            course.id: (
                [replace(group, members=set(group.members)) for group in course.groups],
                [replace(grouping, groups=set(grouping.groups)) for grouping in course.groupings],
            )
            for course in self.courses.values()
        }
        return Kept(kept, dict(self.events), len(self.messages))

    def bring_back(self, kept: Kept) -> None:
        for course_id, (groups, groupings) in kept.courses.items():
            self.courses[course_id].groups = groups
            self.courses[course_id].groupings = groupings
        self.events = kept.events
        del self.messages[kept.messages :]

    def next_deployment_id(self) -> str:
        return self._next_id("tool")

    def add_tool(self, tool: Tool) -> None:
        self.tools[tool.deployment_id] = tool

    def remove_tool(self, deployment_id: str) -> None:
        """Delete a tool with its activities, as the LMS does; its access tokens end too."""
        self.tools.pop(deployment_id)
        for activity in [one for one in self.activities.values() if one.deployment_id == deployment_id]:
            self.remove_activity(activity.id)
        for item in [one for one in self.line_items.values() if one.deployment_id == deployment_id]:
            self.remove_line_item(item.id)
        kept = {key: token for key, token in self.access_tokens.items() if token.deployment_id != deployment_id}
        self.access_tokens = kept

    def add_activity(
        self,
        course: Course,
        tool: Tool,
        title: str,
        *,
        url: str | None = None,
        description: str = "",
        opens_in: str = "iframe",
        custom: dict[str, str] | None = None,
        gradable: bool = False,
        maximum: float = 100,
        resource_id: str = "",
        tag: str = "",
        available: Window = Window(),
        submission: Window = Window(),
    ) -> Activity:
        """Place an activity of `tool` in `course`; a gradable one gets its column in the gradebook at once."""
        activity = Activity(
            id=self._next_id("activity"),
            module_id=self._next_id("module"),
            course_id=course.id,
            deployment_id=tool.deployment_id,
            title=title,
            url=url or tool.target_link_uri,
            description=description,
            opens_in=opens_in,
            gradable=gradable,
            custom=custom or {},
            available=available,
            submission=submission,
        )
        self.activities[activity.id] = activity
        if gradable:
            self.add_line_item(course, tool, title, maximum, activity_id=activity.id, resource_id=resource_id, tag=tag)
        return activity

    def remove_activity(self, activity_id: str) -> None:
        activity = self.activities.pop(activity_id)
        for item in self.line_items_of_activity(activity):
            self.remove_line_item(item.id)

    def add_line_item(
        self,
        course: Course,
        tool: Tool,
        label: str,
        maximum: float,
        *,
        activity_id: str | None = None,
        resource_id: str = "",
        tag: str = "",
        is_declared: bool = False,
    ) -> LineItem:
        item = LineItem(
            id=self._next_id("line item"),
            course_id=course.id,
            deployment_id=tool.deployment_id,
            label=label,
            maximum=maximum,
            activity_id=activity_id,
            resource_id=resource_id,
            tag=tag,
            is_declared=is_declared,
        )
        self.line_items[item.id] = item
        return item

    def remove_line_item(self, item_id: str) -> None:
        self.line_items.pop(item_id)
        for key in [key for key in self.grades if key[0] == item_id]:
            del self.grades[key]

    def expire_access_tokens(self) -> None:
        """End every access token given out so far; the next one a tool asks for works."""
        self.access_tokens.clear()

    def _next_id(self, kind: str) -> str:
        self._last_ids[kind] += 1
        return str(self._last_ids[kind])

    def _free_username(self, given: str, family: str) -> str:
        wanted = f"{people.plain(given)}.{people.plain(family)}"
        taken = {one.username for one in self.people.values()}
        return wanted if wanted not in taken else f"{wanted}{self._last_ids['person']}"

    def _furnish(self) -> None:
        given, family, job = people.ADMINISTRATOR
        admin = self.add_person(given, family, job=job, username="admin", is_admin=True)
        teachers = [self.add_person(given, family) for given, family in people.TEACHERS]
        trainer, second_trainer, principal, _outsider = (
            self.add_person(given, family, job=job)
            for given, family, job in (people.TRAINER, people.SECOND_TRAINER, people.PRINCIPAL, people.NOT_ENROLLED)
        )
        coaching = self.add_course(
            "CPC26",
            "Collegial Peer Coaching 2026/27",
            "Teachers visit each other’s lessons, and talk before and after. Nobody is graded here.",
        )
        coaching.members.update({teacher.id: CourseRole.STUDENT for teacher in teachers})
        coaching.members.update(
            {
                trainer.id: CourseRole.EDITING_TEACHER,
                second_trainer.id: CourseRole.TEACHER,
                principal.id: CourseRole.EDITING_TEACHER,
                admin.id: CourseRole.MANAGER,
            }
        )
        for number, name in enumerate(("Languages", "Sciences and mathematics", "Arts and practical subjects")):
            self.add_group(coaching, name, (teacher.id for teacher in teachers[number * 8 : number * 8 + 8]))
        digital = self.add_course(
            "DIG26", "Digital Portfolios for the Junior Cycle", "Six short sessions after school, in the computer room."
        )
        digital.members.update({teacher.id: CourseRole.STUDENT for teacher in teachers[::3]})
        digital.members[second_trainer.id] = CourseRole.EDITING_TEACHER
