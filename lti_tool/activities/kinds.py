"""The kinds of activities: what teachers do in one. A further kind is one more entry here, and its page in web/home.py.

Pure, like the rules: nothing of the web or the database.
"""

from dataclasses import dataclass
from typing import Literal

from lti_tool.protocols.reader import shipped
from lti_tool.protocols.recipe import Protocol


@dataclass(frozen=True, slots=True)
class Kind:
    """What teachers do in an activity."""

    key: str
    """As Activity.kind keeps it."""
    protocols: Literal["coaching", "alone", "group", "none"]
    """Among which a trainer chooses: those for two, for one teacher alone, for a group, or none at all."""
    default_protocol: str
    """Key of the one that is chosen until a trainer chooses; empty where there is none."""


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        # A coaching cycle of two teachers, and the next ones of the same pair.
        Kind("cycle", "coaching", "light"),
        # Teachers find a partner once, for all coaching cycles that take their pairs from here.
        Kind("pairing", "none", ""),
        # Groups of three to eight that teachers form themselves, and the cycles of each.
        Kind("group", "group", "consultancy"),
        # A reflection of one's own, without a partner, for example at the end of a term.
        Kind("reflection", "alone", "reflection"),
    )
}
"""Key → kind, in the order in which they are offered."""


def kind_of(key: str) -> Kind:
    """The kind of that key; a coaching cycle for one that is not known."""
    return KINDS.get(key, KINDS["cycle"])


def protocols_for(key: str) -> tuple[str, ...]:
    """Keys of the protocols that fit a kind of activity, in the order in which they are offered; the default first."""
    kind = kind_of(key)
    if kind.protocols == "none":
        return ()
    fitting = [each.key for each in shipped().values() if fits(key, each)]
    return tuple(sorted(fitting, key=lambda each: each != kind.default_protocol))


def fits(key: str, protocol: Protocol) -> bool:
    """Whether a protocol can be followed in a kind of activity."""
    kind = kind_of(key)
    if protocol.alone:
        return kind.protocols == "alone"
    return kind.protocols == ("group" if protocol.is_for_group else "coaching")
