"""The page on which somebody says whether, how and when they are reminded, and what was sent to them."""

from collections.abc import Mapping

from flask import abort, redirect, render_template, request, url_for
from flask_babel import get_locale
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.privacy.rules import Action, TimeFacts, may
from lti_tool.schedule import reminder_choices, reminder_items, reminder_page_words, reminder_words
from lti_tool.schedule.mail import MAX_ADDRESS, Mailer
from lti_tool.schedule.reminder_choices import BadAddress, Said, TooSoon
from lti_tool.schedule.reminder_items import of_person
from lti_tool.schedule.reminder_rules import DIGESTS, EARLIEST, KINDS, LATEST, SENT, read_hours
from lti_tool.schedule.reminders import SENDERS
from lti_tool.schedule.views_base import blueprint
from lti_tool.web.context import actor, tool


@blueprint.get("/reminders")
def reminders() -> str:
    """What one said, to change it; what comes up; what was sent."""
    with tool().database.read() as session:
        return _page(session, _mine(session))


@blueprint.post("/reminders")
def say_reminders() -> Response | tuple[str, int]:
    """Keeps by which way one is reminded of each kind of thing, how often, and between which hours."""
    with tool().database.write() as session:
        said = _mine(session)
        ways = {kind: request.form.get(f"way-{kind}", "") for kind in KINDS}
        digest = request.form.get("digest", "")
        hours = read_hours(request.form.get("from", ""), request.form.get("to", ""))
        errors = []
        lms = _has_lms(session)
        for kind, way in ways.items():
            if way not in [value for value, _words in _ways(kind, said, lms)]:
                errors.append((f"way-{kind}", "choice"))
            elif way == "email" and not said.is_confirmed:
                errors.append((f"way-{kind}", "no address"))
        if digest not in DIGESTS:
            errors.append(("digest", "choice"))
        if hours is None:
            errors.append(("from", "hours"))
        if errors or hours is None:
            return _page(session, said, errors, request.form), 400
        reminder_choices.say(session, actor().person_id, ways, digest, hours)
    return _back("kept")


@blueprint.post("/reminders/address")
def say_reminder_address() -> Response | tuple[str, int]:
    """Keeps an address, and sends a code there; nothing else is sent to it before that code is typed."""
    if not tool().settings.mail.host:
        abort(404)
    address = request.form.get("email", "").strip()[: MAX_ADDRESS + 1]
    keyring, me, now = tool().keyring, actor().person_id, tool().clock()
    with tool().database.write() as session:
        said = _mine(session)
        try:
            code = reminder_choices.say_address(session, keyring, me, address, now)
        except BadAddress:
            return _page(session, said, [("email", "bad address")], request.form), 400
        except TooSoon:
            return _page(session, said, [("email", "too soon")], request.form), 409
    language = str(get_locale().language)
    minutes = int(reminder_choices.CODE_LASTS.total_seconds() // 60)
    # After the commit: nobody else waits for a slow mail server.
    with Mailer(tool().settings, tool().clock) as mailer:
        text = reminder_words.code_text(language, code, minutes)
        outcome = mailer.send(address, reminder_words.code_subject(language), text)
    if outcome.status in ("sent", "unknown"):
        return _back("sent")
    with tool().database.read() as session:
        wrong = "refused" if outcome.status == "failed" else "later"
        return _page(session, _mine(session), [("email", wrong)], request.form), 400 if wrong == "refused" else 409


@blueprint.post("/reminders/code")
def confirm_reminder_address() -> Response | tuple[str, int]:
    """Takes the code that was sent."""
    code = request.form.get("code", "").strip().replace(" ", "")[:20]
    with tool().database.write() as session:
        _mine(session)
        outcome = reminder_choices.confirm(session, tool().keyring, actor().person_id, code, tool().clock())
        if outcome != "confirmed":
            return _page(session, _mine(session), [("code" if outcome == "wrong" else "email", outcome)]), 400
    return _back("confirmed")


@blueprint.post("/reminders/address/delete")
def forget_reminder_address() -> Response:
    """Deletes the address with its key."""
    with tool().database.write() as session:
        _mine(session)
        reminder_choices.forget_address(session, tool().keyring, actor().person_id, tool().clock())
    tool().database.forget_deleted()
    return _back("deleted")


@blueprint.post("/reminders/stop")
def stop_reminders() -> Response:
    """Nothing is sent any more, by whatever way."""
    with tool().database.write() as session:
        _mine(session)
        reminder_choices.stop(session, actor().person_id)
    return _back("stopped")


def _mine(session: Session) -> Said:
    """What the signed-in person said; a 404 for who can say nothing here and has said nothing."""
    said = reminder_choices.mine(session, tool().keyring, actor().person_id, tool().clock())
    if not may(actor(), Action.KEEP_REMINDERS, TimeFacts(actor().person_id, is_new=said == Said.nothing())):
        abort(404)
    return said


def _back(told: str) -> Response:
    # Of who teaches no more, the page goes with what was said on it.
    return redirect(url_for(".reminders" if actor().is_teacher else "ownership.mine", told=told), 303)


def _has_lms(session: Session) -> bool:
    """Whether messages can go to the signed-in person in their LMS; one statement at most."""
    sender = SENDERS.get("lms")
    return sender is not None and sender.offers(session, actor().person_id)


def _ways(kind: str, said: Said, has_lms: bool) -> list[tuple[str, str]]:
    """What can be chosen for a kind; what was chosen before can stay."""
    before = said.ways[kind]
    has_mail = bool(tool().settings.mail.host)
    return reminder_page_words.ways(kind, email=has_mail or before == "email", lms=has_lms or before == "lms")


def _page(
    session: Session,
    said: Said,
    errors: list[tuple[str, str]] | None = None,
    typed: Mapping[str, str] | None = None,
) -> str:
    me, now = actor().person_id, tool().clock()
    typed, lms = typed or {}, _has_lms(session)
    names = reminder_page_words.kinds()
    # One's own next step is what the first page is for, and not looked for here.
    items = reminder_items.waiting(session, of_person(me), tool().settings.rhythm.quiet_months, now, turns_too=False)
    return render_template(
        "schedule/reminders.html",
        message=reminder_page_words.told(request.args.get("told", "")),
        errors=[(box, reminder_page_words.problem(code)) for box, code in errors or ()],
        said=said,
        kinds=[
            (kind, *names[kind], _ways(kind, said, lms), typed.get(f"way-{kind}") or said.ways[kind]) for kind in KINDS
        ],
        digests=reminder_page_words.digests(),
        digest=typed.get("digest") or said.digest,
        hours=range(EARLIEST, LATEST + 1),
        from_hour=typed.get("from") or str(said.from_hour),
        to_hour=typed.get("to") or str(said.to_hour),
        email=typed.get("email") if "email" in typed else said.email,
        has_mail=bool(tool().settings.mail.host),
        coming=reminder_page_words.coming(items, said.ways),
        past=reminder_page_words.past(reminder_choices.recent(session, me)),
        sends=any(way in SENT for way in said.ways.values()),
    )
