"""Pictures of seats and of the room: rounds, who speaks to whom, where the teacher goes, how talk is spread."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, sqrt

from lti_tool.observation.entries import Entry, Id
from lti_tool.observation.instrument import CLASS, TEACHER, Instrument, Plan, Seat, letters
from lti_tool.observation.pictures import room
from lti_tool.observation.pictures.parts import MINUTE, bars, keys, share
from lti_tool.observation.pictures.shapes import (
    FILLS,
    SIZE,
    WIDTH,
    Canvas,
    Cell,
    Line,
    Picture,
    Point,
    Table,
    clock,
    ids,
)
from lti_tool.observation.said import Said

_ACROSS = 12
"""Rounds on one line of the grid."""
_AS_FULL = 0.9
"""Share of the seats of the fullest round that another one needs to be compared with it."""
_LABELLED = 10
"""Arrows that have their number beside them."""
_TIMED = 5
"""Places that have their time beside them."""


def sweep(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Rounds from seat to seat: how the room was divided in each, and a grid of seats and rounds."""
    canvas = Canvas()
    length = instrument.interval_s * 1000
    seats = sorted(each.number for each in _plan(instrument).seats)
    rounds = sorted({each.at_ms // length for each in entries})
    taps: dict[tuple[int, int], list[Entry]] = {}
    for each in entries:
        taps.setdefault((each.seat or 0, each.at_ms // length), []).append(each)
    looks = dict(zip((each.key for each in instrument.codes), FILLS, strict=False))
    by_code = letters(instrument.codes)
    # A seat that was tapped twice in a round counts once there: as what was tapped last.
    counts = {at: Counter(found[-1].code for (_seat, when), found in taps.items() if when == at) for at in rounds}
    for at in rounds:
        _divided(canvas, at * length // MINUTE, counts[at], looks, by_code, len(seats))
    canvas.y += 10
    size = (WIDTH - 34) / _ACROSS
    across = ceil(len(rounds) / max(ceil(len(rounds) / _ACROSS), 1)) or 1
    for start in range(0, len(rounds), across):
        here = rounds[start : start + across]
        for i, at in enumerate(here):
            canvas.text(34 + (i + 0.5) * size, canvas.y + SIZE, str(at * length // MINUTE), "middle")
        canvas.y += 21
        for seat in seats:
            canvas.text(26, canvas.y + 17, str(seat), "end")
            for i, at in enumerate(here):
                if found := taps.get((seat, at)):
                    _square(canvas, 34 + i * size, canvas.y, size, looks[found[-1].code], by_code[found[-1].code])
            canvas.y += 23
        canvas.y += 8
    return Picture(
        instrument.name,
        _sweep_words(instrument, entries, rounds, counts, length),
        tuple(canvas.shapes),
        canvas.y,
        keys(instrument.codes, looks=True),
        _sweep_tables(instrument, seats, rounds, taps, counts, length),
    )


def _divided(
    canvas: Canvas, minute: int, counts: Counter[str], looks: dict[str, str], names: dict[str, str], seats: int
) -> None:
    """A bar of one round, divided by what was seen, with the share where there is room for it; at its end, of how many
    of all seats: a round that was broken off says less."""
    canvas.text(0, canvas.y + 17, Said("axis_minute", {"minute": minute}))
    left, whole, total = 62.0, WIDTH - 62.0 - 48.0, sum(counts.values())
    canvas.text(WIDTH, canvas.y + 17, f"{total}/{seats}", "end")
    for key, look in looks.items():
        part = whole * counts[key] / total
        if not part:
            continue
        canvas.rect(left, canvas.y + 1, part, 22, look)
        said = f"{names[key]} {share(counts[key], total)}%"
        on = "ink" if look == "ink" else "shapes"
        if part >= 64:
            canvas.text(left + part / 2, canvas.y + 17.5, said, "middle", on=on)
        elif part >= 20:
            canvas.text(left + part / 2, canvas.y + 17.5, names[key], "middle", on=on)
        left += part
    canvas.y += 28


def _square(canvas: Canvas, x: float, y: float, size: float, look: str, letter: str) -> None:
    canvas.rect(x + 1, y + 1, size - 2, 21, look)
    canvas.text(x + size / 2, y + 17, letter, "middle", bold=True, on="ink" if look == "ink" else "shapes")


def _sweep_words(
    instrument: Instrument,
    entries: Sequence[Entry],
    rounds: Sequence[int],
    counts: dict[int, Counter[str]],
    length: int,
) -> tuple[Said, ...]:
    found = [Said("rounds", {"count": len(rounds), "entries": len(entries)})]
    # A round that was broken off says nothing of the seats that it did not come to.
    fullest = max((counts[at].total() for at in rounds), default=0)
    compared = [at for at in rounds if counts[at].total() >= _AS_FULL * fullest]
    if left_out := len(rounds) - len(compared):
        found.append(Said("rounds_short", {"count": left_out}))
    for code in instrument.codes:
        shares = [(share(counts[at][code.key], counts[at].total()), at * length // MINUTE) for at in compared]
        if any(percent for percent, _ in shares):
            (least, at_least), (most, at_most) = min(shares), max(shares)
            if len(shares) == 1:
                found.append(Said("share_once", {"code": code.text, "most": most, "most_at": at_most}))
            elif least == most:
                found.append(Said("share_alike", {"code": code.text, "most": most}))
            else:
                values = {"least": least, "most": most, "least_at": at_least, "most_at": at_most}
                found.append(Said("share", {"code": code.text, **values}))
    return tuple(found)


def _sweep_tables(
    instrument: Instrument,
    seats: Sequence[int],
    rounds: Sequence[int],
    taps: dict[tuple[int, int], list[Entry]],
    counts: dict[int, Counter[str]],
    length: int,
) -> tuple[Table, ...]:
    by_code = letters(instrument.codes)
    divided = tuple(
        Line(
            (
                Said("axis_minute", {"minute": at * length // MINUTE}),
                *(
                    f"{counts[at][code.key]} ({share(counts[at][code.key], sum(counts[at].values()))}%)"
                    for code in instrument.codes
                ),
            )
        )
        for at in rounds
    )
    by_seat = tuple(
        Line(
            (
                Said("seat", {"number": seat}),
                *(", ".join(by_code[each.code] for each in taps.get((seat, at), [])) for at in rounds),
            ),
            ids(each for at in rounds for each in taps.get((seat, at), [])),
        )
        for seat in seats
    )
    minutes = tuple(Said("axis_minute", {"minute": at * length // MINUTE}) for at in rounds)
    return (
        Table(Said("table_rounds"), (Said("head_round"), *(each.text for each in instrument.codes)), divided),
        Table(Said("table_seats"), (Said("head_seat"), *minutes), by_seat),
    )


def flow(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Who speaks to whom: a plan for each kind of turn, with an arrow from seat to seat, thicker for more."""
    del total_ms
    canvas = Canvas()
    plan = _plan(instrument)
    turns: dict[tuple[int, int, str], list[Entry]] = {}
    for each in entries:
        turns.setdefault((each.seat or 0, each.to_seat or 0, each.code), []).append(each)
    most = max((len(found) for found in turns.values()), default=1)
    for code in instrument.codes:
        here = {(a, b): len(found) for (a, b, key), found in turns.items() if key == code.key}
        if not here and code != instrument.codes[0]:
            continue
        canvas.text(0, canvas.y + SIZE, code.text, bold=True)
        canvas.y += 22
        drawn = room.place(canvas, plan)
        room.floor(canvas, drawn)
        _arrows(canvas, drawn, {pair: count for pair, count in here.items() if pair[1] != CLASS}, most)
        to_class = sum(count for (_from, to), count in here.items() if to == CLASS)
        if to_class:
            canvas.text(0, canvas.y + SIZE, Said("to_class", {"count": to_class}))
            canvas.y += 22
        canvas.y += 8
    text = {each.key: each.text for each in instrument.codes}
    lines = tuple(
        # By seats, not by how often: nobody stands above others.
        Line((room.who(a), room.who(b), text[c], len(turns[a, b, c])), ids(turns[a, b, c]))
        for a, b, c in sorted(turns)
    )
    heads = (Said("head_from"), Said("head_to"), Said("head_kind"), Said("head_count"))
    spoke = {each.seat for each in entries if each.seat != TEACHER}
    pupils = sum(each.seat != TEACHER and (each.to_seat or 0) > 0 for each in entries)
    return Picture(
        instrument.name,
        (
            Said("turns", {"count": len(entries)}),
            Said("seats_spoke", {"count": len(spoke), "of": len(plan.seats)}),
            Said("teacher_spoke", {"count": sum(each.seat == TEACHER for each in entries)}),
            Said("among_pupils", {"count": pupils}),
        ),
        tuple(canvas.shapes),
        canvas.y,
        tables=(Table(Said("table_flow"), heads, lines),),
    )


def _arrows(canvas: Canvas, drawn: room.Room, counts: dict[tuple[int, int], int], most: int) -> None:
    """Arrows under the seats, and the numbers of the thickest over them."""
    order = sorted(counts, key=lambda pair: (counts[pair], pair))
    middles: list[tuple[Point, int]] = []
    for pair in order:
        points = _bent(drawn.seat(pair[0]), drawn.seat(pair[1]), drawn)
        canvas.arrow(points, 1 + 4 * counts[pair] / max(most, 8))
        # Nearer to the pupil's end, where arrows of the teacher lie apart.
        middles.append((_on(points, {pair[0]: 0.65, pair[1]: 0.35}.get(TEACHER, 0.5)), counts[pair]))
    room.seats(canvas, drawn)
    for (x, y), count in reversed(middles[-_LABELLED:]):
        if count > 1:
            canvas.label(x, y, str(count))


def _bent(start: Point, end: Point, drawn: room.Room) -> tuple[Point, Point, Point]:
    """A curve from one seat to another that passes on its left, so that the way back has a curve of its own."""
    (ax, ay), (bx, by) = start, end
    dx, dy = bx - ax, by - ay
    length = max(sqrt(dx * dx + dy * dy), 1)
    bend = max(0.14 * length, 0.4 * drawn.unit)
    cx = min(max((ax + bx) / 2 + bend * dy / length, 4), WIDTH - 4)
    cy = min(max((ay + by) / 2 - bend * dx / length, drawn.top - 26), drawn.bottom - 2)
    return _towards(start, (cx, cy), drawn.radius), (cx, cy), _towards(end, (cx, cy), drawn.radius + 1)


def _on(points: tuple[Point, Point, Point], part: float) -> Point:
    """The point of a curve so far along it, from 0 to 1."""
    (ax, ay), (cx, cy), (bx, by) = points
    left = 1 - part
    return (
        left * left * ax + 2 * left * part * cx + part * part * bx,
        left * left * ay + 2 * left * part * cy + part * part * by,
    )


def _towards(start: Point, end: Point, far: float) -> Point:
    (ax, ay), (bx, by) = start, end
    length = max(sqrt((bx - ax) ** 2 + (by - ay) ** 2), 1)
    return ax + (bx - ax) * far / length, ay + (by - ay) * far / length


def path(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """Where the teacher goes: the path, and a circle at each place, larger for longer."""
    del total_ms  # When the last one ended, nobody noted.
    canvas = Canvas()
    plan = _plan(instrument)
    drawn = room.place(canvas, plan, named=True)
    room.floor(canvas, drawn)
    stays: dict[str, list[Entry]] = {}
    for each in entries:
        stays.setdefault(plan.place(each.x or 0, each.y or 0), []).append(each)
    ms = _lasting(entries)
    known = {name: _known(found, ms) for name, found in stays.items()}
    lasting = {name: sum(found) for name, found in known.items()}
    longest = max(lasting.values(), default=0) or 1
    spots = {name: _middle(drawn, found) for name, found in stays.items()}
    # One line for all ways between two places, thicker for more: an hour of single lines is a tangle.
    went = [plan.place(each.x or 0, each.y or 0) for each in entries]
    ways = Counter(tuple(sorted(pair)) for pair in pairwise(went) if pair[0] != pair[1])
    for (one, other), count in ways.items():
        canvas.path([spots[one], spots[other]], 0.8 + 3 * count / max(*ways.values(), 8))
    room.tables(canvas, drawn)
    order = sorted(lasting, key=lambda name: (-lasting[name], name))
    largest = _round(drawn)
    for name, (x, y) in spots.items():
        canvas.circle(x, y, largest * (0.3 + 0.7 * sqrt(lasting[name] / longest)), "ink")
    timed = [name for name in order if known[name]]
    for name in timed[:_TIMED]:
        x, y = spots[name]
        away = largest + 0.5 * SIZE
        canvas.label(x, y + away if y + away + SIZE < drawn.bottom else y - away, clock(lasting[name]))
    lines = tuple(
        Line(
            (name, _near(plan, name), len(stays[name]), _together(known[name]), clock(stays[name][0].at_ms)),
            ids(stays[name]),
        )
        for name in order
    )
    heads = (Said("head_place"), Said("head_near"), Said("head_times"), Said("head_lasting"), Said("head_first"))
    words = [Said("places", {"count": len(lasting), "moves": len(entries)})]
    for name in timed[:3]:
        near = _seat_near(plan, name)
        values = {"place": name, "lasting": clock(lasting[name])}
        words.append(Said("stayed", values) if near is None else Said("stayed_near", {**values, "number": near}))
    seats = {_seat_near(plan, name) for name in lasting} - {None}
    if plan.seats:
        words.append(Said("seats_near", {"count": len(seats), "of": len(plan.seats)}))
    words += _open_end(entries)
    return Picture(
        instrument.name,
        tuple(words),
        tuple(canvas.shapes),
        canvas.y,
        tables=(Table(Said("table_places"), heads, lines),),
    )


def _middle(drawn: room.Room, entries: Sequence[Entry]) -> Point:
    """Between all points that were tapped in a place, as far from the walls as the largest circle is wide."""
    number = len(entries)
    x, y = drawn.at(sum(each.x or 0 for each in entries) / number, sum(each.y or 0 for each in entries) / number)
    r = _round(drawn)
    return min(max(x, r), WIDTH - r), min(max(y, drawn.top + r), drawn.bottom - r)


def _round(drawn: room.Room) -> float:
    """Radius of the circle where the teacher stayed longest."""
    return min(0.4 * drawn.unit, 13)


def _seat_near(plan: Plan, name: str) -> int | None:
    """The seat in a place, or the nearest one at most one place away."""
    x, y = ord(name[0]) - ord("A"), int(name[1:]) - 1
    near = [(max(abs(s.x - x), abs(s.y - y)), abs(s.x - x) + abs(s.y - y), s.number) for s in plan.seats]
    return min(near)[2] if near and min(near)[0] <= 1 else None


def _near(plan: Plan, name: str) -> Cell:
    seat = _seat_near(plan, name)
    return "" if seat is None else Said("seat", {"number": seat})


def turns(instrument: Instrument, entries: Sequence[Entry], total_ms: int) -> Picture:
    """How talk is spread: a curve over the seats, bars for front, middle and back, and how pupils came to speak."""
    del total_ms  # When the last one ended, nobody noted.
    canvas = Canvas()
    plan = _plan(instrument)
    ms = _lasting(entries)
    of: dict[int, list[Entry]] = {number: [] for number in (TEACHER, *(each.number for each in plan.seats))}
    for each in entries:
        of[each.seat or 0].append(each)
    counts = {seat.number: len(of[seat.number]) for seat in plan.seats}
    zones = _zones(plan)
    if any(counts.values()):
        _curve(canvas, sorted(counts.values()))
    in_zone = {zone: sum(counts[each.number] for each in found) for zone, found in zones.items()}
    if zones:
        canvas.text(0, canvas.y + SIZE, Said("by_zone"), bold=True)
        canvas.y += 24
    bars(canvas, [(Said(f"zone_{zone}", {"count": len(zones[zone])}), number) for zone, number in in_zone.items()])
    ways = Counter(each.code for each in entries if each.code)
    canvas.text(0, canvas.y + SIZE, Said("by_way"), bold=True)
    canvas.y += 24
    bars(canvas, [(each.text, ways[each.key]) for each in instrument.codes])
    where = {each.number: zone for zone, found in zones.items() for each in found}
    lines = tuple(
        Line(
            (
                room.who(number),
                Said(f"in_{where[number]}") if number in where else "",
                len(found),
                _together(_known(found, ms)) if found else clock(0),
                *(sum(each.code == code.key for each in found) for code in instrument.codes),
            ),
            ids(found),
        )
        for number, found in sorted(of.items())
        if number != TEACHER or found
    )
    heads: tuple[Cell, ...] = (
        Said("head_seat"), Said("head_zone"), Said("head_turns"), Said("head_lasting"),
        *(each.text for each in instrument.codes),
    )  # fmt: skip
    return Picture(
        instrument.name,
        (*_turn_words(counts, in_zone, zones), *_open_end(entries)),
        tuple(canvas.shapes),
        canvas.y,
        tables=(Table(Said("table_turns"), heads, lines),),
    )


def _turn_words(counts: dict[int, int], in_zone: dict[str, int], zones: dict[str, list[Seat]]) -> tuple[Said, ...]:
    total, spoke = sum(counts.values()), sum(1 for count in counts.values() if count)
    words = [Said("turns", {"count": total}), Said("seats_spoke", {"count": spoke, "of": len(counts)})]
    if total:
        half, seats = 0, 0
        for count in sorted(counts.values(), reverse=True):
            if 2 * half >= total:
                break
            half, seats = half + count, seats + 1
        words += [Said("half_of_turns", {"count": seats, "of": len(counts)}), Said("as_many")]
    words += [Said(f"words_{zone}", {"count": number, "seats": len(zones[zone])}) for zone, number in in_zone.items()]
    return tuple(words)


def _zones(plan: Plan) -> dict[str, list[Seat]]:
    """The seats in the front, in the middle and in the back, by their rows; nothing else about pupils is known."""
    rows = sorted({each.y for each in plan.seats})
    if len(rows) < 2:
        return {}
    names = ("front", "back") if len(rows) == 2 else ("front", "middle", "back")
    found: dict[str, list[Seat]] = {name: [] for name in names}
    for seat in plan.seats:
        found[names[rows.index(seat.y) * len(names) // len(rows)]].append(seat)
    return found


def _curve(canvas: Canvas, counts: Sequence[int]) -> None:
    """Seats from the fewest turns to the most, and the share of turns that they had together."""
    canvas.text(0, canvas.y + SIZE, Said("axis_turns"))
    left, top, size = 52.0, canvas.y + 26, 240.0
    bottom = top + size
    total = sum(counts)
    canvas.rect(left, top, size, size, "clear")
    for percent in (0, 25, 50, 75, 100):
        y = bottom - size * percent / 100
        canvas.path([(left - 4, y), (left, y)], 0.8)
        canvas.text(left - 7, y + 5.5, f"{percent}%", "end")
    canvas.path([(left, bottom), (left + size, top)], 1, dashed=True)
    points = [(left, bottom)]
    soon = 0
    for i, count in enumerate(counts, 1):
        soon += count
        points.append((left + size * i / len(counts), bottom - size * soon / total))
    canvas.path(points, 3)
    for x, y in points[1:] if len(points) < 14 else ():
        canvas.circle(x, y, 3.5, "ink")
    step = ceil(len(counts) / 5)
    for seats in range(step, len(counts) + 1, step):
        x = left + size * seats / len(counts)
        canvas.path([(x, bottom), (x, bottom + 4)], 0.8)
        canvas.text(x, bottom + 20, str(seats), "middle")
    canvas.text(left, bottom + 40, Said("axis_seats"))
    canvas.y = bottom + 54


def _lasting(entries: Sequence[Entry]) -> dict[Id, int]:
    """Entry → thousandths of a second to the next one. The last one is not in it: when it ended nobody noted, and the
    lesson may have gone on for long."""
    return {each.id: after.at_ms - each.at_ms for each, after in pairwise(entries)}


def _known(entries: Sequence[Entry], lasting: Mapping[Id, int]) -> list[int]:
    return [lasting[each.id] for each in entries if each.id in lasting]


def _together(lasting: Sequence[int]) -> Cell:
    return clock(sum(lasting)) if lasting else Said("not_known")


def _open_end(entries: Sequence[Entry]) -> list[Said]:
    return [Said("open_end", {"at": clock(each.at_ms)}) for each in entries[-1:]]


def _plan(instrument: Instrument) -> Plan:
    return instrument.plan or Plan(1, 1)
