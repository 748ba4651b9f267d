"""Pages of a cycle: its stages, saving what is typed, agreeing, meeting, closing, and what comes after it.

Every button of a stage's page sends the whole page, so that without JavaScript too a tap on one thing never throws away
what was typed into another: each handler first saves what came along, and only then does what it is for.
"""

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities import service as activities
from lti_tool.cycles import fields, going_on, rules, service, texts, words
from lti_tool.cycles.conversation import revs
from lti_tool.cycles.conversation_pages import talk_page
from lti_tool.cycles.conversation_rules import TALK_KINDS
from lti_tool.cycles.pages import Refusal, booking, stage_page
from lti_tool.cycles.revision import revision
from lti_tool.cycles.rules import Cycle, WrongTime
from lti_tool.cycles.service import Changed, DoubleBooked, NotPossible, NotYours
from lti_tool.cycles.texts import Deleted, TooLong
from lti_tool.pairing.words import closed, closed_sentence
from lti_tool.privacy.keyring import ScopeKeys
from lti_tool.privacy.looks import views as looks
from lti_tool.privacy.looks.service import HISTORY, LIVE
from lti_tool.privacy.rules import Action, may
from lti_tool.privacy.words import who_can_see_cycle
from lti_tool.protocols.recipe import Field, Stage
from lti_tool.rhythm import words as rhythm
from lti_tool.web.context import actor, tool
from lti_tool.web.errors import PageError

blueprint = Blueprint("cycles", __name__)

MAX_PLACE = 200
"""Characters of a meeting's place."""
MINUTES = range(5, 241)
_MOST_SEQ = 2**31 - 1


# Pages


@blueprint.get("/cycles")
def index() -> str:
    """One's own cycles in this activity: past ones stay readable."""
    with tool().database.read() as session:
        found = service.list_of(session, actor().membership_id, actor().activity_id or "")
    return render_template("cycles/list.html", cycles=found, words=words)


@blueprint.get("/cycles/<cycle_id>")
def show(cycle_id: str) -> Response:
    """A cycle: where it is now."""
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
    now = rules.stage_now(cycle, cycle.me) or cycle.reflection
    return redirect(words.stage_url(cycle, now), 303)


@blueprint.get("/cycles/<cycle_id>/<stage_key>")
def stage(cycle_id: str, stage_key: str) -> str | Response:
    """A stage's page; where the pair goes less far than that by now, on to their next step."""
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
        if cycle.stage(stage_of(cycle, stage_key).key) is None:
            return redirect(url_for("home.show"), 303)
        return stage_page(session, cycle, stage_of(cycle, stage_key))


@blueprint.get("/cycles/<cycle_id>/texts/<field_key>/history")
def history(cycle_id: str, field_key: str) -> str:
    """All versions of a text, with the name of who wrote each (R58)."""
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
        field = cycle.protocol.field(field_key)
        found = cycle.protocol.stage_of_field(field_key)
        author_id = actor().person_id if field and field.by == "each" else None
        if field is None or found not in cycle.stages:
            abort(404)
        if not may(actor(), Action.READ_TEXT, cycle.text_facts(field, author_id)):
            abort(404)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        versions = texts.read_texts(session, keys, cycle.id, [texts.Register(field_key, author_id)], history=True)
        shown = fields.read(session, keys, actor(), cycle, [field])
    looks.tell(keys.opened_authors, cycle.id, HISTORY)
    return render_template(
        "cycles/history.html",
        activity_title=cycle.activity_title,
        label=words.into(field.label),
        who=shown[field_key].who,
        versions=[
            {
                "author": fields.name_of(cycle, each.author_id),
                "when": words.stamp(each.saved_at),
                "text": words.chosen(field, each.text),
                "is_head": each.is_head,
            }
            for each in reversed(versions)
        ],
        back=words.stage_url(cycle, found, f"field-{field_key}"),
    )


# Saving texts


@blueprint.get("/cycles/<cycle_id>/texts")
def poll(cycle_id: str) -> Response:
    """What is new for an open page, as JSON; 204 when nothing is. `revision`: the state the page knows."""
    known = request.args.get("revision", -1, type=int)
    with tool().database.read() as session:
        if not is_id(cycle_id) or (latest := revision(session, cycle_id, actor().person_id)) is None:
            abort(404)
        if latest == known:
            return Response(status=204)
        cycle = open_cycle(session, cycle_id)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        every = [field for stage in cycle.stages for field in stage.fields]
        # How it goes on without them is not told to whoever left.
        conversations, rests, captured = ({}, 0, 0) if cycle.me.is_gone else revs(session, cycle_id)
        shown = fields.read(session, keys, actor(), cycle, every)
    looks.tell(keys.opened_authors, cycle.id, LIVE)
    now = rules.stage_now(cycle, cycle.me)
    return jsonify(
        revision=cycle.revision,
        stage=now.key if now and cycle.is_running else cycle.status,
        texts={key: fields.as_json(view) for key, view in shown.items()},
        talks=conversations,
        agreements={
            agreement.key: {
                "heads": rules.current_heads(cycle, agreement),
                "signed": [
                    words.name(member)
                    for member in cycle.members
                    if rules.signature_state(cycle, agreement, member) == "valid"
                ],
            }
            for stage in cycle.stages
            for agreement in stage.agreements
            if not cycle.me.is_gone
        },
        marks={
            "stages": sorted({mark.stage for mark in cycle.marks}),
            "rests": rests,
            "captured": [captured, cycle.notes_deleted_at is not None],
            "meetings": {meeting.kind: [meeting.rev, meeting.confirmed_at is not None] for meeting in cycle.meetings},
            "wish": "" if cycle.me.is_gone else ",".join(each.wish for each in cycle.others),
        },
    )


@blueprint.post("/cycles/<cycle_id>/texts/<field_key>")
def save_text(cycle_id: str, field_key: str) -> Response:
    """Saves one text: as JSON while it is typed, or as a form."""
    text, base, editor, seq = _sent_text()
    with tool().database.write() as session:
        cycle = _frame(session, cycle_id)
        # A page that was open when the pair came to go less far still saves: nothing that was typed is lost.
        field = cycle.with_left_out.field(field_key)
        found = cycle.with_left_out.stage_of_field(field_key)
        if field is None or found is None or found not in cycle.all_stages:
            abort(404)
        if not fields.is_editable(actor(), cycle, field):
            if not may(actor(), Action.READ_TEXT, cycle.text_facts(field, actor().person_id)):
                abort(404)
            raise _not_editable(cycle, field)
        keys = tool().keyring.opened(session, cycle.id, tool().clock())
        try:
            changed = texts.save_text(
                session, keys, cycle, field, text=text, base=base, editor=editor, seq=seq, now=tool().clock()
            )
        except TooLong as error:
            raise PageError(
                400,
                _("This text is too long"),
                _(
                    "“%(label)s” takes %(most)s characters, and this has %(now)s.",
                    label=words.into(field.label),
                    most=error.limit,
                    now=error.length,
                ),
                _("Shorten it and save again. What was saved before is still there."),
                reason="text too long",
            ) from error
        except Deleted as error:
            raise PageError(
                409,
                _("This text was deleted"),
                _(
                    "“%(label)s” was deleted since you opened this page, so nothing was saved.",
                    label=words.into(field.label),
                ),
                _("Open the page again to write something new."),
                reason="text deleted",
            ) from error
        shown = fields.read(session, keys, actor(), cycle, [field])[field_key] if request.is_json else None
    if shown is None:
        return redirect(words.stage_url(cycle, found, f"field-{field_key}"), 303)
    looks.tell(keys.opened_authors, cycle.id, found.key)
    return jsonify(field=field_key, revision=cycle.revision + changed, **fields.as_json(shown))


def _sent_text() -> tuple[str, list[str], str, int]:
    """Text, base, editor and seq of a save, as JSON or form; a 400 for anything else."""
    if not request.is_json:
        if not (sent := request.form.getlist("text")) and "choice" not in request.form:
            abort(400)
        # More than one only where several are chosen.
        return ",".join(sent), _tokens(request.form.get("base", "")), "", 0
    try:
        letter = request.get_json(silent=True)
    except RecursionError:  # brackets within brackets within brackets
        abort(400)
    if not isinstance(letter, dict):
        abort(400)
    text, base, editor, seq = letter.get("text"), letter.get("base"), letter.get("editor", ""), letter.get("seq", 0)
    if (
        not isinstance(text, str)
        or not isinstance(base, list)
        or not all(isinstance(token, str) for token in base)
        or not isinstance(editor, str)
        or not (editor == "" or (editor.isascii() and editor.isalnum() and len(editor) <= 64))
        or not isinstance(seq, int)
        or isinstance(seq, bool)
        or not 0 <= seq <= _MOST_SEQ
    ):
        abort(400)
    return text, base, editor, seq


@blueprint.post("/cycles/<cycle_id>/<stage_key>/save")
def save(cycle_id: str, stage_key: str) -> Response | tuple[str, int]:
    """Saves all that was typed on a stage's page (without JavaScript)."""
    with tool().database.write() as session:
        cycle, _keys, refusal = receive(session, cycle_id, stage_key)
    target = request.form.get("do", "")
    anchor = f"field-{target}" if cycle.protocol.field(target) else ""
    return answer(cycle, stage_key, refusal, _page_of(cycle, stage_of(cycle, stage_key), anchor))


# Agreeing, meeting, closing


@blueprint.post("/cycles/<cycle_id>/agreements/<item>")
def sign(cycle_id: str, item: str) -> Response | tuple[str, int]:
    """Signs an agreement, or confirms the shared goal."""
    with tool().database.write() as session:
        frame = _frame(session, cycle_id)
        every = frame.all_stages
        found = next((each for each in every if item in {one.key for one in each.agreements}), None)
        if found is None:
            abort(404)
        cycle, _keys, refusal = receive(session, cycle_id, found.key)
        must_run(cycle)
        seen = [token for key, value in request.form.items() if key.startswith("seen-") for token in _tokens(value)]
        if not refusal:
            try:
                service.sign(session, cycle, item, seen=seen, now=tool().clock())
            except NotPossible as error:
                refusal = refused(cycle, error)
            except Changed:
                refusal = Refusal([("", _("A text has changed since you opened this page. Read it, then agree."))])
    return answer(cycle, found.key, refusal, _page_of(cycle, found, f"agreement-{item}"))


@blueprint.post("/cycles/<cycle_id>/<stage_key>/meetings/<kind>")
def meet(cycle_id: str, stage_key: str, kind: str) -> Response | tuple[str, int]:
    """Books or moves a meeting. A visit is booked by the host alone (R41)."""
    with tool().database.write() as session:
        frame = _frame(session, cycle_id)
        found = stage_of(frame, stage_key)
        if (whole := frame.with_left_out.stage(stage_key)) is None or kind not in whole.meetings:
            abort(404)
        must_run(frame)
        if not may(actor(), booking(kind), frame.facts):
            abort(403)
        cycle, _keys, refusal = receive(session, cycle_id, stage_key, pressed=kind)
    return answer(cycle, stage_key, refusal, words.stage_url(cycle, found, f"meeting-{kind}"))


@blueprint.post("/cycles/<cycle_id>/<stage_key>/confirm")
def confirm(cycle_id: str, stage_key: str) -> Response | tuple[str, int]:
    """The coach says that they will be there."""
    with tool().database.write() as session:
        cycle, _keys, refusal = receive(session, cycle_id, stage_key)
        must_run(cycle)
        found = stage_of(cycle, stage_key)
        if "visit" not in found.meetings:
            abort(404)
        if not refusal:
            try:
                seen_rev = request.form.get("visit-rev", 0, type=int)
                service.confirm_visit(session, cycle, seen_rev=seen_rev, now=tool().clock())
            except NotYours:
                abort(403)
            except NotPossible as error:
                refusal = refused(cycle, error)
            except Changed:
                refusal = Refusal(
                    [("#meeting-visit", _("The visit was moved since you opened this page. Look at it again."))]
                )
    return answer(cycle, stage_key, refusal, words.stage_url(cycle, found, "meeting-visit"))


@blueprint.post("/cycles/<cycle_id>/<stage_key>/first-turn")
def first_turn(cycle_id: str, stage_key: str) -> Response | tuple[str, int]:
    """Who speaks first has spoken: the other's questions open."""
    with tool().database.write() as session:
        cycle, _keys, refusal = receive(session, cycle_id, stage_key)
        must_run(cycle)
        found = stage_of(cycle, stage_key)
        if (whole := cycle.with_left_out.stage(stage_key)) is None or whole.first_turn is None:
            abort(404)
        if not refusal and found.first_turn:
            try:
                service.mark_first_turn(session, cycle, found, now=tool().clock())
            except NotYours:
                abort(403)
            except NotPossible as error:
                refusal = refused(cycle, error)
    return answer(cycle, stage_key, refusal, _page_of(cycle, found, "first-turn"))


@blueprint.post("/cycles/<cycle_id>/<stage_key>/done")
def done(cycle_id: str, stage_key: str) -> Response | tuple[str, int]:
    """The two have talked, or the visit has taken place."""
    with tool().database.write() as session:
        cycle, _keys, refusal = receive(session, cycle_id, stage_key)
        must_run(cycle)
        found = stage_of(cycle, stage_key)
        if found.kind not in ("conversation", "visit", "work"):
            abort(404)
        if not refusal:
            try:
                service.close(session, cycle, found, now=tool().clock())
            except NotPossible as error:
                refusal = refused(cycle, error)
    return answer(cycle, stage_key, refusal, url_for("home.show"))


# Going on


@blueprint.get("/cycles/<cycle_id>/end")
def end(cycle_id: str) -> str | Response:
    """What comes after a cycle, or instead of it: continue, swap roles, new partner, pause (R7)."""
    with tool().database.read() as session:
        cycle = open_cycle(session, cycle_id)
        if cycle.is_group:
            return redirect(url_for("groups.end", cycle_id=cycle.id), 303)
        cycle = _of_two(cycle)
        why_not = why_no_next(session, cycle)
        turn, first = rhythm.turn_after(session, cycle)
    partner = words.name(cycle.partner)
    return render_template(
        "cycles/end.html",
        closed=why_not,
        activity_title=cycle.activity_title,
        cycle=cycle,
        partner=partner,
        partner_wish=words.wish_of(partner, cycle.partner.wish) if cycle.partner.wish else "",
        role_now=words.role(cycle.me.role),
        role_swapped=words.role(rules.roles_after(cycle.members, "swap")[cycle.me.membership_id]),
        turn=turn,
        first=first,
        who=who_can_see_cycle([partner]),
    )


@blueprint.post("/cycles/<cycle_id>/end")
def wish(cycle_id: str) -> Response:
    """Says how one would like to go on; the next cycle begins when both say the same."""
    with tool().database.write() as session:
        cycle = _of_two(open_cycle(session, cycle_id, lock=True))
        wanted = request.form.get("wish", "")
        if wanted not in rules.WISHES:
            abort(400)
        if why_not := why_no_next(session, cycle):
            raise closed(why_not)
        try:
            going_on.wish(session, cycle, wanted, now=tool().clock())
        except NotPossible as error:
            raise PageError(
                409,
                _("This cycle is not finished"),
                _("The next one can begin when both of you have submitted your reflections."),
                _("Go back to your next step."),
                reason="cycle not finished",
            ) from error
    return redirect(url_for("home.show"), 303)


def _of_two(cycle: Cycle) -> Cycle:
    """The cycle; a 404 for a reflection without a partner, which ends with what its one member does, and for that of a
    group (groups/views.py)."""
    if cycle.is_alone or cycle.is_group:
        abort(404)
    return cycle


def why_no_next(session: Session, cycle: Cycle) -> str:
    """What keeps a next cycle from beginning, beside the two themselves; empty when nothing does."""
    activity = activities.find(session, cycle.activity_id)
    if activity is None or not may(actor(), Action.TAKE_PART, activity.facts):
        return _("You do not take part in this activity now, so no next cycle begins.")
    return "" if may(actor(), Action.BEGIN, activity.facts) else closed_sentence()


# What the pages of this room and of reflections share


def open_cycle(session: Session, cycle_id: str, *, lock: bool = False) -> Cycle:
    """The cycle for the signed-in person; a 404 unless the rules open it to them."""
    cycle = service.load(session, cycle_id, actor().person_id, lock=lock) if is_id(cycle_id) else None
    if cycle is None or not may(actor(), Action.OPEN_CYCLE, cycle.facts):
        abort(404)
    return cycle


def receive_texts(
    session: Session, keys: ScopeKeys, cycle: Cycle, stage: Stage
) -> tuple[Cycle, dict[str, str], list[tuple[str, str]]]:
    """Saves the texts that came with a page's form: the cycle after it, what could not be saved, and why.

    Only what the signed-in person may write is looked at; a text for a cycle that has ended meanwhile is refused, so
    that the page gives it back. The cycle is locked.
    """
    unsaved: dict[str, str] = {}
    errors: list[tuple[str, str]] = []
    changed = False
    for field in stage.fields:
        text = _typed(field)
        if text is None or fields.fingerprint(text) == request.form.get(f"was-{field.key}"):
            # Nothing was typed here; the partner may have written since, and an old page must not bring the old back.
            continue
        if not fields.is_editable(actor(), cycle, field):
            if not cycle.is_running:
                raise _not_editable(cycle)
            unsaved[field.key] = text
            label = words.into(field.label)
            errors.append(
                ("", _("“%(label)s” is not yours to write in any more. To keep what you typed, copy it.", label=label))
            )
            continue
        base = _tokens(request.form.get(f"base-{field.key}", ""))
        try:
            changed |= texts.save_text(session, keys, cycle, field, text=text, base=base, now=tool().clock())
        except TooLong as error:
            unsaved[field.key] = text
            errors.append(
                (
                    f"#field-{field.key}",
                    _(
                        "“%(label)s” takes %(most)s characters, and this has %(now)s. It is not saved yet.",
                        label=words.into(field.label),
                        most=error.limit,
                        now=error.length,
                    ),
                )
            )
        except Deleted:
            unsaved[field.key] = text
            errors.append(
                (
                    f"#field-{field.key}",
                    _(
                        "“%(label)s” was deleted since you opened this page. To keep what you typed, save again.",
                        label=words.into(field.label),
                    ),
                )
            )
    return (open_cycle(session, cycle.id) if changed else cycle), unsaved, errors


def _typed(field: Field) -> str | None:
    """What came for a field; None where it was not on the page. Of choices a browser sends only those made."""
    sent = request.form.getlist(f"text-{field.key}")
    if f"choice-{field.key}" in request.form:
        return ",".join(sent)
    return sent[0] if sent else None


def receive(session: Session, cycle_id: str, stage_key: str, *, pressed: str = "") -> tuple[Cycle, ScopeKeys, Refusal]:
    """Saves what came along with a stage's page, whatever button was tapped; what could not be saved is a Refusal.

    `pressed`: kind of the meeting whose button was tapped, for which a missing time is then an error.
    """
    cycle = open_cycle(session, cycle_id, lock=True)
    stage = stage_of(cycle, stage_key)
    keys = tool().keyring.opened(session, cycle.id, tool().clock())
    # With what is left out by now: it was on the page that was sent.
    cycle, unsaved, errors = receive_texts(session, keys, cycle, cycle.with_left_out.stage(stage.key) or stage)
    if cycle.stage(stage.key) is None:
        return cycle, keys, Refusal([*errors, ("", _("Your pages have become shorter."))], unsaved)
    typed: dict[str, tuple[str, str, str, str]] = {}
    moved = False
    for kind in stage.meetings:
        starts, minutes, place = (request.form.get(f"{kind}-{part}", "").strip() for part in _MEETING_PARTS)
        untouched = "|".join((starts, minutes, place)) == request.form.get(f"{kind}-was", "")
        if f"{kind}-starts" not in request.form or (untouched and (kind != pressed or cycle.meeting(kind))):
            continue
        if not may(actor(), booking(kind), cycle.facts):
            if not cycle.is_running:
                raise _not_editable(cycle)
            continue
        found = _book(session, keys, cycle, stage, kind, starts, minutes, place)
        if found:
            typed[kind] = (starts, minutes, place, found[0][1])
            errors += found
        moved = True
    return (open_cycle(session, cycle.id) if moved else cycle), keys, Refusal(errors, unsaved, typed)


_MEETING_PARTS = ("starts", "minutes", "place")


def _book(
    session: Session, keys: ScopeKeys, cycle: Cycle, stage: Stage, kind: str, starts: str, minutes: str, place: str
) -> list[tuple[str, str]]:
    """Books a meeting from what was typed; what is wrong with it otherwise."""
    anchor = f"#meeting-{kind}"
    if rules.is_done(cycle, stage):
        return [(anchor, _("This step is done, so its time stays as it was."))]
    if not minutes.isascii() or not minutes.isdigit() or len(minutes) > 3 or int(minutes) not in MINUTES:
        return [(anchor, _("Give the length in minutes, from 5 to 240."))]
    if len(place) > MAX_PLACE:
        return [(anchor, _("The place can have %(most)s characters.", most=MAX_PLACE))]
    try:
        service.set_meeting(
            session,
            keys,
            cycle,
            kind,
            starts_at=rules.read_local_time(starts, words.zone(), tool().clock()),
            minutes=int(minutes),
            place=place,
            seen_rev=request.form.get(f"{kind}-rev", 0, type=int),
            now=tool().clock(),
        )
    except WrongTime as error:
        return [(anchor, words.wrong_time(error))]
    except NotPossible as error:
        return [(url, text) for text, url in (words.missing(cycle, lack) for lack in error.missing)]
    except DoubleBooked as error:
        return [(anchor, words.double_booked(cycle, error.spans))]
    except Changed:
        there = cycle.meeting(kind)
        if there is None:
            return []
        return [
            (
                anchor,
                _(
                    "%(name)s has set %(when)s meanwhile. What you typed is still in the form: save again to use it.",
                    name=fields.name_of(cycle, there.set_by),
                    when=words.when(there.starts_at),
                ),
            )
        ]
    return []


def _page_of(cycle: Cycle, stage: Stage, anchor: str) -> str:
    return (words.talk_url if is_from_talk(stage) else words.stage_url)(cycle, stage, anchor)


def is_from_talk(stage: Stage) -> bool:
    """Whether a form was sent from the page of a conversation, and not from that of the whole stage."""
    return request.form.get("at") == "talk" and stage.kind in TALK_KINDS


def answer(cycle: Cycle, stage_key: str, refusal: Refusal, url: str) -> Response | tuple[str, int]:
    """On to `url`, or the page again with what was typed and what stood in the way."""
    if not refusal:
        return redirect(url, 303)
    with tool().database.read() as session:
        fresh = open_cycle(session, cycle.id)
        if fresh.stage(stage_key) is None:
            return redirect(url_for("home.show", told="shorter"), 303)
        stage = stage_of(fresh, stage_key)
        page = talk_page if is_from_talk(stage) else stage_page
        return page(session, fresh, stage, refusal), refusal.status


def refused(cycle: Cycle, error: NotPossible) -> Refusal:
    return Refusal([(url, text) for text, url in (words.missing(cycle, lack) for lack in error.missing)])


def _frame(session: Session, cycle_id: str) -> Cycle:
    """The cycle, locked, with members and marks only."""
    cycle = service.load_frame(session, cycle_id, actor().person_id, lock=True) if is_id(cycle_id) else None
    if cycle is None or not may(actor(), Action.OPEN_CYCLE, cycle.facts):
        abort(404)
    return cycle


def stage_of(cycle: Cycle, key: str) -> Stage:
    """The stage of that key, also where this pair does not go so far (any more): its page says so then."""
    every = cycle.all_stages
    found = cycle.stage(key) or next((each for each in every if each.key == key), None)
    if found is None or found.kind == "reflection":
        abort(404)
    return found


def must_run(cycle: Cycle) -> None:
    if not may(actor(), Action.BOOK_TALK, cycle.facts):
        raise _not_editable(cycle)


def _not_editable(cycle: Cycle, field: Field | None = None) -> PageError:
    if not cycle.is_running:
        return PageError(
            409,
            _("This cycle is closed"),
            _("It has ended, so what you wrote together stays as it is."),
            _("You can still read it, and your own reflection stays open to you."),
            reason="cycle closed",
        )
    if field is not None and field.raw and cycle.notes_deleted_at is not None:
        return PageError(
            409,
            _("The notes of this visit are deleted"),
            _("Their time was over, so nothing is kept there any more."),
            _("Go back to your next step."),
            reason="notes deleted",
        )
    writers = cycle.with_role(field.by) if field is not None else ()
    return PageError(
        403,
        _("Somebody else writes this") if cycle.is_group else _("Your partner writes this"),
        _("In this cycle %(name)s writes this text. You can read it.", name=words.names(writers or cycle.others)),
        _("Go back, and tell each other what you would like there."),
        reason="other role",
    )


def _tokens(text: str) -> list[str]:
    return [token for token in text.split(",") if token]


def is_id(text: str) -> bool:
    """Whether an address holds something that can be an id at all; a database need not see anything else."""
    return text.isascii() and text.isalnum()
