"""The tab of its own in which a visit is captured: /visit, without a sign-in, and never in a frame.

It is opened by a one-time code, sent in the body of a form by a page of the cycle, or typed on another device. After
that a cookie holds the grant (grants.py). The page itself holds nothing of anybody, so that a service worker can keep
it; what is in it comes from `data`.
"""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import abort, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.cycles.views import is_id
from lti_tool.observation import capture, grants, receiving, word_lists, words
from lti_tool.observation.entries import MAX_MS
from lti_tool.observation.grants import Granted
from lti_tool.observation.views_base import visit
from lti_tool.privacy.looks import service as looks
from lti_tool.web import static_files
from lti_tool.web.context import tool
from lti_tool.web.errors import PageError

COOKIE = "__Host-visit-"
_KEPT = 6
"""Grants that one browser holds at most; their visits are over long before."""


@visit.url_value_preprocessor
def _never_in_a_frame(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    g.frame_ancestors = "'none'"


@visit.before_request
def require_own_origin() -> None:
    """Every change comes from a page of the tool.

    That takes the place of a token in the page: a page that was kept for hours without a network could have none, and
    whoever types a code has no cookie yet that one could belong to. Browsers send `Origin` with every POST.
    """
    if request.method != "POST":
        return
    public = urlsplit(tool().settings.public_url)
    own = {request.host_url.rstrip("/"), f"{public.scheme}://{public.netloc}"}
    if request.headers.get("Origin") not in own:
        raise PageError(
            403,
            _("This did not come from a page of ours"),
            _("What was sent came from another site, or from a program, so it was not carried out."),
            _("Open the visit from the page of your cycle, or with a code, and send it there."),
            reason="origin",
        )


# Opening it


@visit.get("")
def enter_code() -> str:
    """Where a code is typed on another device."""
    return render_template("observation/visit_code.html", typed="", errors=[])


@visit.post("")
def use_code() -> Response | tuple[str, int]:
    """Takes a code and gives the browser the grant; the code is used up."""
    typed = request.form.get("code", "")[:40]
    with tool().database.write() as session:
        opened = grants.open_tab(session, tool().keyring, typed, tool().clock())
    if opened is None:
        said = _("This code opens nothing: it is used up, older than ten minutes, or not typed as it was shown.")
        return render_template("observation/visit_code.html", typed=typed, errors=[("code", said)]), 400
    granted, secret = opened
    assert granted.until is not None
    response = make_response(redirect(url_for("visit.show", observation_id=granted.id), 303))
    name = COOKIE + granted.id
    held = [each for each in request.cookies if each.startswith(COOKIE) and each != name]
    for old in held[: max(0, len(held) - _KEPT + 1)]:
        response.delete_cookie(old, path="/", secure=True, httponly=True, samesite="Lax")
    # A tab of its own is no part of the LMS's page, so other sites have no part in the cookie. The prefix asks for "/".
    response.set_cookie(
        name,
        secret,
        max_age=int((granted.until - tool().clock()).total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
    )
    return response


# The tab


@visit.get("/sw.js")
def service_worker() -> Response:
    """What opens the page without a network; here, because a service worker serves the folder that it comes from."""
    response = static_files.send("visit-sw.js")
    response.headers["Cache-Control"] = "no-store"
    return response


@visit.get("/<observation_id>")
def show(observation_id: str) -> str:
    """The empty page that captures."""
    with tool().database.read() as session:
        granted = _granted(session, observation_id)
    if granted.gone:
        raise PageError(410, *_gone(granted.gone), reason=f"visit {granted.gone}")
    return render_template("observation/capture.html", observation_id=granted.id)


@visit.get("/<observation_id>/data")
def data(observation_id: str) -> Response | tuple[Response, int]:
    """What the page captures with, as JSON; no entry of anybody.

    `began_ago`: ms since the lesson began, if a device has said so; `lasted`: its minutes, if it was closed before.
    """
    now = tool().clock()
    with tool().database.read() as session:
        granted = _granted(session, observation_id)
        if granted.gone:
            return _gone_json(granted.gone)
        ago = (now - granted.began_at) // timedelta(milliseconds=1) if granted.began_at else None
        keys = tool().keyring.opened(session, granted.cycle_id, now)
        instrument = capture.instrument_of(session, keys, granted.instrument_id)
        have = receiving.has_of(session, granted.id)
        lists = word_lists.of_cycle(session, granted.cycle_id)
    if instrument is None:
        return _gone_json("deleted")
    looks.record(
        tool().database,
        tool().keyring,
        viewer=granted.person_id,
        owners=keys.opened_authors,
        cycle_id=granted.cycle_id,
        what=looks.INSTRUMENT,
        now=now,
    )
    return jsonify(
        instrument=instrument.to_json(),
        words=lists.to_json(_language()),
        observation={
            "id": granted.id,
            "have": have,
            "until": granted.until.isoformat() if granted.until else None,
            "began_ago": None if ago is None else max(0, ago),
            "lasted": granted.lasted,
        },
        minutes=granted.minutes,
    )


@visit.post("/<observation_id>/entries")
def send_entries(observation_id: str) -> Response | tuple[Response, int]:
    """Keeps entries of a device, each once however often it is sent; says what is there now.

    `{device, at, entries: [{number, at_ms, …}]}` → `{have, got}`; `at`: ms since the lesson began, when sent. 400
    with `refused` where something cannot be an entry of this instrument, and 409 with `clash` where another entry has
    its number: all others are kept all the same.
    """
    letter = _letter()
    device, sent = letter.get("device"), letter.get("entries")
    if not receiving.is_device(device) or not isinstance(sent, list) or len(sent) > receiving.MOST_AT_ONCE:
        abort(400)
    with tool().database.write() as session:
        granted = _granted(session, observation_id, lock=True)
        try:
            received = receiving.receive(session, tool().keyring, granted, str(device), sent, tool().clock())
            at = letter.get("at")
            if type(at) is int and 0 <= at <= MAX_MS:
                receiving.begin(session, granted, at, tool().clock())
        except grants.Gone as error:
            return _gone_json(error.code)
        except receiving.Full:
            return _said(
                409,
                _("This visit is full"),
                _(
                    "A visit takes %(entries)d entries in all, and of %(devices)d devices.",
                    entries=receiving.MOST_OF_VISIT,
                    devices=receiving.MOST_DEVICES,
                ),
                _("What was noted here stays on this device: copy it from here."),
                full=True,
            )
    found = {"have": received.have, "got": received.got}
    if received.refused:
        return _said(
            400,
            _("Some entries could not be read"),
            " ".join(dict.fromkeys(words.problem(each) for one in received.refused for each in one.problems)),
            _("They stay on this device, and all others were kept."),
            refused=[{"index": each.index, "number": each.number} for each in received.refused],
            **found,
        )
    if received.clash:
        return _said(
            409,
            _("Two entries with one number"),
            _("This device has sent something else under the same number before, so nothing was written over."),
            _("They stay on this device, and all others were kept."),
            clash=received.clash,
            **found,
        )
    return jsonify(found)


@visit.post("/<observation_id>/close")
def close(observation_id: str) -> Response | tuple[Response, int]:
    """The visit is over: `{minutes}`, how long it was. Nothing is added after that."""
    minutes = _letter().get("minutes")
    if type(minutes) is not int or not 0 <= minutes <= receiving.MOST_MINUTES:
        abort(400)
    with tool().database.write() as session:
        granted = _granted(session, observation_id, with_cycle=True)
        try:
            receiving.close(session, granted, minutes, tool().clock())
        except grants.Gone as error:
            return _gone_json(error.code)
    return jsonify(closed=True)


def _granted(session: Session, observation_id: str, **lock: bool) -> Granted:
    """The visit for whose grant this browser has the cookie (`lock`: as for grants.find).

    A 404 for every other id, whether it exists or not.
    """
    secret = request.cookies.get(COOKIE + observation_id, "") if is_id(observation_id) else ""
    found = grants.find(session, observation_id, secret, tool().clock(), **lock) if secret else None
    if found is None:
        raise PageError(
            404,
            _("This visit is not open here"),
            _("This browser was not let into this visit, or the visit does not exist any more."),
            _("Open it from the page of your cycle, with a new code. What was noted on this device is still on it."),
            reason="no grant",
        )
    g.launch_locale = found.language
    return found


def _letter() -> dict[str, Any]:
    """The JSON object that was sent; a 400 for anything else."""
    if not request.is_json:
        abort(400)
    try:
        letter = json.loads(request.get_data())
    except (ValueError, RecursionError):  # brackets within brackets within brackets
        abort(400)
    if not isinstance(letter, dict):
        abort(400)
    return letter


def _language() -> str:
    return str(get_locale().language)


def _gone_json(code: str) -> tuple[Response, int]:
    return _said(410, *_gone(code), gone=code)


def _said(status: int, title: str, what: str, advice: str, **more: Any) -> tuple[Response, int]:
    return jsonify(title=title, what=what, advice=advice, **more), status


def _gone(code: str) -> tuple[str, str, str]:
    """Title, what and advice for a code of grants.Gone."""
    if code == "closed":
        return (
            _("This visit is closed"),
            _("You closed it, here or on another device, so nothing more is added."),
            _("To add something, open the visit again from the page of your cycle."),
        )
    if code == "deleted":
        return (
            _("The notes of this visit are deleted"),
            _("Their time was over, or whoever captured them deleted them, so nothing is kept there any more."),
            _("What is still on this device is no part of your cycle any more: clear it away here."),
        )
    if code == "step":
        return (
            _("Nothing is noted in this visit"),
            _("You go less far together now: somebody visits, and nothing is noted. So nothing is added."),
            _("What is still on this device is no part of your cycle: clear it away here."),
        )
    if code == "ended":
        return (
            _("This cycle is over"),
            _("It has ended, or you are no longer in it, so nothing is added to its visit."),
            _("Nothing that was sent before is lost."),
        )
    return (
        _("This visit was open for long enough"),
        _("Its tab takes entries until the day after the visit. What was not sent yet is still on this device."),
        _("Open the visit again from the page of your cycle: then it is sent."),
    )
