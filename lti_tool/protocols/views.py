"""The library of protocols: reading them, for all who coach or set coaching up; making the course's own, for trainers.

Making and changing is in `edit_views`.
"""

from itertools import groupby

from flask import Blueprint, Response, abort, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.cycles.words import into
from lti_tool.privacy.rules import Action, ProtocolFacts, may
from lti_tool.protocols import files, pages, service, words
from lti_tool.protocols.difference import difference
from lti_tool.protocols.reader import shipped
from lti_tool.protocols.recipe import Protocol
from lti_tool.protocols.rules import MAX_NOTE, fingerprint
from lti_tool.protocols.service import OwnView
from lti_tool.web.context import actor, tool

blueprint = Blueprint("protocols", __name__)


@blueprint.get("/protocols")
def library() -> str:
    """All that can be followed here: the course's own first, then what is shipped, by form."""
    require_seeing(ProtocolFacts(None))
    with tool().database.read() as session:
        own = [each for each in service.own_of(session, actor().course_id) if is_readable(each)]
        followed = service.followed_by(session, actor().course_id)
    return library_page(own, followed)


def library_page(
    own: list[OwnView], followed: list[tuple[str, str]], errors: list[tuple[str, str]] | None = None
) -> str:
    """The library; `errors`: what is wrong with a file that was brought."""
    titles: dict[str, list[str]] = {}
    for key, title in followed:
        titles.setdefault(key, []).append(title)
    edits = may(actor(), Action.EDIT_PROTOCOL, ProtocolFacts(actor().course_id))
    return render_template(
        "protocols/library.html",
        own=[(each, _own_book(each)) for each in own if not each.is_archived],
        archived=[(each, _own_book(each)) for each in own if each.is_archived and edits],
        shelves=pages.shelves(list(shipped().values())),
        followed=titles,
        edits=edits,
        errors=errors or [],
        message=message(request.args.get("told", "")),
    )


def _own_book(own: OwnView) -> pages.Book:
    return pages.book(shown(own))


@blueprint.get("/protocols/<protocol_key>")
def show(protocol_key: str) -> str:
    """One protocol, all of it: what new cycles follow now."""
    with tool().database.read() as session:
        protocol, own = find(session, protocol_key)
        versions = service.versions(session, protocol_key)
        activity = activities.find(session, actor().activity_id or "")
    return _protocol_page(protocol, own, versions, activity.title if activity else "")


@blueprint.get("/protocols/<protocol_key>/versions/<int:number>")
def show_version(protocol_key: str, number: int) -> str:
    """A version of a protocol as cycles keep it."""
    with tool().database.read() as session:
        protocol, own = find_version(session, protocol_key, number)
        versions = service.versions(session, protocol_key)
        activity = activities.find(session, actor().activity_id or "")
    return _protocol_page(protocol, own, versions, activity.title if activity else "")


def _protocol_page(
    protocol: Protocol, own: OwnView | None, versions: list[service.VersionView], activity_title: str
) -> str:
    newest = own.published or protocol if own else shipped()[protocol.key]
    return render_template(
        "protocols/show.html",
        activity_title=activity_title,
        protocol=protocol,
        book=pages.book(protocol),
        form=pages.form(protocol.form),
        picture=pages.picture(protocol),
        stages=pages.stages(protocol),
        own=own,
        is_unpublished=own is not None and own.published is None,
        is_newest=protocol.version == newest.version,
        versions=versions,
        edits=own is not None and may(actor(), Action.EDIT_PROTOCOL, own.facts),
        copies=may(actor(), Action.EDIT_PROTOCOL, ProtocolFacts(actor().course_id)),
        message=message(request.args.get("told", "")),
    )


@blueprint.get("/protocols/<protocol_key>/compare")
def compare(protocol_key: str) -> str:
    """What is different between two versions, in sentences; `old` and `new`: a number, `draft`, or `origin`."""
    with tool().database.read() as session:
        return compare_page(session, protocol_key, request.args.get("old", ""), request.args.get("new", ""))


def compare_page(session: Session, key: str, old: str, new: str, *, note: str = "", overtaken: bool = False) -> str:
    """The page of a comparison. `note`: what the trainer typed about a new version; `overtaken`: the draft was changed
    while they looked at it."""
    newest, own = find(session, key)
    edits = own is not None and may(actor(), Action.EDIT_PROTOCOL, own.facts)
    versions = service.versions(session, key)
    numbers = sorted({*(each.number for each in versions), *([] if own else [newest.version])})
    offered = [(str(each), _("Version %(number)s", number=each)) for each in numbers]
    origin = shipped().get(own.origin) if own else None
    if origin:
        offered.insert(0, ("origin", _("What it was made out of: %(title)s", title=into(origin.title))))
    if own and edits:
        offered.append(("draft", _("The draft")))
    keys = [each for each, _title in offered]
    new = new or keys[-1]
    old = old or (str(own.version) if own and own.published and new == "draft" else keys[max(0, keys.index(new) - 1)])
    if new not in keys or old not in keys:
        abort(404)

    def read(which: str) -> Protocol:
        if which == "draft" and own:
            return service.draft(own)
        if which == "origin" and origin:
            return origin
        return find_version(session, key, int(which))[0]

    changes = words.sentences(difference(read(old), read(new)))
    return render_template(
        "protocols/compare.html",
        key=key,
        title=into(newest.title),
        offered=offered,
        old=old,
        new=new,
        old_title=dict(offered)[old],
        new_title=dict(offered)[new],
        groups=[(where, list(each)) for where, each in groupby(changes, key=lambda change: change.where)],
        count=len(changes),
        own=own,
        publishes=edits and new == "draft" and own is not None and own.is_changed,
        is_first=own is not None and own.published is None,
        was=fingerprint(own.body) if own else "",
        note=note,
        max_note=MAX_NOTE,
        overtaken=overtaken,
    )


@blueprint.get("/protocols/<protocol_key>/file")
def take_file(protocol_key: str) -> Response:
    """The protocol as one file, to be kept or brought to another course; `version` for another than the newest."""
    number = request.args.get("version", type=int)
    with tool().database.read() as session:
        protocol, _own = find(session, protocol_key) if number is None else find_version(session, protocol_key, number)
    # What it is called is a trainer's word, and stands in lists of downloads that others may see: so it does not say.
    return Response(
        files.as_file(protocol.body),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="protocol-{protocol.version}.yaml"'},
    )


# What is there, and who may


def require_seeing(facts: ProtocolFacts) -> None:
    """404 for whoever may not read that protocol."""
    if not may(actor(), Action.SEE_PROTOCOLS, facts):
        abort(404)


def is_readable(own: OwnView) -> bool:
    """Whether the actor may read it: its trainers from the beginning, others what was given out."""
    return may(actor(), Action.SEE_PROTOCOLS, own.facts) and (
        own.published is not None or may(actor(), Action.EDIT_PROTOCOL, own.facts)
    )


def shown(own: OwnView) -> Protocol:
    """What there is to read of an own protocol: the last version, or, before there is one, the draft."""
    return own.published or service.draft(own)


def find(session: Session, key: str) -> tuple[Protocol, OwnView | None]:
    """What new cycles follow under that key, with whose own it is; 404 where there is nothing for the actor."""
    if found := shipped().get(key):
        require_seeing(ProtocolFacts(None))
        return found, None
    own = service.find_own(session, key, actor().course_id)
    if own is None or not is_readable(own):
        abort(404)
    return shown(own), own


def find_version(session: Session, key: str, number: int) -> tuple[Protocol, OwnView | None]:
    """One version that is kept, as find()."""
    _newest, own = find(session, key)
    version = service.version(session, key, number)
    if version is None:
        abort(404)
    return version, own


def message(code: str) -> str:
    """What has just happened."""
    return {
        "archived": _("It is archived: it is not offered any more, and activities that have it keep it."),
        "reopened": _("It is offered again."),
        "published": _("This version is given out. New cycles follow it; those that run keep theirs."),
        "same": _("Nothing was changed since the last version, so there is no new one."),
    }.get(code, "")
