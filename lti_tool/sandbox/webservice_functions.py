"""The functions of Moodle's web services that a coaching tool has use for, with the parameters Moodle asks for.

Shapes and refusals are those that were recorded; where nothing was recorded, those of Moodle's source. The account of
the token is the site's administrator, who sees and may do everything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lti_tool.sandbox import webservice_shapes as shapes
from lti_tool.sandbox.errors import WebServiceRefusal
from lti_tool.sandbox.people import Person
from lti_tool.sandbox.school import Course, Event, School
from lti_tool.sandbox.webservice_parameters import BOOL, INT, RAW, TEXT, Many, One, Spec, Value, refused_parameter
from lti_tool.sandbox.webservice_shapes import missing_record, require_free, the_course, the_group

VERSION, RELEASE = "2023112400", "4.4dev (Build: 20231124)"
LONGEST_GROUP_NAME = 254
_FORMAT = Value("int", 1)


@dataclass(frozen=True)
class Function:
    """`do(school, **parameters)` carries it out."""

    parameters: One
    do: Callable[..., Any]
    reads: bool


FUNCTIONS: dict[str, Function] = {}
"""By name, in the order in which the service lists them."""


def _function(
    name: str, *, reads: bool = False, **parameters: Spec
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(do: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS[name] = Function(One(parameters), do, reads)
        return do

    return add


@_function("core_webservice_get_site_info", reads=True)
def get_site_info(school: School) -> dict[str, Any]:
    account = shapes.account(school)
    features = {
        **{"usecomments": 1, "usetags": 1, "enablenotes": 1, "messaging": 1, "enableblogs": 1, "enablecompletion": 1},
        **{"enablebadges": 1, "messagingallusers": 0, "enablecustomreports": 1, "enableglobalsearch": 0},
        **{"mnet_dispatcher_mode": 0},
    }
    return {
        "sitename": school.name,
        "username": account.username,
        "firstname": account.given,
        "lastname": account.family,
        "fullname": account.name,
        "lang": "en",
        "userid": int(account.id),
        "siteurl": school.base_url,
        "userpictureurl": shapes.picture(school, 1),
        "functions": [{"name": name, "version": VERSION} for name in school.web_services.functions],
        "downloadfiles": 0,
        "uploadfiles": 0,
        "release": RELEASE,
        "version": VERSION,
        "mobilecssurl": "",
        "advancedfeatures": [{"name": name, "value": value} for name, value in features.items()],
        "usercanmanageownfiles": True,
        "userquota": 0,
        "usermaxuploadfilesize": -1,
        "userhomepage": 1,
        "userprivateaccesskey": school.guid,
        "siteid": 1,
        "sitecalendartype": "gregorian",
        "usercalendartype": "gregorian",
        "userissiteadmin": account.is_admin,
        "theme": "boost",
        "limitconcurrentlogins": 0,
    }


@_function("core_course_get_courses", reads=True, options=One({"ids": Many(INT, None)}, {"ids": None}))
def get_courses(school: School, options: dict[str, Any]) -> list[dict[str, Any]]:
    """All courses, the site itself (1) first; ids that are not there are left out."""
    found = [shapes.site(school), *map(shapes.course, school.courses.values())]
    return [each for each in found if options["ids"] is None or each["id"] in options["ids"]]


@_function("core_course_get_courses_by_field", reads=True, field=Value("text", ""), value=Value("raw", ""))
def get_courses_by_field(school: School, field: str, value: str) -> dict[str, Any]:
    keys: dict[str, Callable[[Course], str]] = {
        "": lambda _: value,
        "id": lambda course: course.id,
        "ids": lambda course: course.id if course.id in value.split(",") else "",
        "shortname": lambda course: course.short_name,
        "idnumber": lambda course: course.short_name,
    }
    if field not in keys:
        raise refused_parameter()
    wanted = [
        course for course in school.courses.values() if keys[field](course) == (value if field != "ids" else course.id)
    ]
    return {"courses": [shapes.course_by_field(school, course) for course in wanted], "warnings": []}


@_function(
    "core_course_get_contents",
    reads=True,
    courseid=INT,
    options=Many(One({"name": TEXT, "value": RAW}), ()),
)
def get_contents(school: School, courseid: int, options: Any) -> list[dict[str, Any]]:
    course = the_course(school, courseid)
    forum = [shapes.module(school, 2, "forum", "Forums", "Announcements", 1)] if course.id == "2" else []
    tools = [
        shapes.module(school, int(each.module_id), "lti", "External tools", each.title, int(each.id))
        for each in school.activities_of(course)
    ]
    names = ["General", *(f"Topic {number}" for number in range(1, 6))]
    return [
        {
            "id": int(course.id) * 10 + number,
            "name": name,
            "visible": 1,
            "summary": "",
            "summaryformat": 1,
            "section": number,
            "hiddenbynumsections": 0,
            "uservisible": True,
            "modules": [*forum, *tools] if number == 0 else [],
        }
        for number, name in enumerate(names)
    ]


@_function(
    "core_enrol_get_enrolled_users",
    reads=True,
    courseid=INT,
    options=Many(One({"name": TEXT, "value": RAW}), ()),
)
def get_enrolled_users(school: School, courseid: int, options: Any) -> list[dict[str, Any]]:
    """Everybody of a course, by id; `userfields` says what of them (the id always), `limitfrom` and `limitnumber` which
    page, `groupid` of which group."""
    course = the_course(school, courseid)
    wanted = {option["name"]: option["value"] for option in options}
    order: dict[str, Callable[[Person], Any]] = {
        "id": lambda person: int(person.id),
        "firstname": lambda person: (person.given, person.family),
        "lastname": lambda person: (person.family, person.given),
        "siteorder": lambda person: (person.family, person.given),
    }
    if wanted.get("sortby", "id") not in order or wanted.get("sortdirection", "ASC").upper() not in ("ASC", "DESC"):
        raise refused_parameter()
    people = sorted((school.people[each] for each in course.members), key=order[wanted.get("sortby", "id")])
    if wanted.get("sortdirection", "ASC").upper() == "DESC":
        people.reverse()
    if group_id := _whole(wanted.get("groupid", "0")):
        _, group = the_group(school, group_id)
        people = [person for person in people if person.id in group.members]
    start, number = _whole(wanted.get("limitfrom", "0")), _whole(wanted.get("limitnumber", "0"))
    people = people[start : start + number] if number else people[start:]
    fields = [each.strip() for each in wanted.get("userfields", "").split(",") if each.strip()]
    shown = (shapes.enrolled(school, course, person) for person in people)
    return [{key: value for key, value in each.items() if not fields or key in ("id", *fields)} for each in shown]


@_function("core_group_get_course_groups", reads=True, courseid=INT)
def get_course_groups(school: School, courseid: int) -> list[dict[str, Any]]:
    course = the_course(school, courseid)
    return [shapes.group(course, group) for group in sorted(course.groups, key=lambda group: group.name)]


@_function("core_group_get_group_members", reads=True, groupids=Many(INT))
def get_group_members(school: School, groupids: list[int]) -> list[dict[str, Any]]:
    """Members by family name, then given name."""
    found = []
    for group_id in groupids:
        _, group = the_group(school, group_id)
        people = sorted((school.people[each] for each in group.members), key=lambda each: (each.family, each.given))
        found.append({"groupid": group_id, "userids": [int(person.id) for person in people]})
    return found


_OPTIONAL = {
    "enrolmentkey": Value("raw", None),
    "idnumber": Value("raw", None),
    "visibility": Value("int", 0),
    "participation": Value("bool", True),
}


@_function(
    "core_group_create_groups",
    groups=Many(One({"courseid": INT, "name": TEXT, "description": RAW, "descriptionformat": _FORMAT, **_OPTIONAL})),
)
def create_groups(school: School, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for wanted in groups:
        course = the_course(school, wanted["courseid"])
        id_number = (wanted["idnumber"] or "").strip()
        require_free(wanted["name"], id_number, course.groups)
        _require_short(wanted["name"])
        group = school.add_group(course, wanted["name"], ())
        group.id_number, group.description = id_number, wanted["description"]
        group.description_format, group.enrolment_key = wanted["descriptionformat"], wanted["enrolmentkey"] or ""
        made.append(shapes.group(course, group))
    return made


@_function("core_group_add_group_members", members=Many(One({"groupid": INT, "userid": INT})))
def add_group_members(school: School, members: list[dict[str, int]]) -> None:
    """Who is in the group already stays; who is not in the course is refused."""
    for each in members:
        course, group = the_group(school, each["groupid"])
        person = school.people.get(str(each["userid"]))
        if person is None:
            raise missing_record("user")
        if person.id not in course.members:
            raise refused_parameter()
        group.members.add(person.id)


@_function("core_group_delete_group_members", members=Many(One({"groupid": INT, "userid": INT})))
def delete_group_members(school: School, members: list[dict[str, int]]) -> None:
    """Somebody who is not in the group is no error."""
    for each in members:
        _, group = the_group(school, each["groupid"])
        if str(each["userid"]) not in school.people:
            raise missing_record("user")
        group.members.discard(str(each["userid"]))


@_function("core_group_delete_groups", groupids=Many(INT))
def delete_groups(school: School, groupids: list[int]) -> None:
    """A group that is gone is no error; with a group go its events."""
    for group_id in groupids:
        gone = str(group_id)
        for course in school.courses.values():
            course.groups = [group for group in course.groups if group.id != gone]
            for grouping in course.groupings:
                grouping.groups.discard(gone)
        for event in [each for each in school.events.values() if each.group == group_id]:
            del school.events[event.id]


@_function("core_group_get_course_groupings", reads=True, courseid=INT)
def get_course_groupings(school: School, courseid: int) -> list[dict[str, Any]]:
    course = the_course(school, courseid)
    return [shapes.grouping(course, each) for each in sorted(course.groupings, key=lambda grouping: grouping.name)]


@_function(
    "core_group_create_groupings",
    groupings=Many(
        One(
            {
                "courseid": INT,
                "name": TEXT,
                "description": RAW,
                "descriptionformat": _FORMAT,
                "idnumber": Value("raw", None),
            }
        )
    ),
)
def create_groupings(school: School, groupings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without an idnumber they are made, and then Moodle cannot write its answer."""
    made, can_answer = [], True
    for wanted in groupings:
        course = the_course(school, wanted["courseid"])
        id_number = (wanted["idnumber"] or "").strip()
        require_free(wanted["name"], id_number, course.groupings)
        can_answer = can_answer and wanted["idnumber"] is not None
        made.append(
            shapes.grouping(course, school.add_grouping(course, wanted["name"], id_number, wanted["description"]))
        )
    if not can_answer:
        raise WebServiceRefusal("invalid_response_exception", "invalidresponse", "Invalid response value detected")
    return made


@_function("core_group_assign_grouping", assignments=Many(One({"groupingid": INT, "groupid": INT})))
def assign_grouping(school: School, assignments: list[dict[str, int]]) -> None:
    for each in assignments:
        course, group = the_group(school, each["groupid"])
        grouping = next((one for one in course.groupings if one.id == str(each["groupingid"])), None)
        if grouping is None:
            raise missing_record("groupings")
        grouping.groups.add(group.id)


@_function("core_user_get_users_by_field", reads=True, field=TEXT, values=Many(RAW))
def get_users_by_field(school: School, field: str, values: list[str]) -> list[dict[str, Any]]:
    """Who is not there is left out."""
    names = {"id": "id", "idnumber": "id_number", "username": "username", "email": "email"}
    if field not in names:
        raise refused_parameter()
    found = [person for person in school.people.values() if getattr(person, names[field]) in values]
    return [shapes.user(school, person) for person in found]


@_function(
    "core_calendar_create_calendar_events",
    events=Many(
        One(
            {
                "name": TEXT,
                "description": Value("raw", ""),
                "format": _FORMAT,
                "courseid": Value("int", 0),
                "groupid": Value("int", 0),
                "repeats": Value("int", 0),
                "eventtype": Value("text", "user"),
                "timestart": Value("int", None),
                "timeduration": Value("int", 0),
                "visible": Value("int", 1),
                "sequence": Value("int", 1),
            }
        )
    ),
)
def create_calendar_events(school: School, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Each belongs to the token's account, whatever its kind; neither group nor length is looked at."""
    made = []
    for wanted in events:
        event = Event(
            id=school.next_event_id(),
            name=wanted["name"],
            description=wanted["description"],
            format=wanted["format"],
            course=wanted["courseid"],
            group=wanted["groupid"],
            user=int(shapes.account(school).id),
            kind=wanted["eventtype"],
            start=int(school.now()) if wanted["timestart"] is None else wanted["timestart"],
            length=wanted["timeduration"],
            visible=wanted["visible"],
            sequence=wanted["sequence"],
            modified=int(school.now()),
        )
        school.events[event.id] = event
        made.append(shapes.event(event))
    return {"events": made, "warnings": []}


@_function("core_calendar_delete_calendar_events", events=Many(One({"eventid": INT, "repeat": BOOL})))
def delete_calendar_events(school: School, events: list[dict[str, Any]]) -> None:
    for each in events:
        if school.events.pop(each["eventid"], None) is None:
            raise missing_record("event")


_IDS = Many(INT, ())
_ALL_IDS: dict[str, Any] = {"eventids": (), "courseids": (), "groupids": (), "categoryids": ()}
_EVENT_OPTIONS: dict[str, Any] = {
    "userevents": True, "siteevents": True, "timestart": 0, "timeend": 0, "ignorehidden": True,
}  # fmt: skip


@_function(
    "core_calendar_get_calendar_events",
    reads=True,
    events=One(dict.fromkeys(_ALL_IDS, _IDS), _ALL_IDS),
    options=One(
        {
            name: Value("bool" if isinstance(default, bool) else "int", default)
            for name, default in _EVENT_OPTIONS.items()
        },
        _EVENT_OPTIONS,
    ),
)
def get_calendar_events(school: School, events: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Events of the groups and courses named, and the account's own, in a span of time; those named by id always."""
    account, end = int(shapes.account(school).id), options["timeend"] or float("inf")

    def is_wanted(event: Event) -> bool:
        if event.id in events["eventids"]:
            return True
        is_in_time = event.start <= end and (
            event.start >= options["timestart"] or event.start + event.length > options["timestart"]
        )
        is_named = (
            (event.group in events["groupids"] and event.group != 0)
            or (event.course in events["courseids"] and event.group == 0)
            or (options["userevents"] and event.kind == "user" and event.user == account)
        )
        return is_in_time and is_named and (event.visible == 1 or not options["ignorehidden"])

    found = sorted((each for each in school.events.values() if is_wanted(each)), key=lambda each: (each.start, each.id))
    return {"events": [shapes.event_read(each) for each in found], "warnings": []}


@_function(
    "core_message_send_instant_messages",
    messages=Many(One({"touserid": INT, "text": RAW, "textformat": _FORMAT, "clientmsgid": Value("text", None)})),
)
def send_instant_messages(school: School, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What does not reach somebody is said in the entry of an answer that is a success as a whole."""
    said: list[dict[str, Any]] = []
    for each in messages:
        own_id = {} if each["clientmsgid"] is None else {"clientmsgid": each["clientmsgid"]}
        to = str(each["touserid"])
        if to not in school.people:
            said.append({**own_id, "msgid": -1, "errormessage": f"User with id {to} does not exist"})
            continue
        message = school.send_message(to, each["text"])
        conversations = list(dict.fromkeys(one.to for one in school.messages))
        said.append(
            {
                **own_id,
                "msgid": message.id,
                "text": message.text,
                "timecreated": message.sent_at,
                "conversationid": conversations.index(to) + 1,
                "useridfrom": int(shapes.account(school).id),
                "candeletemessagesforallusers": True,
            }
        )
    return said


@_function("core_completion_get_activities_completion_status", reads=True, courseid=INT, userid=INT)
def get_activities_completion_status(school: School, courseid: int, userid: int) -> dict[str, Any]:
    the_course(school, courseid)
    return {"statuses": [], "warnings": []}


@_function("core_enrol_get_users_courses", reads=True, userid=INT, returnusercount=Value("bool", True))
def get_users_courses(school: School, userid: int, returnusercount: bool) -> list[dict[str, Any]]:
    """Newest first."""
    mine = [course for course in reversed(school.courses.values()) if str(userid) in course.members]
    return [shapes.course_of_user(school, course) for course in mine]


@_function(
    "core_group_update_groups",
    groups=Many(
        One(
            {
                "id": INT,
                "name": TEXT,
                "description": Value("raw", None),
                "descriptionformat": _FORMAT,
                **_OPTIONAL,
            }
        )
    ),
)
def update_groups(school: School, groups: list[dict[str, Any]]) -> None:
    for wanted in groups:
        course, group = the_group(school, wanted["id"])
        others = [each for each in course.groups if each is not group]
        id_number = group.id_number if wanted["idnumber"] is None else wanted["idnumber"].strip()
        require_free(wanted["name"], id_number, others)
        _require_short(wanted["name"])
        group.name, group.id_number = wanted["name"], id_number
        if wanted["description"] is not None:
            group.description, group.description_format = wanted["description"], wanted["descriptionformat"]


def _require_short(name: str) -> None:
    if len(name) > LONGEST_GROUP_NAME:
        raise WebServiceRefusal("dml_write_exception", "dmlwriteexception", "Error writing to database")


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise refused_parameter()
    return int(text)
