"""Whether those who follow a protocol can get to its end: asked of what is brought, changed or given out from now on.

Not by the reader: versions that were given out before stay readable.
"""

from collections.abc import Iterator

from lti_tool.protocols.recipe import Protocol, Stage

Place = tuple[str | int, ...]
_OF_PAIR = {"host", "coach"}


def obstacles(protocol: Protocol) -> Iterator[tuple[Place, str]]:
    """Where nobody could go on, and what to do about it."""
    if not protocol.alone and not protocol.is_for_group and set(protocol.roles) != _OF_PAIR:
        yield ("roles",), "two people are host and coach. Say `roles: [host, coach]`, or give a group more room."
    # A group goes on as long as the host and one other are there, and that one takes over what is lost: see
    # cycles/rules.py, roles_to_take_over.
    leading = {"coach", "keeper"} & set(protocol.roles)
    sure = {"host", "both", "each", *(leading if len(leading) == 1 else ())}
    for i, stage in enumerate(protocol.stages):
        if stage.kind == "visit" and "visit" not in stage.meetings:
            yield ("stages", i, "meetings"), "a visit is arranged in its stage. Add `meetings: [visit]`."
        for place, role in _needed(protocol, stage):
            if role not in sure:
                yield (
                    ("stages", i, *place),
                    f"nobody goes on without the {role} here, and there may be none: people leave a group. Let it "
                    f"rest on one of: {', '.join(each for each in protocol.roles if each in sure)}, both.",
                )
        for j, gate in enumerate(stage.gates):
            if gate.needs == "meeting" and gate.of not in stage.meetings:
                yield (
                    ("stages", i, "gates", j),
                    f"no meeting {gate.of!r} is arranged in this stage. Add it to `meetings`, or remove the gate.",
                )


def _needed(protocol: Protocol, stage: Stage) -> Iterator[tuple[Place, str]]:
    """(place, role) of each role, `both` or `each` without whom a stage cannot be closed."""
    if stage.first_turn:
        yield ("first_turn",), stage.first_turn
    texts = [
        *((("gates", j), gate.of) for j, gate in enumerate(stage.gates) if gate.needs == "text"),
        *((("agreements", j), key) for j, agreement in enumerate(stage.agreements) for key in agreement.fields),
    ]
    for place, key in texts:
        if field := protocol.field(key):
            yield place, field.by
