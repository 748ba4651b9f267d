"""Pages of the trainer of a pairing round: where it stands, the calculation, the review and the proof."""

from dataclasses import replace
from datetime import timedelta

from flask import abort, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from lti_tool.activities.service import ActivityView
from lti_tool.matching.check import check
from lti_tool.matching.values import values
from lti_tool.rounds import answers, calculation, changes, fit, review, setting
from lti_tool.rounds import review_words as words
from lti_tool.rounds.review import Run
from lti_tool.rounds.rules import MOVED
from lti_tool.rounds.views_base import blueprint, round_of_trainer
from lti_tool.web.context import tool


@blueprint.get("/round")
def start() -> str:
    """Where the round stands, what it aims at, and the button that has it calculated."""
    now = tool().clock()
    with tool().database.read() as session:
        activity = round_of_trainer(session)
        runs = review.runs(session, activity.id, now)
        chosen = setting.settings(session, activity.id)
        was_out = any(run.is_published for run in runs)
    # A result that was put away tells less than the one that the teachers were asked about before.
    shown = [run for run in runs if run.status != "dropped" or not was_out]
    latest = shown[0] if shown else None
    return render_template(
        "rounds/start.html",
        activity=activity,
        activity_title=activity.title,
        message=words.told(request.args.get("told", "")),
        earlier=[run for run in runs if run is not latest],
        latest=latest,
        standing=words.standing(latest),
        standing_of={run.id: words.standing(run)[0] for run in runs},
        # Of the last calculation: a count that goes on would tell of one yes or no, and later of a silent pause.
        people_in="" if was_out or not (latest and latest.summary.people) else words.people_in(latest.summary.people),
        can_calculate=activity.status == "open" and not (latest and latest.is_current),
        was_out=was_out,
        settings=chosen,
        aims=words.aims(),
        parts=[(words.part(each, chosen), words.points(each)) for each in fit.parts(chosen)],
    )


@blueprint.post("/round/calculate")
def calculate() -> Response:
    """Has the round calculated; where it is already, on to that."""
    with tool().database.write() as session:
        activity = _open(session)
        try:
            run_id = calculation.ask(session, activity.id, tool().clock())
        except calculation.AlreadyCurrent as current:
            run_id = current.run_id
    return redirect(url_for(".run", run_id=run_id), 303)


@blueprint.get("/round/runs/<run_id>")
def run(run_id: str) -> str:
    """A run: how far it is, or what it came to."""
    wanted = request.args.get("q", "").strip()[:100]
    with tool().database.read() as session:
        activity, found = _run(session, run_id)
        if found.is_calculating or found.status not in review.SHOWN:
            return _standing_page(activity, found)
        chosen = setting.settings(session, activity.id)
        lines = review.lines(session, found)
    page = review.page_of(lines, wanted, request.args.get("page", 1, type=int))
    is_moved = any(line.attention & MOVED for line in lines)
    return render_template(
        "rounds/run.html",
        activity=activity,
        activity_title=activity.title,
        message=words.told(request.args.get("told", "")),
        run=found,
        standing=words.standing(found),
        summary=words.summary(found.summary, is_moved=is_moved, is_published=found.is_published),
        page=page,
        wanted=wanted,
        settings=chosen,
        titles=words.part_titles(),
        words=words,
        can_move=found.status == "review" and found.has_proof and not found.is_empty,
        is_moved=is_moved,
        paired=sum(line.status == "paired" for line in lines),
        asked=sum(not line.is_left for line in lines),
    )


def _standing_page(activity: ActivityView, found: Run) -> str:
    return render_template(
        "rounds/run_working.html",
        activity=activity,
        activity_title=activity.title,
        message=words.told(request.args.get("told", "")) if found.is_calculating else "",
        run=found,
        standing=words.standing(found),
        doing=words.doing(found.doing),
    )


@blueprint.get("/round/runs/<run_id>/state")
def run_state(run_id: str) -> Response:
    """How far a run is: {"going": bool, "done": thousandths, "doing": sentence}."""
    with tool().database.read() as session:
        _activity, found = _run(session, run_id)
    return jsonify(going=found.is_calculating, done=found.done, doing=words.doing(found.doing))


@blueprint.post("/round/runs/<run_id>/stop")
def stop(run_id: str) -> Response:
    """Stops a calculation; one that is done already is not stopped any more."""
    with tool().database.write() as session:
        _activity, found = _run(session, run_id)
        if found.is_calculating:
            calculation.stop(session, found.id)
    return redirect(url_for(".run", run_id=run_id, told="stopping" if found.is_calculating else None), 303)


@blueprint.get("/round/runs/<run_id>/people/<membership_id>")
def person(run_id: str, membership_id: str) -> str:
    """With whom somebody goes, and with whom else they could, at what cost."""
    now = tool().clock()
    with tool().database.read() as session:
        activity, found = _in_review(session, run_id)
        lines = review.lines(session, found)
        here = review.line_of(lines, membership_id)
        if here is None:
            abort(404)
        chosen = setting.settings(session, activity.id)
        offered = changes.alternatives(session, tool().keyring, run_id, membership_id, _secret(), now)
    line, who = here
    names = {each.membership_id: words.names((each,)) for of_one in lines for each in of_one.members}
    return render_template(
        "rounds/person.html",
        activity=activity,
        activity_title=activity.title,
        run=found,
        membership_id=membership_id,
        name=words.names((who,)),
        others=words.names(line.others(membership_id)),
        helps=words.helps(line, chosen) if line.is_left else "",
        notes=words.notes(line),
        at_most=found.summary.candidates > changes.SOLVED_EXACTLY,
        offers=[
            (
                each.membership_id,
                names[each.membership_id],
                words.cost(each.cost, found.summary.people, is_left=line.is_left),
            )
            for each in offered
            if each.membership_id in names
        ],
    )


@blueprint.post("/round/runs/<run_id>/people/<membership_id>")
def move(run_id: str, membership_id: str) -> Response:
    """Puts somebody together with `partner`, and has all others calculated again around the two."""
    together = [(membership_id, request.form.get("partner", ""))]
    _must_be_in_review(run_id)
    try:
        changes.move(tool().database, tool().keyring, run_id, together, secret=_secret(), now=tool().clock())
    except changes.NotOffered as refusal:
        raise words.not_offered() from refusal
    except changes.Changed as refusal:
        raise words.meanwhile() from refusal
    return redirect(url_for(".run", run_id=run_id, told="moved"), 303)


@blueprint.post("/round/runs/<run_id>/back")
def take_back(run_id: str) -> Response:
    """Takes back all that was moved by hand."""
    _must_be_in_review(run_id)
    try:
        changes.move_back(tool().database, tool().keyring, run_id, now=tool().clock())
    except changes.Changed as refusal:
        raise words.meanwhile() from refusal
    return redirect(url_for(".run", run_id=run_id, told="back"), 303)


@blueprint.post("/round/runs/<run_id>/drop")
def drop(run_id: str) -> Response:
    """Puts a result away that nobody was asked about."""
    with tool().database.write() as session:
        _activity, found = _in_review(session, run_id)
        review.drop(session, found.id)
    return redirect(url_for(".start", told="dropped"), 303)


@blueprint.get("/round/runs/<run_id>/publish")
def publishing(run_id: str) -> str:
    """Who will be asked, until when, and what they see."""
    now = tool().clock()
    with tool().database.read() as session:
        activity, found = _in_review(session, run_id)
        if found.is_empty:
            raise words.meanwhile()
        chosen = setting.settings(session, activity.id)
        lines = review.lines(session, found)
        managed = len(answers.managed(session, run_id))
    return render_template(
        "rounds/run_publish.html",
        managed=managed,
        activity_title=activity.title,
        run=found,
        asked=sum(len(line.members) for line in lines if not line.is_left),
        together=words.together([len(line.members) for line in lines]),
        left=sum(line.is_left for line in lines),
        days=chosen.days,
        until=words.until(now + timedelta(days=chosen.days)),
    )


@blueprint.post("/round/runs/<run_id>/publish")
def publish(run_id: str) -> Response:
    """Asks the teachers."""
    with tool().database.write() as session:
        _open(session)
        activity = round_of_trainer(session)
        out = review.find(session, activity.id, run_id, tool().clock())
        if out and out.is_published:  # a second tap
            return redirect(url_for(".run", run_id=run_id, told="published"), 303)
        _activity, found = _in_review(session, run_id)
        if found.is_empty or not answers.publish(session, tool().keyring, found.id, tool().clock()):
            raise words.meanwhile()
    return redirect(url_for(".run", run_id=run_id, told="published"), 303)


@blueprint.get("/round/runs/<run_id>/proof")
def proof(run_id: str) -> str:
    """What was proven, aim by aim."""
    with tool().database.read() as session:
        return _proof_page(session, run_id)


@blueprint.post("/round/runs/<run_id>/proof")
def check_proof(run_id: str) -> str:
    """The same page after the proof was checked once more; nothing is kept of that."""
    with tool().database.read() as session:
        return _proof_page(session, run_id, is_checked=True)


def _proof_page(session: Session, run_id: str, *, is_checked: bool = False) -> str:
    activity, found = _run(session, run_id)
    stored = calculation.stored(session, tool().keyring, run_id, tool().clock()) if found.has_proof else None
    if stored is None:
        abort(404)
    is_told = found.summary.people >= words.MANY
    summary = found.summary
    if stored.moved:
        # What is proven is the result as it was calculated, of which the summary says nothing any more.
        of = stored.calculated
        was = values(stored.problem, of.pairs, of.triads, of.left)
        pairs, triads = len(of.pairs), len(of.triads)
        summary = replace(summary, pairs=pairs, triads=triads, left=was.left)
        summary = replace(summary, worst=was.worst, total=was.total, again=was.again)
    return render_template(
        "rounds/proof.html",
        activity=activity,
        activity_title=activity.title,
        message=words.verdict(check(stored.problem, stored.calculated), summary.people) if is_checked else "",
        run=found,
        proof=words.proof(summary, review.witnesses(stored.solution.certificate) if is_told else None, found.seed),
        is_told=is_told,
        about=words.about(summary),
        is_moved=bool(stored.moved),
    )


def _must_be_in_review(run_id: str) -> None:
    # Solving again holds no transaction, so whether it still is in review is asked once more when it is kept.
    with tool().database.read() as session:
        _open(session)
        _in_review(session, run_id)


def _secret() -> bytes:
    return tool().settings.secret_key.get_secret_value()


def _open(session: Session) -> ActivityView:
    activity = round_of_trainer(session)
    if activity.status != "open":
        raise words.closed()
    return activity


def _run(session: Session, run_id: str) -> tuple[ActivityView, Run]:
    """A run of this trainer's round; a 404 for all others."""
    activity = round_of_trainer(session)
    found = review.find(session, activity.id, run_id, tool().clock())
    if found is None:
        abort(404)
    return activity, found


def _in_review(session: Session, run_id: str) -> tuple[ActivityView, Run]:
    """A run that nobody was asked about yet; a page that says so where it is not in review any more."""
    activity, found = _run(session, run_id)
    if found.status != "review":
        raise words.meanwhile()
    return activity, found
