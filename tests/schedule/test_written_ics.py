"""Bookings are written so that two parsers that know nothing of each other read the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from lti_tool.schedule import ics
from lti_tool.schedule.ics import Event

STAMP = datetime(2026, 10, 12, 18, 30, 12, tzinfo=UTC)
VISIT = Event(
    "4f1c@meitheal",
    datetime(2026, 10, 22, 9, 10, tzinfo=UTC),
    datetime(2026, 10, 22, 9, 50, tzinfo=UTC),
    "Coaching",
    1,
    STAMP,
)
AFTER_THE_CHANGE = Event(
    "77aa@meitheal",
    datetime(2026, 11, 5, 12, 20, tzinfo=UTC),
    datetime(2026, 11, 5, 12, 30, tzinfo=UTC),
    "Coaching with Tomás Ó Súilleabháin; in “3A”, about waiting, and a very long title that has to be folded 🍀🍀🍀 "
    * 2,
    3,
    STAMP,
    place="Room 14, 1st floor; \\ left",
    text="First line\nSecond, line\r\nBEGIN:VEVENT",
    url="https://tool.example/at/x/cycles/1?a=b;c,d",
)


def by_icalendar(data: bytes) -> list[tuple[object, ...]]:
    calendar = Calendar.from_ical(data)
    assert not calendar.errors
    found = []
    for each in calendar.events:
        assert not each.errors
        told = [str(each.get(key, "")) for key in ("UID", "SUMMARY", "LOCATION", "DESCRIPTION", "URL")]
        found.append((each.start, each.end, each["SEQUENCE"], each["DTSTAMP"].dt, str(each["STATUS"]), *told))
    return found


def by_ical(data: bytes) -> list[tuple[object, ...]]:
    calendar = IcsCalendarStream.calendar_from_ics(data.decode())
    found = []
    for each in calendar.events:
        told = [each.uid, each.summary, each.location or "", each.description or "", str(each.url or "")]
        found.append((each.dtstart, each.dtend, each.sequence, each.dtstamp, each.status.value, *told))
    return found


@pytest.mark.parametrize("read", [by_icalendar, by_ical])
def test_two_parsers_read_what_was_booked(read):
    cancelled = replace(VISIT, is_cancelled=True, sequence=2, uid="x@meitheal")
    plain, full, off = read(ics.write([VISIT, AFTER_THE_CHANGE, cancelled], "Coaching, mine"))
    assert plain == (VISIT.start, VISIT.end, 1, STAMP, "CONFIRMED", VISIT.uid, "Coaching", "", "", "")
    assert full == (
        *(AFTER_THE_CHANGE.start, AFTER_THE_CHANGE.end, 3, STAMP, "CONFIRMED", AFTER_THE_CHANGE.uid),
        *(
            AFTER_THE_CHANGE.title,
            AFTER_THE_CHANGE.place,
            "First line\nSecond, line\nBEGIN:VEVENT",
            AFTER_THE_CHANGE.url,
        ),
    )
    assert off[2:5] == (2, STAMP, "CANCELLED")


@pytest.mark.parametrize("read", [by_icalendar, by_ical])
def test_a_calendar_without_bookings_is_one(read):
    assert read(ics.write([])) == []


def test_lines_are_as_the_standard_has_them():
    data = ics.write([VISIT, AFTER_THE_CHANGE], "Mine")
    lines = data.split(b"\r\n")
    assert lines[-1] == b"" and lines[0] == b"BEGIN:VCALENDAR"
    assert all(len(each) <= 75 and b"\n" not in each and b"\r" not in each for each in lines)
    assert lines.count(b"BEGIN:VEVENT") == 2
    for each in (
        b"VERSION:2.0",
        b"METHOD:PUBLISH",
        b"DTSTART:20261022T091000Z",
        b"UID:4f1c@meitheal",
        b"CLASS:PRIVATE",
    ):
        assert each in lines
    assert ics.write([VISIT, AFTER_THE_CHANGE], "Mine") == data, "the same as long as nothing changes"


def test_signs_that_no_calendar_can_hold_are_left_out():
    event = replace(VISIT, title="A\x00\x07B\x1b", place="\ud7ff\u2028C")
    found = by_icalendar(ics.write([event]))[0]
    assert (found[6], found[7]) == ("AB", "C")
    assert by_ical(ics.write([event]))[0][6] == "AB"


def test_what_is_written_can_be_somebodys_timetable():
    found = ics.strip(ics.write([VISIT, AFTER_THE_CHANGE]), zone="Europe/Dublin", since=VISIT.start.date())
    here = ics.occurrences(found.ics, VISIT.start.date(), VISIT.start.date() + timedelta(days=20), "Europe/Dublin")
    assert [(each.start, each.end) for each in here] == [
        (VISIT.start, VISIT.end), (AFTER_THE_CHANGE.start, AFTER_THE_CHANGE.end),
    ]  # fmt: skip
