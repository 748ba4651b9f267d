"""Every address of the tool, from its routing table, so that a new one is looked at by itself."""

import re
from collections.abc import Iterator

from flask import Flask

PLACES = {"kind": "visit", "stage_key": "before", "field_key": "goal", "item": "goal", "role": "facilitator"}
"""Of the places of an address, those that are words; the others stand for ids that nobody has."""


def addresses(
    app: Flask, beginning: str = "/", at: str = "/at/none", visit: str = "/school/none"
) -> Iterator[tuple[str, str]]:
    """(method, path) of each route whose rule has this beginning, but for HEAD and OPTIONS.

    `at` and `visit` are the beginnings of a sign-in's and of a visit's pages.
    """
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if not rule.rule.startswith(beginning):
            continue
        path = rule.rule.replace("/at/<handle>", at).replace("/school/<visit>", visit)
        path = re.sub(
            r"<(?:(\w+):)?(\w+)>", lambda found: "1" if found[1] == "int" else PLACES.get(found[2], "0" * 16), path
        )
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path
