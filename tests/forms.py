"""The form that an LMS's page sends by itself, read as a browser reads it."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """The first form of a page: where it goes, how, and the hidden fields with it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = self.method = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action, self.method = values.get("action", ""), values.get("method", "")
        if tag == "input" and values.get("type") == "hidden":
            self.fields[values["name"]] = values["value"]
