"""The time zones that people can choose."""

from itertools import groupby
from zoneinfo import available_timezones

_REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


def _region(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""


_OFFERED = frozenset(name for name in available_timezones() if _region(name) in _REGIONS)

ZONES: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (region, tuple(names)) for region, names in groupby(sorted(_OFFERED), _region)
)
"""(Region, IANA names in it): those that say where they are, without the abbreviations of old systems."""


def is_zone(name: str) -> bool:
    """Whether this is one of ZONES."""
    return name in _OFFERED
