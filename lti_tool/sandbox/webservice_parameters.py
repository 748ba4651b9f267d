"""Parameters of Moodle's web services: how PHP reads them from a form, and how strictly Moodle looks at them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from lti_tool.sandbox.errors import WebServiceRefusal

_REQUIRED = object()
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_TAG = re.compile(r"<[a-zA-Z/!?]")


@dataclass(frozen=True)
class Value:
    """A number, a text without tags, a text with anything in it, or a yes or no."""

    kind: Literal["int", "text", "raw", "bool"]
    default: Any = _REQUIRED


@dataclass(frozen=True)
class Many:
    of: "Spec"
    default: Any = _REQUIRED


@dataclass(frozen=True)
class One:
    keys: dict[str, "Spec"]
    default: Any = _REQUIRED


Spec = Value | Many | One
INT, TEXT, RAW, BOOL = Value("int"), Value("text"), Value("raw"), Value("bool")


def refused_parameter() -> WebServiceRefusal:
    """What Moodle says of whatever is wrong with a value; the reason is told to developers only."""
    return WebServiceRefusal("invalid_parameter_exception", "invalidparameter", "Invalid parameter value detected")


def nested(form: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`users[0][id]=3` as `{"users": {"0": {"id": "3"}}}`."""
    found: dict[str, Any] = {}
    for name, value in form:
        matched = _NAME.fullmatch(name)
        if not matched:
            continue
        *path, last = [matched[1], *re.findall(r"\[([^\[\]]*)\]", matched[2])]
        place = found
        for key in path:
            inner = place.setdefault(key or str(len(place)), {})
            if not isinstance(inner, dict):
                inner = place[key] = {}
            place = inner
        place[last or str(len(place))] = value
    return found


def checked(spec: Spec, value: Any) -> Any:
    """`value` as `spec` says; raises WebServiceRefusal for what is missing, unknown, or of another kind."""
    if isinstance(spec, One):
        if not isinstance(value, dict) or set(value) - set(spec.keys):
            raise refused_parameter()
        return {name: _member(inner, name, value) for name, inner in spec.keys.items()}
    if isinstance(spec, Many):
        if not isinstance(value, dict):
            raise refused_parameter()
        return [checked(spec.of, inner) for inner in value.values()]
    return _single(spec.kind, value)


def _member(spec: Spec, name: str, value: dict[str, Any]) -> Any:
    if name in value:
        return checked(spec, value[name])
    if spec.default is _REQUIRED:
        raise refused_parameter()
    return spec.default


def _single(kind: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise refused_parameter()
    if kind == "int":
        if not re.fullmatch(r"-?\d{1,18}", value):
            raise refused_parameter()
        return int(value)
    if kind == "bool":
        if value not in ("0", "1", "true", "false"):
            raise refused_parameter()
        return value in ("1", "true")
    if kind == "text" and _TAG.search(value):
        raise refused_parameter()
    return value
