"""Time is made: the week of a school, timetables, proposed meetings, calendars, reminders, a teacher's own ledger."""
