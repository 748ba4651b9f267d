"""What Moodle's web services say of a course, a person, a group and an event, as it was recorded."""

from collections.abc import Iterable
from typing import Any

from lti_tool.sandbox.errors import WebServiceRefusal
from lti_tool.sandbox.people import CourseRole, Person
from lti_tool.sandbox.school import Course, Event, Group, Grouping, School

_SITE_SINCE = 1795301944
_ROLE_IDS = {CourseRole.MANAGER: 1, CourseRole.EDITING_TEACHER: 3, CourseRole.TEACHER: 4, CourseRole.STUDENT: 5}
_FILTERS = ("displayh5p", "activitynames", "mathjaxloader", "emoticon", "urltolink", "mediaplugin")
_FORMAT_OPTIONS = [{"name": "hiddensections", "value": 1}, {"name": "coursedisplay", "value": 0}]


def picture(school: School, size: int) -> str:
    """The address of the picture of somebody without a picture."""
    return school.url(f"/theme/image.php/boost/core/{_SITE_SINCE}/u/f{size}")


def site(school: School) -> dict[str, Any]:
    """The site itself, which Moodle lists as the first course."""
    return {
        **_course_head(1, "school", 0, 1, school.name, ""),
        **{"summaryformat": 0, "format": "site", "showgrades": 1, "newsitems": 3, "startdate": 0, "enddate": 0},
        **{"numsections": 1, "maxbytes": 0, "showreports": 0, "visible": 1, "groupmode": 0, "groupmodeforce": 0},
        **{"defaultgroupingid": 0, "timecreated": _SITE_SINCE, "timemodified": _SITE_SINCE, "enablecompletion": 0},
        **{"completionnotify": 0, "lang": "", "forcetheme": ""},
        "courseformatoptions": [{"name": "numsections", "value": 1}],
        "showactivitydates": False,
        "showcompletionconditions": None,
    }


def course(here: Course) -> dict[str, Any]:
    """As core_course_get_courses lists it."""
    return {
        **_course_head(int(here.id), here.short_name, 1, 10000 + int(here.id), here.title, here.short_name),
        "summary": here.summary,
        **{"summaryformat": 1, "format": "topics", "showgrades": 1, "newsitems": 1, "startdate": 0, "enddate": 0},
        **{"numsections": 5, "maxbytes": 0, "showreports": 0, "visible": 1, "hiddensections": 1, "groupmode": 0},
        **{"groupmodeforce": 0, "defaultgroupingid": 0, "timecreated": _SITE_SINCE, "timemodified": _SITE_SINCE},
        **{"enablecompletion": 1, "completionnotify": 0, "lang": "", "forcetheme": ""},
        "courseformatoptions": _FORMAT_OPTIONS,
        "showactivitydates": False,
        "showcompletionconditions": True,
    }


def course_by_field(school: School, here: Course) -> dict[str, Any]:
    """As core_course_get_courses_by_field describes it. No time and no revision in it changes with people or groups."""
    contacts = [
        {"id": int(each), "fullname": school.people[each].name}
        for each, role in here.members.items()
        if role is CourseRole.EDITING_TEACHER
    ]
    return {
        "id": int(here.id),
        "fullname": here.title,
        "displayname": here.title,
        "shortname": here.short_name,
        "courseimage": school.url(f"/pluginfile.php/{9 + int(here.id)}/course/generated/course.svg"),
        **{"categoryid": 1, "categoryname": "Category 1", "sortorder": 10000 + int(here.id)},
        "summary": here.summary,
        **{"summaryformat": 1, "summaryfiles": [], "overviewfiles": []},
        **{"showactivitydates": False, "showcompletionconditions": True},
        "contacts": contacts,
        "enrollmentmethods": ["manual"],
        "idnumber": here.short_name,
        **{"format": "topics", "showgrades": 1, "newsitems": 1, "startdate": 0, "enddate": 0, "maxbytes": 0},
        **{"showreports": 0, "visible": 1, "groupmode": 0, "groupmodeforce": 0, "defaultgroupingid": 0},
        **{"enablecompletion": 1, "completionnotify": 0, "lang": "", "theme": "", "marker": 0, "legacyfiles": 0},
        **{"calendartype": "", "timecreated": _SITE_SINCE, "timemodified": _SITE_SINCE, "requested": 0},
        "cacherev": _SITE_SINCE,
        "filters": [{"filter": name, "localstate": 0, "inheritedstate": 1} for name in _FILTERS],
        "courseformatoptions": [*_FORMAT_OPTIONS, {"name": "indentation", "value": "1"}],
    }


def course_of_user(school: School, here: Course) -> dict[str, Any]:
    """As core_enrol_get_users_courses lists it."""
    return {
        "id": int(here.id),
        "shortname": here.short_name,
        "fullname": here.title,
        "displayname": here.title,
        "enrolledusercount": len(here.members),
        "idnumber": here.short_name,
        "visible": 1,
        "summary": here.summary,
        **{"summaryformat": 1, "format": "topics"},
        "courseimage": school.url(f"/pluginfile.php/{9 + int(here.id)}/course/generated/course.svg"),
        **{"showgrades": True, "lang": "", "enablecompletion": True, "completionhascriteria": False},
        **{"completionusertracked": True, "category": 1, "progress": None, "completed": False, "startdate": 0},
        **{"enddate": 0, "marker": 0, "lastaccess": None, "isfavourite": False, "hidden": False, "overviewfiles": []},
        **{"showactivitydates": False, "showcompletionconditions": True, "timemodified": _SITE_SINCE},
    }


def module(school: School, number: int, kind: str, kinds: str, name: str, instance: int) -> dict[str, Any]:
    """An activity as core_course_get_contents lists it."""
    return {
        "id": number,
        "url": school.url(f"/mod/{kind}/view.php?id={number}"),
        "name": name,
        "instance": instance,
        "contextid": 70 + number,
        **{"visible": 1, "uservisible": True, "visibleoncoursepage": 1},
        "modicon": school.url(f"/theme/image.php/boost/{kind}/{_SITE_SINCE}/monologo?filtericon=1"),
        "modname": kind,
        "modplural": kinds,
        **{"availability": None, "indent": 0, "onclick": "", "afterlink": None, "activitybadge": []},
        **{"customdata": '""', "noviewlink": False, "completion": 0, "downloadcontent": 1, "dates": [], "groupmode": 0},
    }


def enrolled(school: School, here: Course, person: Person) -> dict[str, Any]:
    """A person as core_enrol_get_enrolled_users lists them: who has no groups, number or town has no key for it."""
    groups = [
        {"id": int(each.id), "name": each.name, "description": each.description, "descriptionformat": 0}
        for each in here.groups
        if person.id in each.members
    ]
    role = here.members[person.id]
    return {
        **_who(person),
        **{"firstaccess": 0, "lastaccess": 0, "lastcourseaccess": 0},
        **_where(person),
        "profileimageurlsmall": picture(school, 2),
        "profileimageurl": picture(school, 1),
        **({"groups": groups} if groups else {}),
        "roles": [{"roleid": _ROLE_IDS[role], "name": "", "shortname": role.value, "sortorder": 0}],
        "enrolledcourses": [
            {"id": int(each.id), "fullname": each.title, "shortname": each.short_name}
            for each in reversed(school.courses.values())
            if person.id in each.members
        ],
    }


def user(school: School, person: Person) -> dict[str, Any]:
    """As core_user_get_users_by_field describes a person."""
    return {
        **_who(person),
        **{"firstaccess": 0, "lastaccess": 0, "auth": "manual", "suspended": False, "confirmed": True, "lang": "en"},
        **{"theme": "", "timezone": "99", "mailformat": 1},
        **_where(person),
        "profileimageurlsmall": picture(school, 2),
        "profileimageurl": picture(school, 1),
    }


def group(here: Course, it: Group) -> dict[str, Any]:
    return {
        "id": int(it.id),
        "courseid": int(here.id),
        "name": it.name,
        "description": it.description,
        "descriptionformat": it.description_format,
        "enrolmentkey": it.enrolment_key,
        "idnumber": it.id_number,
        "visibility": 0,
        "participation": True,
    }


def grouping(here: Course, it: Grouping) -> dict[str, Any]:
    return {
        "id": int(it.id),
        "courseid": int(here.id),
        "name": it.name,
        "description": it.description,
        "descriptionformat": 1,
        "idnumber": it.id_number,
    }


def event(it: Event) -> dict[str, Any]:
    """As core_calendar_create_calendar_events answers it."""
    return {
        "id": it.id,
        "name": it.name,
        "description": it.description,
        "format": it.format,
        "courseid": it.course,
        "groupid": it.group,
        "userid": it.user,
        **{"modulename": "", "instance": 0},
        "eventtype": it.kind,
        "timestart": it.start,
        "timeduration": it.length,
        "visible": it.visible,
        "uuid": "",
        "sequence": it.sequence,
        "timemodified": it.modified,
        "subscriptionid": None,
    }


def event_read(it: Event) -> dict[str, Any]:
    """As core_calendar_get_calendar_events answers it."""
    return {**event(it), "categoryid": 0, "repeatid": 0}


def account(school: School) -> Person:
    """The account that the token belongs to: the site's administrator, as when the answers were recorded."""
    return next(person for person in school.people.values() if person.is_admin)


def the_course(school: School, number: int) -> Course:
    """Raises WebServiceRefusal."""
    found = school.courses.get(str(number))
    if found is None:
        raise missing_record("course")
    return found


def the_group(school: School, number: int) -> tuple[Course, Group]:
    """A group and where it is; raises WebServiceRefusal."""
    for here in school.courses.values():
        for each in here.groups:
            if each.id == str(number):
                return here, each
    raise missing_record("groups")


def missing_record(table: str) -> WebServiceRefusal:
    """A row that is not there, and a function that no Moodle knows, too."""
    return WebServiceRefusal(
        "dml_missing_record_exception", "invalidrecord", f"Can't find data record in database table {table}."
    )


def require_free(name: str, id_number: str, others: Iterable[Group | Grouping]) -> None:
    """Raises WebServiceRefusal for a name that is blank or taken, and for an idnumber that is taken."""
    taken = list(others)
    if not name.strip() or any(each.name == name for each in taken):
        raise WebServiceRefusal("invalid_parameter_exception", "invalidparameter", "Invalid parameter value detected")
    if id_number and any(each.id_number == id_number for each in taken):
        raise WebServiceRefusal("moodle_exception", "idnumbertaken", "This ID number is already taken")


def _course_head(number: int, short: str, category: int, order: int, title: str, id_number: str) -> dict[str, Any]:
    return {
        "id": number,
        "shortname": short,
        "categoryid": category,
        "categorysortorder": order,
        "fullname": title,
        "displayname": title,
        "idnumber": id_number,
        "summary": "",
    }


def _who(person: Person) -> dict[str, Any]:
    return {
        "id": int(person.id),
        "username": person.username,
        "firstname": person.given,
        "lastname": person.family,
        "fullname": person.name,
        "email": person.email,
        "department": "",
        **({"idnumber": person.id_number} if person.id_number else {}),
    }


def _where(person: Person) -> dict[str, str]:
    return {"city": "Cork", "country": "IE"} if person.id_number else {}
