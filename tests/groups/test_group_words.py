"""What is one's own in a group: everybody's texts by name, sharing, taking along, being erased."""

from groups.people_of_groups import Hall, open_hall
from groups.test_group_pages import agree, reflect, talk
from sqlalchemy import select, text

from lti_tool.ownership import erasure
from lti_tool.people.models import Membership
from lti_tool.web.context import Tool


def test_each_of_three_reads_the_two_others_by_name(app, database, clock) -> None:
    hall = open_hall(app, database, clock, protocol="triad", teachers=4)
    hall.form_group(0, 1, 2)
    cycle_id = hall.begin(0)
    hall.people[3].send("groups/new", kind="book", title="Another", about="")
    for number, name in enumerate(("Niamh", "Seán", "Gráinne")):
        hall.people[number].save_json("hopes", f"What {name} hopes")
    page = hall.people[1].get("start")
    assert all(f"What {name} hopes" in page for name in ("Niamh", "Seán", "Gráinne"))
    assert "(Niamh)" in page and "(Gráinne)" in page and "(Seán)" not in page
    kept = hall.people[1].client.get(f"{hall.people[1].cycle}/texts?revision=0").get_json()["texts"]
    hopes = {key: value["heads"][0]["text"] for key, value in kept.items() if key.startswith("hopes")}
    assert sorted(hopes.values()) == ["What Gráinne hopes", "What Niamh hopes", "What Seán hopes"]
    assert hall.people[3].get("start") and hall.people[3].status == 404
    assert set(hall.roles(cycle_id).values()) == {"host", "coach", "observer"}


def test_what_is_written_in_a_group_is_taken_along_shared_and_erased(app, hall: Hall, clock) -> None:
    hall.form_group(0, 1, 2, title="kingfisher")
    with hall.database.read() as session:
        assert "kingfisher" not in repr(session.execute(text("SELECT * FROM groups")).all())
    cycle_id = hall.begin(0)
    agree(hall, 0, 1, 2)
    talk(hall, cycle_id)
    reflect(hall, 0, 1, 2)
    niamh, sean, grainne = hall.people[:3]
    form = "reflect/versions/1/share/own_learning"
    assert "With those of this cycle" in niamh.get(form) and "Gráinne Byrne and Seán Ó Dónaill" in niamh.page
    niamh.post(form, passage="What I learned, 0.", audience="partner")
    assert "Shared with you in this cycle" in sean.get("reflect")
    everything = sean.client.get(f"{sean.at}/mine/mine.json").get_json()
    mine = niamh.client.get(f"{niamh.at}/mine/mine.json").get_json()
    assert mine["what_groups_are_about"] == [{"kind": "theme", "title": "kingfisher", "about": "On Fridays"}]
    assert everything["what_groups_are_about"] == []
    (cycle,) = everything["cycles"]
    assert sorted(cycle["partner"].split(", ")) == ["Gráinne", "Niamh"]
    assert {each["by"] for each in cycle["texts"]} >= {"you", "Niamh"}
    (pair,) = everything["pairs"]
    assert sorted(pair["partner"].split(", ")) == ["Gráinne", "Niamh"]

    tool: Tool = app.extensions["meitheal"]
    with hall.database.write() as session:
        person = session.scalars(select(Membership.person_id).where(Membership.id == hall.course.teachers[0])).one()
        erasure.erase(session, tool.keyring, person, clock())
    page = sean.go("cycles")
    assert "Gráinne" in page and "Niamh" not in page
    assert "a former colleague" in sean.get("start") and sean.status == 200
    assert "A group without a name" in grainne.go("groups"), "the words of the founder are gone with the founder"
    assert "2 of you" in grainne.go("group") or "Go on" in grainne.go(f"cycles/{cycle_id}/next")
