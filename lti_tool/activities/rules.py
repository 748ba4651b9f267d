"""What a trainer may write into an activity: values in, values out."""

from enum import StrEnum

MAX_PURPOSE = 2000
"""Characters of the purpose; as wide as its column."""


class Problem(StrEnum):
    """What is wrong with a set-up form."""

    NO_PROTOCOL = "no protocol"
    LONG_PURPOSE = "long purpose"


def problems(protocol: str, purpose: str, known: tuple[str, ...]) -> list[Problem]:
    """What has to be corrected before an activity can be opened; `known` are the keys of the protocols."""
    found = []
    if protocol not in known:
        found.append(Problem.NO_PROTOCOL)
    if len(purpose) > MAX_PURPOSE:
        found.append(Problem.LONG_PURPOSE)
    return found
