# Types of what is used of Flask-Babel, which ships none.
from collections.abc import Callable

from babel import Locale
from babel.support import NullTranslations
from flask import Flask

class Babel:
    def __init__(
        self,
        app: Flask,
        *,
        locale_selector: Callable[[], str | None] | None = None,
        timezone_selector: Callable[[], str | None] | None = None,
    ) -> None: ...

# None only outside a request, where nothing here asks.
def get_locale() -> Locale: ...
def get_translations() -> NullTranslations: ...
def gettext(string: str, **variables: object) -> str: ...
def ngettext(singular: str, plural: str, num: int, **variables: object) -> str: ...
