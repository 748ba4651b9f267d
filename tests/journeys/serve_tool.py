"""Serves the tool as a process of its own, so that a test can kill it: `serve_tool.py <settings as JSON> <port>`."""

import json
import sys

from werkzeug.serving import make_server

from lti_tool.settings import from_values
from lti_tool.store.base import Base
from lti_tool.store.database import Database
from lti_tool.store.tables import import_all_models
from lti_tool.web.app import create_app


def main() -> None:
    settings = from_values(json.loads(sys.argv[1]))
    import_all_models()
    database = Database(settings.database_url)
    Base.metadata.create_all(database.engine)
    make_server("localhost", int(sys.argv[2]), create_app(settings, database=database), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
