"""Serving a WSGI application by gunicorn, without a command line of its own."""

import errno
import os
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from lti_tool.ops.errors import CommandFailed
from lti_tool.settings import Settings

THREADS = 4


def serve_tool(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serves the tool until it is told to stop. Raises CommandFailed if the address is taken."""
    if workers > 1:
        # Read by the metrics library when it is imported, so before the app is.
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="meitheal-metrics-"))

    def load() -> Any:
        # In each worker process: neither a database connection nor a queue may be shared across a fork.
        from lti_tool.store.database import Database
        from lti_tool.web.app import create_app
        from lti_tool.worker import open_queue

        database = Database(settings.database_url)
        database.on_work = open_queue(settings).wake
        return create_app(settings, database=database)

    serve(load, host, port, workers=workers, log_level=settings.log.level)


def serve(
    load: Callable[[], Any], host: str, port: int, *, workers: int = 1, threads: int = THREADS, log_level: str = "info"
) -> None:
    """Serves what `load` makes in each worker process. Raises CommandFailed if the address is taken."""
    require_free(host, port)
    _Server(
        load,
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            # No log of requests: their paths hold handles of sign-ins, one-time codes and addresses of calendars. At
            # its lowest level the server would write them all the same.
            "loglevel": "info" if log_level == "debug" else log_level,
            "accesslog": None,
            "logger_class": _Log,
            # Which proxy's headers are believed is decided by [network] trusted_proxies, in the app.
            "forwarded_allow_ips": "",
            "limit_request_line": 8190,
            "keepalive": 5,
            "timeout": 60,
            "graceful_timeout": 15,
            "child_exit": _forget_metrics,
        },
    ).run()


class _Log(Logger):  # type: ignore[misc]
    """What the server itself has to say, without the address of a request that it could not read or carry out, and
    without where that came from."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        is_of_request = str(msg).startswith("Error handling request")
        super().exception(
            "Error handling request" if is_of_request else msg, *(() if is_of_request else args), **kwargs
        )

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        is_of_request = str(msg).startswith("Invalid request from")
        super().warning("Invalid request" if is_of_request else msg, *(() if is_of_request else args), **kwargs)


def require_free(host: str, port: int) -> None:
    """Raises CommandFailed when nobody can listen at this address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = "is in use by another program" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
            raise CommandFailed(f"Port {port} of {host} {why}. Choose another one.") from None


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, load: Callable[[], Any], options: dict[str, Any]) -> None:
        self._load_app = load
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        return self._load_app()


def _forget_metrics(_server: Any, worker: Any) -> None:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
