"""The sandbox's web services answer as a real Moodle did: the same shapes, the same refusals, the same quirks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sandbox.conftest import PLATFORM
from werkzeug.serving import make_server

from lti_tool.sandbox import create_app
from lti_tool.sandbox.people import CourseRole
from lti_tool.sandbox.webservice_functions import FUNCTIONS

RECORDINGS = Path(__file__).parent.parent / "moodle" / "webservice"
SERVER = "/webservice/rest/server.php"
GROUP = {"groups[0][courseid]": 2, "groups[0][description]": "x"}


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def call(app: Any, school: Any) -> Callable[..., Any]:
    """Asks for a function, with the token of the service; checks the status that Moodle always answers."""

    def ask(function: str, token: str = "", **parameters: object) -> Any:
        form = {"wstoken": token or school.web_services.token, "wsfunction": function, "moodlewsrestformat": "json"}
        sent = {key: str(value) for key, value in parameters.items()}
        answer = app.test_client().post(SERVER, data=form | sent)
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        return answer.get_json()

    return ask


def refusal(code: str, table: str = "") -> dict[str, str]:
    """What was recorded for an error; `table` of one that names one."""
    names = {"accessexception": "error_accessexception", "invalidparameter": "error_invalidparameter"}
    names |= {"invalidtoken": "error_invalidtoken", "invalidrecord": "error_missing_course"}
    found: dict[str, str] = recorded(names[code])
    return found | ({"message": found["message"].replace("table course", f"table {table}")} if table else {})


def shape(value: Any) -> Any:
    """Keys and kinds of value, in depth; of a list the shapes in it."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})
    return type(value).__name__


def assert_same_shape(sent: Any, record: Any) -> None:
    """Each thing the sandbox says has a shape that was recorded; a shape that was recorded is there."""
    assert shape(sent) == shape(record)


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        ("core_webservice_get_site_info", {}),
        ("core_course_get_courses", {}),
        ("core_course_get_courses_by_field", {"field": "id", "value": 2}),
        ("core_enrol_get_users_courses", {"userid": 3}),
        ("core_group_get_course_groups", {"courseid": 2}),
        ("core_group_get_course_groupings", {"courseid": 2}),
        ("core_user_get_users_by_field", {"field": "id", "values[0]": 3}),
        ("core_completion_get_activities_completion_status", {"courseid": 2, "userid": 3}),
        ("core_course_get_contents", {"courseid": 2}),
    ],
)
def test_what_is_read_has_the_shape_that_was_recorded(
    call: Any, school: Any, function: str, parameters: dict[str, object]
) -> None:
    assert_same_shape(call(function, **parameters), recorded(function))


def test_the_service_offers_what_the_recorded_one_did_as_far_as_anybody_needs_it(call: Any) -> None:
    said = {each["name"] for each in call("core_webservice_get_site_info")["functions"]}
    there = {each["name"] for each in recorded("core_webservice_get_site_info")["functions"]}
    assert said == set(FUNCTIONS) <= there


def test_enrolled_people_have_the_keys_that_were_recorded(call: Any, school: Any) -> None:
    kinds = {tuple(each) for each in recorded("core_enrol_get_enrolled_users")}
    sent = call("core_enrol_get_enrolled_users", courseid=2)
    assert {tuple(each) for each in sent} == kinds
    assert_same_shape([each for each in sent if "groups" in each], recorded("core_enrol_get_enrolled_users")[:60])
    assert [each["id"] for each in sent] == sorted(each["id"] for each in sent)
    roles = {each["roles"][0]["roleid"]: each["roles"][0]["shortname"] for each in sent}
    assert roles == {1: "manager", 3: "editingteacher", 4: "teacher", 5: "student"}


def test_a_page_of_enrolled_people_with_some_fields(call: Any, school: Any) -> None:
    options = {"userfields": "id,fullname,email,groups,roles", "limitfrom": 10, "limitnumber": 5, "sortby": "id"}
    parameters: dict[str, object] = {}
    for number, (name, value) in enumerate(options.items()):
        parameters |= {f"options[{number}][name]": name, f"options[{number}][value]": value}
    page = call("core_enrol_get_enrolled_users", courseid=2, **parameters)
    record = recorded("enrolled_page")
    assert_same_shape(page, record)
    assert [each["id"] for each in page] == [12, 13, 14, 15, 16]
    assert len(page) == len(record)


def test_a_group_is_made_filled_and_deleted_as_recorded(call: Any, school: Any) -> None:
    name = {"groups[0][name]": "Pair 1", "groups[0][idnumber]": "meitheal-1"}
    (made,) = call("core_group_create_groups", **GROUP, **name)
    (record,) = recorded("core_group_create_groups")
    assert made == record | {"id": made["id"]}
    both = {"members[0][groupid]": made["id"], "members[0][userid]": 3}
    both |= {"members[1][groupid]": made["id"], "members[1][userid]": 4}
    for _ in range(2):  # a second time changes nothing, and is no error
        assert call("core_group_add_group_members", **both) == recorded("core_group_add_group_members")
    members = call("core_group_get_group_members", **{"groupids[0]": made["id"]})
    assert_same_shape(members, recorded("core_group_get_group_members"))
    by_name = sorted((school.people[each].family, int(each)) for each in ("3", "4"))
    assert members[0]["userids"] == [number for _, number in by_name]
    gone = {"members[0][groupid]": made["id"], "members[0][userid]": 3}
    assert call("core_group_delete_group_members", **gone) is None
    assert call("core_group_delete_group_members", **gone) is None
    assert call("core_group_delete_groups", **{"groupids[0]": made["id"]}) is None
    assert call("core_group_delete_groups", **{"groupids[0]": made["id"]}) is None
    assert call("core_group_get_group_members", **{"groupids[0]": made["id"]}) == refusal("invalidrecord", "groups")


def test_what_is_refused_and_how(call: Any, school: Any) -> None:
    assert call("core_webservice_get_site_info", token="wrong") == refusal("invalidtoken")
    assert call("core_no_such_function") == recorded("error_nofunction")
    school.web_services.functions.remove("core_group_delete_groups")
    assert call("core_group_delete_groups", **{"groupids[0]": 1}) == refusal("accessexception")
    assert call("core_enrol_get_enrolled_users", courseid=999) == refusal("invalidrecord")
    assert call("core_enrol_get_enrolled_users", courseid="two") == refusal("invalidparameter")
    assert call("core_enrol_get_enrolled_users", courseid=2, odd=1) == refusal("invalidparameter")
    assert call("core_enrol_get_enrolled_users") == refusal("invalidparameter")
    name = {"groups[0][name]": "Pair 1", "groups[0][idnumber]": "meitheal-1"}
    assert isinstance(call("core_group_create_groups", **GROUP, **name), list)
    assert call("core_group_create_groups", **GROUP, **name) == recorded("error_duplicate_group")
    other = name | {"groups[0][name]": "Pair 2"}
    assert call("core_group_create_groups", **GROUP, **other)["errorcode"] == "idnumbertaken"
    long = {"groups[0][name]": "x" * 255}
    assert call("core_group_create_groups", **GROUP, **long)["errorcode"] == "dmlwriteexception"
    outsider = next(person.id for person in school.people.values() if person.id not in school.courses["2"].members)
    for user, code, table in ((outsider, "invalidparameter", ""), (999, "invalidrecord", "user")):
        added = call("core_group_add_group_members", **{"members[0][groupid]": 2, "members[0][userid]": user})
        assert added == refusal(code, table)


def test_a_batch_is_refused_whole(call: Any, school: Any) -> None:
    before = call("core_group_get_course_groups", courseid=2)
    batch = {f"groups[{number}][{key}]": value for number, name in enumerate(("New", "Sciences and mathematics"))
             for key, value in (("courseid", 2), ("name", name), ("description", ""))}  # fmt: skip
    assert call("core_group_create_groups", **batch) == refusal("invalidparameter")
    assert call("core_group_get_course_groups", courseid=2) == before
    members = {"members[0][groupid]": 2, "members[0][userid]": 3, "members[1][groupid]": 2, "members[1][userid]": 999}
    assert "exception" in call("core_group_add_group_members", **members)
    assert call("core_group_get_course_groups", courseid=2) == before
    assert 3 not in call("core_group_get_group_members", **{"groupids[0]": 3})[0]["userids"]


def test_a_group_takes_another_name_and_number(call: Any) -> None:
    changed = {"groups[0][id]": 2, "groups[0][name]": "Languages today", "groups[0][idnumber]": "L"}
    assert call("core_group_update_groups", **changed) is None
    assert "Languages today" in [each["name"] for each in call("core_group_get_course_groups", courseid=2)]
    assert call("core_group_update_groups", **changed | {"groups[0][id]": 3}) == refusal("invalidparameter")
    assert call("core_group_update_groups", **changed | {"groups[0][id]": 99}) == refusal("invalidrecord", "groups")


def test_a_grouping_without_an_idnumber_is_made_although_the_answer_says_otherwise(call: Any, app: Any) -> None:
    grouping = {"groupings[0][courseid]": 2, "groupings[0][name]": "Pairs", "groupings[0][description]": ""}
    assert call("core_group_create_groupings", **grouping) == recorded("core_group_create_groupings")
    (there,) = call("core_group_get_course_groupings", courseid=2)
    assert there["name"] == "Pairs"
    named = grouping | {"groupings[0][name]": "Peer coaching pairs", "groupings[0][idnumber]": "meitheal-pairs-1"}
    (made,) = call("core_group_create_groupings", **named)
    assert made["idnumber"] == "meitheal-pairs-1"
    again = call("core_group_create_groupings", **named | {"groupings[0][name]": "Others"})
    assert again["errorcode"] == "idnumbertaken"
    both = {"assignments[0][groupingid]": made["id"], "assignments[0][groupid]": 2}
    assert call("core_group_assign_grouping", **both) is None
    assert call("core_group_assign_grouping", **both) is None
    scripted = app.test_client().get("/sandbox/groups?course=2").get_json()["groupings"]
    assert next(each for each in scripted if each["id"] == str(made["id"]))["groups"] == ["2"]


def test_events_belong_to_the_account_and_nothing_is_checked(call: Any, app: Any) -> None:
    event = {"name": "Observation", "courseid": 2, "groupid": 4, "eventtype": "group", "timestart": 1800000000}
    sent = {f"events[0][{key}]": value for key, value in (event | {"timeduration": 2400}).items()}
    made = call("core_calendar_create_calendar_events", **sent)
    record = recorded("core_calendar_create_calendar_events")
    varying = {key: made["events"][0][key] for key in ("id", "timemodified")}
    assert made == {"events": [record["events"][0] | varying], "warnings": []}
    (listed,) = app.test_client().get("/sandbox/events").get_json()
    assert (listed["group"], listed["start"], listed["length"]) == (4, 1800000000, 2400)
    odd = sent | {"events[0][groupid]": 9999, "events[0][timeduration]": -60}
    assert call("core_calendar_create_calendar_events", **odd)["events"][0]["timeduration"] == -60
    around = {"options[timestart]": 1799999000, "options[timeend]": 1800001000, "options[userevents]": 0}
    read = call("core_calendar_get_calendar_events", **around, **{"events[groupids][0]": 4})
    assert [each["id"] for each in read["events"]] == [made["events"][0]["id"]]
    assert read["events"][0].items() >= made["events"][0].items()
    early = {"options[timeend]": 1700000000, "events[groupids][0]": 4}
    assert call("core_calendar_get_calendar_events", **early)["events"] == []
    gone = {"events[0][eventid]": made["events"][0]["id"], "events[0][repeat]": 0}
    assert call("core_calendar_delete_calendar_events", **gone) is None
    assert call("core_calendar_delete_calendar_events", **gone) == refusal("invalidrecord", "event")
    assert call("core_calendar_delete_calendar_events", **{"events[0][eventid]": 1}) == refusal("invalidparameter")


def test_a_message_to_nobody_is_a_success_that_says_it_failed(call: Any, app: Any) -> None:
    text = "<p>Reminder: <b>observation</b></p>"
    sent = {"messages[0][touserid]": 3, "messages[0][text]": text}
    made = call(
        "core_message_send_instant_messages", **sent, **{"messages[1][touserid]": 999, "messages[1][text]": "x"}
    )
    (record,) = recorded("core_message_send_instant_messages")
    assert made[0] == record | {"timecreated": made[0]["timecreated"]}
    assert made[1]["msgid"] == -1 and made[1]["errormessage"]
    assert [(each["to"], each["text"]) for each in app.test_client().get("/sandbox/messages").get_json()] == [
        ("3", text)
    ]


def test_a_token_in_the_body_a_format_and_another_lms(app: Any, school: Any) -> None:
    form = {"wstoken": school.web_services.token, "wsfunction": "core_webservice_get_site_info"}
    assert app.test_client().post(SERVER, data=form).mimetype == "application/xml"
    canvas = create_app(PLATFORM, personality="canvas").test_client()
    assert canvas.post(SERVER, data=form).status_code == 404
    assert canvas.get("/sandbox/web-services").get_json()["token"] is None


def test_scripts_change_the_service_and_count_its_calls(call: Any, app: Any, school: Any) -> None:
    scripts, old = app.test_client(), school.web_services.token
    call("core_webservice_get_site_info")
    changed = scripts.post("/sandbox/web-services", json={"functions": ["core_course_get_courses"], "new_token": True})
    assert changed.get_json()["calls"] == {"core_webservice_get_site_info": 1}
    assert changed.get_json()["functions"] == ["core_course_get_courses"]
    assert call("core_course_get_courses", token=old) == refusal("invalidtoken")
    assert call("core_webservice_get_site_info") == refusal("accessexception")
    assert scripts.post("/sandbox/web-services", json={"forget_calls": True}).get_json()["calls"] == {}
    assert scripts.post("/sandbox/web-services", json={"functions": ["odd"]}).status_code == 400


@pytest.fixture
def live() -> Iterator[Any]:
    """A sandbox with sockets, for what a connection does."""
    server = make_server("127.0.0.1", 0, lambda environ, start: app(environ, start), threaded=True)
    app = create_app(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield app
    server.shutdown()
    thread.join()
    server.server_close()


def test_faults_before_and_after_what_was_asked(live: Any) -> None:
    school, scripts = live.extensions["sandbox"], live.test_client()

    def make(name: str) -> requests.Response:
        form = {"wstoken": school.web_services.token, "wsfunction": "core_group_create_groups"}
        form |= {"moodlewsrestformat": "json", "groups[0][name]": name, **{k: str(v) for k, v in GROUP.items()}}
        return requests.post(school.base_url + SERVER, data=form, timeout=10)

    def expect(kind: str, name: str, is_done: bool) -> requests.Response | None:
        fault = {"web_service": kind, "function": "create_groups", "delay_s": 0.2}
        assert scripts.post("/sandbox/faults", json=fault).get_json()["web_service"][0]["count"] == 1
        answer = None
        try:
            answer = make(name)
        except requests.ConnectionError:
            assert kind.startswith("cut")
        assert (name in [group.name for group in school.courses["2"].groups]) is is_done
        assert scripts.get("/sandbox/faults").get_json()["web_service"] == []
        return answer

    assert expect("cut_before", "A", False) is None
    assert expect("cut_after", "B", True) is None
    assert (failed := expect("error_after", "C", True)) is not None and failed.status_code == 500
    assert (shut := expect("maintenance", "D", False)) is not None
    assert (shut.status_code, shut.headers["Retry-After"]) == (503, "300")
    assert (page := expect("page", "E", False)) is not None
    assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert (unknown := expect("invalidtoken", "F", False)) is not None and unknown.json() == refusal("invalidtoken")
    assert (broken := expect("invalidresponse", "G", True)) is not None
    assert broken.json() == recorded("core_group_create_groupings")
    assert (shut_out := expect("nopermissions", "I", False)) is not None
    assert shut_out.json()["errorcode"] == "nopermissions"
    began = time.monotonic()
    assert (late := expect("delay", "H", True)) is not None and late.status_code == 200
    assert time.monotonic() - began >= 0.2
    assert scripts.post("/sandbox/faults", json={"web_service": "odd"}).status_code == 400


def test_the_administrator_reads_the_token_where_tools_are_managed(browser: Any, school: Any) -> None:
    page = browser("admin").client.get("/admin/tools").text
    assert school.web_services.token in page and "core_group_create_groups" in page


def test_an_event_that_may_not_be_made_is_a_warning_in_a_success(call: Any, app: Any, school: Any) -> None:
    fault = {"web_service": "nopermissions", "function": "create_calendar_events"}
    assert app.test_client().post("/sandbox/faults", json=fault).status_code == 200
    said = call("core_calendar_create_calendar_events", **{"events[0][name]": "Visit"})
    assert (said["events"], said["warnings"][0]["warningcode"], school.events) == ([], "nopermissions", {})


def test_people_see_what_was_written_to_them(call: Any, browser: Any, school: Any) -> None:
    (group, *_), start = school.courses["2"].groups, 1800000000
    inside, outside = sorted(group.members)[0], next(each for each in school.people if each not in group.members)
    event = {"name": "Coaching", "courseid": 2, "groupid": group.id, "eventtype": "group", "timestart": start}
    call("core_calendar_create_calendar_events", **{f"events[0][{key}]": value for key, value in event.items()})
    call("core_message_send_instant_messages", **{"messages[0][touserid]": inside, "messages[0][text]": "<p>Soon</p>"})
    pages = [browser(each).client.get("/").text for each in (inside, outside)]
    assert [("15 January 2027, 08:00 UTC" in page, "<li>Soon</li>" in page) for page in pages] == [
        (True, True),
        (False, False),
    ]


def test_two_hundred_teachers_in_a_page(app: Any, school: Any, call: Any) -> None:
    school.add_people(school.courses["2"], 200, CourseRole.STUDENT)
    assert len(call("core_enrol_get_enrolled_users", courseid=2)) == 228
