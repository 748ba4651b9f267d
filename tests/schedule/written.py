"""Calendars as other programs write them, for tests."""

from datetime import datetime


def ics_of(now: datetime, *titles: str) -> bytes:
    """A calendar in which each title is on every weekday, an hour after the one before, from nine on."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN"]
    for number, title in enumerate(titles):
        begins = f"{now:%Y%m%d}T{9 + number:02}"
        lines += [
            "BEGIN:VEVENT", f"UID:{number}@x", f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}", f"DTSTART:{begins}0000",
            f"DTEND:{begins}4000", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH", f"SUMMARY:{title}",
            "LOCATION:canary-room", "DESCRIPTION:canary-words", "ATTENDEE:mailto:canary-somebody@x.example",
            "END:VEVENT",
        ]  # fmt: skip
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()
