"""Serves tools in processes of their own, so that tests can kill them.

Each line it is given is `{"settings": {…}, "port": 8000, "log": "a file"}`; the answer is the id of a new process that
serves so. All are forked from this one, where the program is loaded already: that takes longer than all else a start
needs. A template is compiled by the first that shows it, and no other.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from factories import make_settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.engine import make_url
from werkzeug.serving import make_server

from lti_tool.settings import from_values
from lti_tool.store.base import Base
from lti_tool.store.database import Database
from lti_tool.store.tables import import_all_models
from lti_tool.web.app import create_app


def main() -> None:
    import_all_models()
    # Whoever was killed is gone at once, and nobody waits for them here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with tempfile.TemporaryDirectory() as folder:
        templates = Path(folder)
        empty = _empty_database(templates)
        # `for line in sys.stdin` would read ahead what belongs to nobody's child.
        while line := sys.stdin.readline():
            asked = json.loads(line)
            if pid := os.fork():
                print(pid, flush=True)
                continue
            try:
                _serve(empty=empty, templates=templates, **asked)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)


def _empty_database(folder: Path) -> bytes:
    """A database with all tables and no rows, for which an app is made once, so that everything is loaded."""
    file = folder / "empty.db"
    database = Database(f"sqlite:///{file}")
    Base.metadata.create_all(database.engine)
    create_app(make_settings(database_url=f"sqlite:///{file}"), database=database).test_client().get("/")
    database.dispose()
    return file.read_bytes()


def _serve(settings: dict[str, Any], port: int, log: str, *, empty: bytes, templates: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream, to in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(to, stream)
    made = from_values(settings)
    file = Path(make_url(made.database_url).database or "")
    if not file.exists():
        file.write_bytes(empty)
    app = create_app(made, database=Database(made.database_url))
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(templates))
    make_server("localhost", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
