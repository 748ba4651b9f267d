"""Calendars of other programs are read as they are meant, nobody's is kept whole, and none takes long."""

import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from lti_tool.schedule import ics
from lti_tool.schedule.ics import CalendarError, Problem

DUBLIN = "Europe/Dublin"
SINCE = date(2026, 10, 19)
MANY = settings(max_examples=3_000 if os.environ.get("MEITHEAL_SOAK") == "1" else 60, deadline=None)
HERE = Path(__file__).parent / "calendars"


def walls(text: str, first: date, last: date) -> list[str]:
    """What happens, by the clock on the wall in Dublin."""
    zone = ZoneInfo(DUBLIN)
    found = ics.occurrences(text, first, last, DUBLIN)
    return [
        f"{each.start.astimezone(zone):%a %d %b %H:%M}-{each.end.astimezone(zone):%H:%M} {each.title}" for each in found
    ]


def stripped(name: str) -> ics.Stripped:
    return ics.strip((HERE / f"{name}.ics").read_bytes(), zone=DUBLIN, since=SINCE)


def test_google():
    found = stripped("google")
    assert walls(found.ics, SINCE, date(2026, 11, 10)) == [
        "Tue 20 Oct 10:10-10:50 History, 3A",
        "Thu 22 Oct 10:10-10:50 History, 3A",
        # The clocks have changed, the break is left out, one is at another time, one is cancelled.
        "Tue 03 Nov 11:40-12:20 History, 3A",
        "Wed 04 Nov 15:00-16:00 Staff meeting",
        "Fri 06 Nov 00:00-00:00 Tom's birthday",
        "Tue 10 Nov 10:10-10:50 History, 3A",
    ]
    assert [each.text for each in found.titles] == ["History, 3A", "Staff meeting", "Tom's birthday"]
    assert [each.is_timed for each in found.titles] == [True, True, False]
    assert 55 < found.titles[0].times < 90, "twice a week to the end of May"
    assert (found.first, found.last, found.weekdays) == (SINCE, date(2027, 5, 29), (1, 2, 3))
    day = ics.occurrences(found.ics, date(2026, 11, 6), date(2026, 11, 6), DUBLIN)[0]
    assert day.is_all_day and not day.takes_time
    for secret in ("sbyrne", "Walsh", "Aoife", "drive.example", "zoom", "Room 14", "google.com", "VALARM"):
        assert secret not in found.ics


def test_outlook_with_names_of_zones_as_windows_has_them():
    found = stripped("outlook")
    assert found.unknown_zones == () and found.skipped == 0
    assert walls(found.ics, SINCE, date(2026, 11, 30)) == [
        "Mon 19 Oct 08:50-09:30 Maths 5B",
        "Wed 21 Oct 08:50-09:30 Maths 5B",
        "Tue 27 Oct 15:00-15:45 Erasmus call",
        "Mon 02 Nov 00:00-00:00 Out of school",
        "Mon 02 Nov 08:50-09:30 Maths 5B",
        "Wed 04 Nov 08:50-09:30 Maths 5B",
        "Wed 18 Nov 08:50-09:30 Maths 5B",
    ]
    assert "Lab 2" not in found.ics


def test_apple():
    assert walls(stripped("apple").ics, SINCE, date(2026, 12, 31)) == [
        "Wed 21 Oct 11:00-11:40 Gaeilge – Rang 4 🍀",
        "Thu 22 Oct 11:00-11:40 Gaeilge – Rang 4 🍀",
        "Thu 22 Oct 18:00-20:00 Choir",
        "Fri 23 Oct 11:00-11:40 Gaeilge – Rang 4 🍀",
        "Mon 26 Oct 11:00-11:40 Gaeilge – Rang 4 🍀",
        "Tue 27 Oct 11:00-11:40 Gaeilge – Rang 4 🍀",
        "Wed 28 Oct 11:00-11:40 Gaeilge – Rang 4 🍀",
        "Thu 29 Oct 11:00-11:40 Gaeilge – Rang 4 🍀",
        "Fri 30 Oct 11:00-11:40 Gaeilge – Rang 4 🍀",
        "Thu 05 Nov 14:30-16:00 Croke Park hour",
        "Thu 12 Nov 18:00-20:00 Choir",
        "Thu 19 Nov 19:00-21:00 Choir",
        # Until the 3rd of December, that day as well.
        "Thu 03 Dec 14:30-16:00 Croke Park hour",
    ]


def test_a_school_system_that_gives_all_its_lessons_one_name_and_no_zone():
    found = stripped("school")
    assert walls(found.ics, date(2026, 10, 26), date(2026, 10, 27)) == [
        "Mon 26 Oct 08:50-09:30 1A Science",
        "Mon 26 Oct 11:00-11:40 3B Biology",
        "Mon 26 Oct 13:40-14:20 5C Biology",
        "Tue 27 Oct 09:30-10:10 3B Biology",
        "Tue 27 Oct 12:20-13:00 Free",
    ]
    assert [(each.text, each.times) for each in found.titles] == [
        ("1A Science", 8), ("3B Biology", 8), ("5C Biology", 8), ("Free", 4),
    ]  # fmt: skip
    assert found.last == date(2026, 11, 13)
    assert "Byrne" not in found.ics


@pytest.mark.parametrize("name", ["google", "outlook", "apple", "school"])
def test_what_was_stripped_says_the_same_when_read_again(name: str):
    found = stripped(name)
    again = ics.strip(found.ics.encode(), zone=DUBLIN, since=SINCE)
    assert (again.ics, again.titles) == (found.ics, found.titles)
    later = ics.strip((HERE / f"{name}.ics").read_bytes(), zone=DUBLIN, since=date(2026, 11, 3))
    assert len(later.ics) <= len(found.ics), "what is over is left out"


@pytest.mark.parametrize("name", ["google", "outlook", "apple", "school"])
def test_stripping_changes_no_time(name: str):
    """The library reads the whole file; of entries that share a name by mistake it keeps one, so they get their own."""
    text = (HERE / f"{name}.ics").read_bytes().decode()
    parts = text.split("UID:timetable\n")
    text = parts[0] + "".join(f"UID:{number}\n{each}" for number, each in enumerate(parts[1:]))
    query = recurring_ical_events.of(Calendar.from_ical(text))
    expected = sorted(
        (utc(each["DTSTART"].dt), utc(each.end), str(each["SUMMARY"]))
        for each in query.between(SINCE, SINCE + timedelta(days=28))
        if each.get("STATUS") != "CANCELLED"
    )
    found = ics.occurrences(stripped(name).ics, SINCE, SINCE + timedelta(days=27), DUBLIN)
    assert [(each.start, each.end, each.title) for each in found] == expected


def utc(said: date) -> datetime:
    if not isinstance(said, datetime):
        said = datetime(said.year, said.month, said.day, tzinfo=ZoneInfo(DUBLIN))
    return (said if said.tzinfo else said.replace(tzinfo=ZoneInfo(DUBLIN))).astimezone(UTC)


def calendar(*lines: str, before: str = "") -> bytes:
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", before + lines[0] if lines else before, *lines[1:], "END:VCALENDAR", ""]
    ).encode()


def event(*lines: str, start: str = ":20261020T090000Z", end: str = ":20261020T094000Z") -> bytes:
    return calendar("BEGIN:VEVENT", f"DTSTART{start}", f"DTEND{end}", "SUMMARY:x", *lines, "END:VEVENT")


ZONES = {
    "UTC": (":20261020T090000Z", "", "10:00"),
    "floating": (":20261020T090000", "", "09:00"),
    "floating, and the calendar has a zone": (":20261020T090000", "X-WR-TIMEZONE:Europe/Paris\r\n", "08:00"),
    "IANA": (";TZID=Europe/Athens:20261020T090000", "", "07:00"),
    "Windows": (";TZID=W. Europe Standard Time:20261020T090000", "", "08:00"),
    "Mozilla": (";TZID=/mozilla.org/20050126_1/Europe/Lisbon:20261020T090000", "", "09:00"),
    "in quotes": (';TZID="Eastern Standard Time":20261020T090000', "", "14:00"),
    "its own": (
        ";TZID=Schulzeit:20261020T090000",
        "BEGIN:VTIMEZONE\r\nTZID:Schulzeit\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n"
        "TZOFFSETTO:+0100\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\n"
        "TZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n",
        "08:00",
    ),
    "its own with a place": (
        ";TZID=1:20261020T090000",
        "BEGIN:VTIMEZONE\r\nTZID:1\r\nX-LIC-LOCATION:Asia/Tokyo\r\nEND:VTIMEZONE\r\n",
        "01:00",
    ),
    "nobody knows it": (";TZID=Narnia:20261020T090000", "", "09:00"),
}


@pytest.mark.parametrize("name", ZONES)
def test_zones(name: str):
    start, before, expected = ZONES[name]
    end = start.replace("T09", "T10")
    data = calendar("BEGIN:VEVENT", f"DTSTART{start}", f"DTEND{end}", "SUMMARY:x", "END:VEVENT", before=before)
    found = ics.strip(data, zone=DUBLIN, since=SINCE)
    assert walls(found.ics, SINCE, SINCE + timedelta(days=7))[0].startswith(f"Tue 20 Oct {expected}-")
    assert found.unknown_zones == (("Narnia",) if name == "nobody knows it" else ())


KINDS = {
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "utf-8 with a mark": lambda data: b"\xef\xbb\xbf" + data,
    "of Windows": lambda data: data.decode().replace("x", "Café").encode("cp1252"),
    "old ends of lines": lambda data: data.replace(b"\r\n", b"\r"),
    "nothing but line feeds": lambda data: data.replace(b"\r\n", b"\n"),
    "folded": lambda data: data.replace(b"20261020", b"2026\r\n 1020"),
    "small letters": lambda data: data.replace(b"BEGIN:VEVENT", b"begin:vevent").replace(b"DTSTART", b"dtstart"),
    "with NUL": lambda data: data.replace(b"SUMMARY", b"\0SUMMARY"),
}


@pytest.mark.parametrize("name", KINDS)
def test_texts(name: str):
    change: Callable[[bytes], bytes] = KINDS[name]
    found = ics.strip(change(event()), zone=DUBLIN, since=SINCE)
    assert len(ics.occurrences(found.ics, SINCE, SINCE + timedelta(days=7), DUBLIN)) == 1
    assert found.titles[0].text == ("Café" if name == "of Windows" else "x")


SECONDS = [datetime(2026, 10, 20, tzinfo=UTC) + timedelta(seconds=each) for each in range(50_000)]
REFUSED = {
    "nothing": (b"", Problem.NO_CALENDAR),
    "a picture": (bytes(range(256)) * 50, Problem.NO_CALENDAR),
    "a page": (b"<!DOCTYPE html><html><title>Sign in</title></html>", Problem.WEB_PAGE),
    "zip": (b"PK\x03\x04" + bytes(100), Problem.PACKED),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), Problem.PACKED),
    "too large": (event(f"DESCRIPTION:{'x' * 1_000_000}"), Problem.TOO_LARGE),
    "no entry": (calendar(), Problem.EMPTY),
    "all is over": (event(start=":20251020T090000Z", end=":20251020T094000Z"), Problem.EMPTY),
    "over long ago, though repeated": (
        event("RRULE:FREQ=DAILY;UNTIL=20251101T000000Z", start=":20251020T090000Z", end=":20251020T094000Z"),
        Problem.EMPTY,
    ),
    "no end of a calendar within one": (b"BEGIN:VEVENT\r\n" * 70_000, Problem.NO_CALENDAR),
    "deep": (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 60_000 + b"END:VEVENT\r\n" * 5, Problem.EMPTY),
    "very many dates": (event(f"RDATE:{','.join(f'{each:%Y%m%dT%H%M%SZ}' for each in SECONDS)}"), Problem.TOO_MANY),
    "all at once": (
        calendar(*["BEGIN:VEVENT", "DTSTART:20261020T090000Z", "DURATION:PT1H", "END:VEVENT"] * 9_000),
        Problem.TOO_MANY,
    ),
    "many without an end": (
        calendar(
            *["BEGIN:VEVENT", "DTSTART:20261020T090000Z", "RRULE:FREQ=DAILY", "DURATION:PT1H", "END:VEVENT"] * 400
        ),
        Problem.TOO_MANY,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_taken_says_what_to_do(name: str):
    data, problem = REFUSED[name]
    begun = time.process_time()
    with pytest.raises(CalendarError) as error:
        ics.strip(data, zone=DUBLIN, since=SINCE)
    assert error.value.problem == problem
    assert len(problem) <= 20
    assert time.process_time() - begun < 2


ODD_RULES = [
    "FREQ=SECONDLY",
    "FREQ=MINUTELY;COUNT=1000000",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=2;BYDAY=5MO;INTERVAL=99",
    "FREQ=MONTHLY;BYSETPOS=31;BYDAY=MO",
    "FREQ=DAILY;INTERVAL=7;BYDAY=WE",
    "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))),
    "FREQ=WEEKLY;INTERVAL=0",
    "FREQ=WEEKLY;INTERVAL=99999999999",
    "FREQ=WEEKLY;BYDAY=" + "MO," * 10_000 + "TU",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=YEARLY;BYYEARDAY=366;INTERVAL=99",
    "FREQ=DAILY;COUNT=1;COUNT",
    "FREQ=DAILY;UNTIL=99999999",
    "",
]


@pytest.mark.parametrize("rule", ODD_RULES)
def test_a_repetition_that_no_program_makes_is_left_out_and_counted(rule: str):
    odd = f"BEGIN:VEVENT\r\nDTSTART:20261020T090000Z\r\nDURATION:PT1H\r\nRRULE:{rule}\r\nEND:VEVENT\r\n".encode()
    begun = time.process_time()
    found = ics.strip(event().replace(b"BEGIN:VEVENT", odd + b"BEGIN:VEVENT", 1), zone=DUBLIN, since=SINCE)
    assert found.skipped == 1
    assert [each.title for each in ics.occurrences(found.ics, SINCE, SINCE + timedelta(days=60), DUBLIN)] == ["x"]
    assert time.process_time() - begun < 1


LONG_RULES = {
    "a million": (1, "FREQ=DAILY;COUNT=1000000", 14),
    "since 1900": (30, "FREQ=DAILY", 14),
    "since 1900 each week": (60, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", 10),
    "since 1900 each month": (100, "FREQ=MONTHLY;BYDAY=1MO,3MO,-1FR", 2),
    "since 1900 on the 31st": (100, "FREQ=MONTHLY;BYMONTHDAY=31", 1),
    "since 1900 each year": (200, "FREQ=YEARLY", 0),
}


@pytest.mark.parametrize("name", LONG_RULES)
def test_what_began_long_ago_is_not_counted_from_its_first_day(name: str):
    entries, rule, times = LONG_RULES[name]
    begins = "20261019T090000" if name == "a million" else "19000131T090000"
    lines = ["BEGIN:VEVENT", f"DTSTART;TZID=Europe/Dublin:{begins}", "DURATION:PT1H", f"RRULE:{rule}", "END:VEVENT"]
    begun = time.process_time()
    found = ics.strip(calendar(*lines * entries), zone=DUBLIN, since=SINCE)
    once = ics.strip(calendar(*lines), zone=DUBLIN, since=SINCE)
    assert len(ics.occurrences(found.ics, SINCE, SINCE + timedelta(days=13), DUBLIN)) == times
    assert time.process_time() - begun < 4, "two readings and a look, each less than two seconds"
    # The same as if it had been counted from its first day.
    query = recurring_ical_events.of(Calendar.from_ical(once.ics))
    expected = [utc(each["DTSTART"].dt) for each in query.between(SINCE, SINCE + timedelta(days=60))]
    assert [each.start for each in ics.occurrences(once.ics, SINCE, SINCE + timedelta(days=59), DUBLIN)] == sorted(
        expected
    )


PIECES = st.sampled_from(
    [
        *("BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "UID:1"),
        *("DTSTART:20261020T090000Z", "DTSTART;VALUE=DATE:20261020", "DTSTART;TZID=Europe/Dublin:20261025T013000"),
        *("DTSTART:20261301T090000", "DTSTART:", "DTSTART", ":", ";", "DTEND:20261020T100000", "DTEND:20261021"),
        *("DURATION:PT1H", "DURATION:P999D", "DURATION:-PT1H", "DURATION:P", "RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY"),
        *("RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "RRULE:FREQ=WEEKLY;UNTIL=20261101", "RRULE:=;=", "SEQUENCE:x"),
        *("EXDATE:20261020", "EXDATE:20261027T090000Z", "RDATE:20261022T090000Z/PT2H", "RDATE;VALUE=DATE:20261023"),
        *("RECURRENCE-ID:20261027T090000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261027", "STATUS:CANCELLED"),
        *("SUMMARY:a\\", "SUMMARY:a\\nb\\,c", "SUMMARY;LANGUAGE=:", "TZID:x", "TZOFFSETTO:+9999", "X-WR-TIMEZONE:../x"),
        *("DTSTART;TZID=../../etc/passwd:20261020T090000", "TRANSP:TRANSPARENT", "\x85", " folded", "\ud7ff"),
    ]
)


@MANY
@given(st.lists(PIECES, max_size=25))
def test_whatever_comes_is_read_or_refused(lines: list[str]):
    data = calendar("BEGIN:VEVENT", *lines, "END:VEVENT")
    try:
        found = ics.strip(data, zone=DUBLIN, since=SINCE)
    except CalendarError:
        return
    here = ics.occurrences(found.ics, SINCE, SINCE + timedelta(days=40), DUBLIN)
    assert here == sorted(here, key=lambda each: (each.start, each.end, each.title))
    assert all(each.start <= each.end for each in here)
    assert {each.title for each in here} <= {each.text for each in found.titles}
    assert ics.strip(found.ics.encode(), zone=DUBLIN, since=SINCE).ics == found.ics
