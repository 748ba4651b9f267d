"""Draws pictures as a page does, without an application around it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from flask import Flask, get_template_attribute
from flask_babel import Babel

from lti_tool.observation import words
from lti_tool.observation.pictures.shapes import Line, Picture

_ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """While it lasts, `words.say` speaks this language."""
    app = Flask(__name__, template_folder=str(_ROOT / "templates"))
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(_ROOT / "lti_tool" / "translations")
    Babel(app, locale_selector=lambda: language)
    with app.test_request_context():
        yield


def figure(picture: Picture, caller: Callable[[Line], str] | None = None) -> ElementTree.Element:
    """The figure of a picture, read again by an XML parser; `caller`: what a page adds to a row of a table."""
    show = get_template_attribute("observation/picture.html", "show")
    return ElementTree.fromstring(show(picture, words.say, "p1", **({"caller": caller} if caller else {})))
