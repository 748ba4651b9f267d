"""The pages people see, and who may see them."""

import re
from typing import Any

import pytest

TOOL = "http://127.0.0.1:5999"


def test_the_school_is_furnished(school: Any) -> None:
    course = school.courses["2"]
    roles = list(course.members.values())
    assert len(school.courses) == 2
    assert roles.count("student") == 24
    assert (roles.count("editingteacher"), roles.count("teacher"), roles.count("manager")) == (2, 1, 1)
    assert [person.name for person in school.people.values() if person.is_admin] == ["Colm Hennessy"]
    outsiders = [p for p in school.people.values() if all(p.id not in c.members for c in school.courses.values())]
    assert [person.name for person in outsiders] == ["Bláthnaid de Búrca"]
    assert len({person.username for person in school.people.values()}) == len(school.people)


def test_generated_people_have_fitting_names(school: Any) -> None:
    added = school.add_people(school.courses["2"], 800, school.courses["2"].members["3"])
    assert len({person.username for person in added}) == 800
    assert len({person.name for person in added}) > 700
    # Ó and Mac are men's forms, Ní and Nic women's: no given name bears both.
    men = {person.given for person in added if person.family.startswith(("Ó ", "Mac "))}
    women = {person.given for person in added if person.family.startswith(("Ní ", "Nic "))}
    assert men and women and not men & women


def test_three_thousand_members(app: Any, tool: Any) -> None:
    answer = app.test_client().post("/sandbox/people", json={"count": 3000})
    assert len(answer.get_json()["ids"]) == 3000
    members = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
    assert len(tool.call("GET", members).get_json()["members"]) == 3028
    seen: list[str] = []
    address: str | None = members + "?limit=1000"
    while address:
        page = tool.call("GET", address)
        seen += [member["user_id"] for member in page.get_json()["members"]]
        found = re.match(r'<(.*)>; rel="next"', page.headers.get("Link", ""))
        address = found.group(1) if found else None
    assert len(seen) == len(set(seen)) == 3028


def test_who_leaves_vanishes(app: Any, tool: Any, browser: Any) -> None:
    members = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
    client = app.test_client()
    client.post("/sandbox/enrolments", json={"user": "niamh.nibhriain", "role": None})
    assert "Niamh Ní Bhriain" not in str(tool.call("GET", members).get_json())
    assert browser("niamh.nibhriain").client.get("/course/2").status_code == 403
    client.post("/sandbox/enrolments", json={"user": "niamh.nibhriain", "role": "student"})
    assert browser("niamh.nibhriain").client.get("/course/2").status_code == 200


def test_choosing_who_i_am(app: Any) -> None:
    client = app.test_client()
    assert client.get("/").headers["Location"] == "/who-am-i"
    assert "Áine Uí Laoire" in client.get("/who-am-i").text
    answer = client.post("/who-am-i", data={"person": "3"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("sandbox_session=")
    assert "SameSite=Lax" in cookie and "HttpOnly" in cookie and "Secure" not in cookie
    page = client.get("/").text
    assert "Niamh Ní Bhriain" in page and "Collegial Peer Coaching 2026/27" in page
    assert client.post("/who-am-i", data={"person": "none"}).status_code == 404


@pytest.mark.parametrize(
    ("user", "course", "participants", "add", "tools"),
    [
        (None, 401, 401, 401, 401),
        ("blathnaid.deburca", 403, 403, 403, 403),
        ("niamh.nibhriain", 200, 200, 403, 403),
        ("diarmuid.oriordain", 200, 200, 403, 403),
        ("maire.niceoin", 200, 200, 200, 403),
        ("eithne.nifhlatharta", 200, 200, 200, 403),
        ("admin", 200, 200, 200, 200),
    ],
)
def test_who_may_see_what(
    browser: Any, activity: Any, user: str | None, course: int, participants: int, add: int, tools: int
) -> None:
    client = browser(user).client
    addresses = ("/course/2", "/course/2/participants", "/course/2/add", "/admin/tools")
    assert [client.get(address).status_code for address in addresses] == [course, participants, add, tools]
    assert client.get("/course/2/grades").status_code == course
    assert client.get(f"/course/2/activity/{activity.id}").status_code == course


def test_the_dashboard_of_somebody_without_a_course_says_what_to_do(browser: Any) -> None:
    assert "Ask the school’s Moodle administrator" in browser("blathnaid.deburca").client.get("/").text


def test_the_gradebook(browser: Any, activity: Any, tool: Any) -> None:
    scores = "/mod/lti/services.php/2/lineitems/2/lineitem/scores?type_id=1"
    score = {
        "userId": "3",
        "scoreGiven": 1,
        "scoreMaximum": 1,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-11-21T23:03:08Z",
        "comment": "Both reflections are in.",
    }
    tool.call("POST", scores, score, media="application/vnd.ims.lis.v1.score+json")
    for_trainer = browser("maire.niceoin").client.get("/course/2/grades").text
    assert "Niamh Ní Bhriain" in for_trainer and "Seán Ó Dónaill" in for_trainer and "Both reflections" in for_trainer
    own = browser("niamh.nibhriain").client.get("/course/2/grades").text
    assert "Both reflections" in own and "Seán Ó Dónaill" not in own


def test_an_administrator_registers_activates_and_deletes_a_tool(browser: Any, stranger: Any, school: Any) -> None:
    admin = browser("admin").client
    assert admin.post("/admin/tools/register", data={"url": "lti/register"}).status_code == 400
    page = admin.post("/admin/tools/register", data={"url": TOOL + "/lti/register?invite=a%26b"}).text
    found = re.search(r'<iframe[^>]* src="([^"]+)"', page)
    assert found
    address = found.group(1).replace("&amp;", "&")
    assert address.startswith(TOOL + "/lti/register?invite=a%26b&openid_configuration=http%3A%2F%2F127.0.0.1%3A8088")
    assert "&registration_token=" in address
    assert "a&b was kept" in school.http.get(address).text
    assert "Pending" in admin.get("/admin/tools").text
    assert not school.tools["1"].is_active
    admin.post("/admin/tools/1/activate")
    assert "Active" in admin.get("/admin/tools").text
    admin.post("/admin/tools/1/storage")
    assert school.tools["1"].platform_storage
    assert admin.post("/admin/tools/1/explode").status_code == 404
    admin.post("/course/2/add", data={"title": "Cycle", "tool": "1", "gradable": "on"})
    assert len(school.line_items) == 1
    admin.post("/admin/tools/1/delete")
    assert (school.tools, school.activities, school.line_items) == ({}, {}, {})


def test_an_administrator_adds_a_tool_by_hand(browser: Any, school: Any) -> None:
    admin = browser("admin").client
    form = {
        "name": "By hand",
        "target_link_uri": TOOL + "/lti/launch",
        "login_url": TOOL + "/lti/login",
        "redirect_uris": f"{TOOL}/lti/launch\n{TOOL}/lti/other",
        "jwks_url": "keys",
    }
    refused = admin.post("/admin/tools/by-hand", data=form)
    assert refused.status_code == 400 and "Key set URL must be a full web address" in refused.text
    assert admin.post("/admin/tools/by-hand", data={**form, "jwks_url": TOOL + "/keys"}).status_code == 302
    (tool,) = school.tools.values()
    assert tool.is_active and len(tool.redirect_uris) == 2 and len(tool.client_id) == 15


def test_a_trainer_places_and_deletes_activities(browser: Any, tool: Any, school: Any) -> None:
    trainer = browser("maire.niceoin").client
    assert "Give the activity a title." in trainer.post("/course/2/add", data={"tool": "1", "title": " "}).text
    assert "Choose a tool." in trainer.post("/course/2/add", data={"tool": "9", "title": "x"}).text
    trainer.post("/course/2/add", data={"tool": "1", "title": "Cycle & more", "opens_in": "window"})
    page = trainer.get("/course/2").text
    assert "Cycle &amp; more" in page and 'target="_blank"' in page
    assert browser("niamh.nibhriain").client.post("/course/2/activity/1/delete").status_code == 403
    assert trainer.post("/course/2/activity/1/delete").status_code == 302
    assert school.activities == {}


def test_a_window_launch_says_so(browser: Any, app: Any, tool: Any, school: Any) -> None:
    made = app.test_client().post(
        "/sandbox/activities", json={"course": "CPC26", "title": "W", "tool": tool.client_id, "target": "window"}
    )
    claims = browser("niamh.nibhriain").launch(school.activities[made.get_json()["id"]])["claims"]
    presentation = claims["https://purl.imsglobal.org/spec/lti/claim/launch_presentation"]
    assert presentation["document_target"] == "window"
    assert "launch_container=4" in presentation["return_url"]
    # Not gradable: no outcome to report, though the tool may still make columns of its own.
    assert "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome" not in claims
    assert "lineitem" not in claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]


def test_the_administrator_is_instructor_and_administrator(browser: Any, activity: Any) -> None:
    claims = browser("admin").launch(activity)["claims"]
    assert claims["https://purl.imsglobal.org/spec/lti/claim/roles"] == [
        "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
    ]


def test_pages_bring_their_own_script_and_style_only(browser: Any, activity: Any) -> None:
    admin = browser("admin").client
    for address in ("/", "/who-am-i", "/course/2", f"/course/2/activity/{activity.id}", "/admin/tools", "/faults",
                    f"/mod/lti/launch.php?id={activity.module_id}"):  # fmt: skip
        answer = admin.get(address)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?! src=\"/static/)|<style| style=| on\w+=", answer.text), address
        assert "//cdn" not in answer.text


def test_markup_in_what_a_tool_or_person_sends_stays_text(browser: Any, tool: Any, school: Any) -> None:
    school.add_activity(school.courses["2"], school.tools["1"], "<script>alert(1)</script>")
    trainer = browser("maire.niceoin")
    assert "<script>alert" not in trainer.client.get("/course/2").text
    login = trainer.begin(school.activities["1"])
    posted = trainer.authenticate(login, state='"><script>alert(1)</script>')
    assert posted["state"] == '"><script>alert(1)</script>'
