"""Scripts and styles at addresses that name their state: kept for a year, and never met by a page of another state.

`/static/<state>/texts.js`: a script that imports `./device.js` gets it of the same state, too. The plain address
`/static/texts.js` answers as well, and is asked about again each time.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, send_from_directory
from werkzeug.wrappers import Response

FOLDER = Path(__file__).parent / "static"
_YEAR = 365 * 24 * 3600


@cache
def state_of_now() -> str:
    """Ten signs that change when any of the files does."""
    found = hashlib.sha256()
    for file in sorted(FOLDER.iterdir()):
        content = file.read_bytes()
        found.update(f"{file.name} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()[:10]


def register(app: Flask) -> None:
    """Serves the folder under the endpoint `static`, for url_for("static", filename=…)."""
    app.add_url_rule("/static/<path:filename>", "static", _file)
    app.add_url_rule("/static/<state>/<path:filename>", "static", _file)
    app.url_defaults(_name_state)


def _name_state(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values.setdefault("state", state_of_now())


def send(filename: str) -> Response:
    """One of the files, to be asked about again each time; a 404 for what is none."""
    response = send_from_directory(FOLDER, filename)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _file(filename: str, state: str = "") -> Response:
    # A page that was made before an update gets what there is now; that is not kept under the name of the old state.
    response = send(filename)
    if state == state_of_now():
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response
