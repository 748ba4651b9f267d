"""Whether the tool lives and can work, and what it counts: for the people who run it, without a name in it."""

import os
import time
from ipaddress import ip_address

from flask import Flask, Response, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.people.models import Platform
from lti_tool.web.context import tool

_REQUESTS = Counter("meitheal_requests", "Answered requests", ["endpoint", "method", "status"])
_SECONDS = Histogram("meitheal_request_seconds", "Time to answer, in seconds", ["endpoint"])


def register(app: Flask) -> None:
    """Adds /healthz, /readyz and /metrics."""
    app.add_url_rule("/healthz", "healthz", _healthz)
    app.add_url_rule("/readyz", "readyz", _readyz)
    app.add_url_rule("/metrics", "metrics", _metrics)
    app.before_request(_begin)
    app.after_request(_count)


def _healthz() -> Response:
    return Response("ok\n", mimetype="text/plain")


def _readyz() -> Response:
    try:
        with tool().database.read() as session:
            session.execute(select(Platform.id).limit(1)).first()
    except SQLAlchemyError:
        return Response("the database does not answer, or `meitheal db upgrade` is due\n", 503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")


def _metrics() -> Response:
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        abort(404)
    if not any(address in network for network in tool().settings.network.metrics_from):
        abort(404)
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _begin() -> None:
    g.began = time.perf_counter()


def _count(response: Response) -> Response:
    # The endpoint's name, never the path: a path holds the handle of a sign-in.
    # Of pairing and its rounds not even that: who sees the counts and the pairs could tell that somebody declined.
    endpoint = "pairing" if request.blueprint in ("pairing", "rounds") else request.endpoint or "none"
    _REQUESTS.labels(endpoint, request.method if request.method in _METHODS else "other", response.status_code).inc()
    if began := g.get("began"):
        _SECONDS.labels(endpoint).observe(time.perf_counter() - began)
    return response


_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
