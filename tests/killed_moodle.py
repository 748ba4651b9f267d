"""A sandbox Moodle as a program, for a test that kills it.

Run as: PORT TOKEN TEACHERS LOG STATE. What its web services did is in its state before they answer, and it knows that
again when it is started anew, as a Moodle with a database does.
"""

import io
import json
import random
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from completion.killed_log import Log
from werkzeug import Request
from werkzeug.serving import make_server

from lti_tool.sandbox import School, create_app
from lti_tool.sandbox.people import CourseRole
from lti_tool.sandbox.school import Event, Group, Grouping, Message

SLOWEST_S = 0.03
"""How long it takes at most before it does what it was asked for, and again before it answers."""
COURSE = "2"
CALL = "moodlewssettingfilter"
"""A parameter that Moodle leaves to whoever calls: here it names the call."""


def main(port: str, token: str, teachers: str, log_path: str, state: str) -> None:
    log, dice, kept, one_at_a_time = Log(log_path), random.Random(), Path(state), threading.Lock()
    app = create_app(f"http://127.0.0.1:{port}")
    school: School = app.extensions["sandbox"]
    school.web_services.token = token
    school.add_people(school.courses[COURSE], int(teachers), CourseRole.STUDENT)
    made = load(school, kept) if kept.exists() else []
    inner = app.wsgi_app

    def persistent(environ: dict[str, Any], start_response: Any) -> Any:
        sent = Request(environ).get_data()
        # A body can be read once; the sandbox reads it, too.
        environ["wsgi.input"] = io.BytesIO(sent)
        call = parse_qs(sent.decode()).get(CALL, [""])[0]
        if not call:
            return inner(environ, start_response)
        time.sleep(dice.uniform(0, SLOWEST_S))
        with one_at_a_time:
            before = names(school)
            body = inner(environ, start_response)
            made.extend(name for name in names(school) if name not in before)
            save(school, kept, made)
        log.note("taken", call)
        time.sleep(dice.uniform(0, SLOWEST_S))
        return body

    app.wsgi_app = persistent  # type: ignore[method-assign]
    log.note("up", "moodle")
    make_server("127.0.0.1", int(port), app, threaded=True).serve_forever()


def names(school: School) -> set[tuple[str, str, int]]:
    """(what it is, what it is for, its id) of all that can be made."""
    course = school.courses[COURSE]
    return {
        *(("group", each.id_number, int(each.id)) for each in course.groups),
        *(("grouping", each.id_number, int(each.id)) for each in course.groupings),
        *(("event", f"{each.description} {each.start}", each.id) for each in school.events.values()),
        *(("message", each.text, each.id) for each in school.messages),
    }


def save(school: School, file: Path, made: list[tuple[str, str, int]]) -> None:
    """All or nothing: whoever is killed in between has the state of before."""
    course = school.courses[COURSE]
    state = {
        "ids": school._last_ids,
        "groups": [asdict(each) | {"members": sorted(each.members)} for each in course.groups],
        "groupings": [asdict(each) | {"groups": sorted(each.groups)} for each in course.groupings],
        "events": [asdict(each) for each in school.events.values()],
        "messages": [asdict(each) for each in school.messages],
        "made": made,
    }
    new = file.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.replace(file)


def load(school: School, file: Path) -> list[tuple[str, str, int]]:
    """Brings back what was kept; returns what was ever made, see names()."""
    state, course = json.loads(file.read_text()), school.courses[COURSE]
    school._last_ids |= state["ids"]
    course.groups = [Group(**each | {"members": set(each["members"])}) for each in state["groups"]]
    course.groupings = [Grouping(**each | {"groups": set(each["groups"])}) for each in state["groupings"]]
    school.events = {each["id"]: Event(**each) for each in state["events"]}
    school.messages = [Message(**each) for each in state["messages"]]
    return [tuple(each) for each in state["made"]]


if __name__ == "__main__":
    main(*sys.argv[1:])
