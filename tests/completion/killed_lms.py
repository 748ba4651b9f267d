"""A sandbox LMS as a program, for a test that kills it.

Run as: PORT KEY_SET TEACHERS LOG JOURNAL. It keeps each score in its journal before it answers, and knows it again when
it is started anew, as an LMS with a database does.
"""

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from completion.killed_log import Log
from completion.sandbox_here import open_sandbox
from werkzeug import Request
from werkzeug.serving import make_server

from lti_tool.sandbox import School
from lti_tool.sandbox.school import Grade

SLOWEST_S = 0.03
"""How long it takes at most before it takes a score, and again before it answers."""


def main(port: str, key_set: str, teachers: str, log_path: str, journal: str) -> None:
    log, dice = Log(log_path), random.Random()
    jwks = json.loads(Path(key_set).read_text())
    app = open_sandbox(f"http://127.0.0.1:{port}", "moodle", jwks, time.time, more_teachers=int(teachers))
    school: School = app.extensions["sandbox"]
    for line in Path(journal).read_text().splitlines() if Path(journal).exists() else ():
        entry = json.loads(line)
        school.grades[entry["item"], entry["user"]] = Grade(entry["score"], entry["feedback"], entry["modified"])
    kept = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    inner = app.wsgi_app

    def persistent(environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        if not request.path.endswith("/scores"):
            return inner(environ, start_response)
        time.sleep(dice.uniform(0, SLOWEST_S))
        before = dict(school.grades)
        body = inner(environ, start_response)
        for (item, user), grade in school.grades.items():
            if before.get((item, user)) is not grade:
                entry = {"item": item, "user": user, "score": grade.score, "feedback": grade.feedback}
                os.write(kept, (json.dumps(entry | {"modified": grade.modified}) + "\n").encode())
                log.note("taken", user)
        time.sleep(dice.uniform(0, SLOWEST_S))
        return body

    app.wsgi_app = persistent  # type: ignore[method-assign]
    log.note("up", "lms")
    make_server("127.0.0.1", int(port), app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
