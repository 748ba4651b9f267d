"""A sandbox Moodle that is served on this machine, with its web services."""

import threading
from typing import Any

from werkzeug.serving import make_server

from lti_tool.sandbox import School, create_app

RELEASE = "4.4dev (Build: 20231124)"


class Moodle:
    """A sandbox, served on this machine until it is stopped."""

    def __init__(self) -> None:
        self._server = make_server("127.0.0.1", 0, lambda environ, start: self.app(environ, start), threaded=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.app = create_app(self.address)
        self.school: School = self.app.extensions["sandbox"]
        self.scripts = self.app.test_client()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def token(self) -> str:
        return self.school.web_services.token

    @property
    def calls(self) -> dict[str, int]:
        """Function → how often it was asked for."""
        return dict(self.school.web_services.calls)

    def goes_wrong(self, kind: str, function: str = "", **more: Any) -> None:
        """Puts a fault of the web services in force, see lti_tool.sandbox.faults.WebServiceFault."""
        fault = {"web_service": kind, "function": function, **more}
        assert self.scripts.post("/sandbox/faults", json=fault).status_code == 200

    def heal(self) -> None:
        assert self.scripts.delete("/sandbox/faults").status_code == 200

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
