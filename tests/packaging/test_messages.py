"""The check of translations notices what a translator or a programmer forgets."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog

_spec = importlib.util.spec_from_file_location("meitheal_messages", Path(__file__).with_name("messages.py"))
assert _spec and _spec.loader
messages: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(messages)


@pytest.fixture
def texts() -> Catalog:
    catalog = Catalog()
    catalog.add("Hello %(name)s", locations=[("a.py", 0)])
    catalog.add(("%(num)d teacher", "%(num)d teachers"), locations=[("a.py", 0)])
    return catalog


def write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *entries: str) -> None:
    monkeypatch.setattr(messages, "TRANSLATIONS", tmp_path)
    file = messages.po_file("ga")
    file.parent.mkdir(parents=True, exist_ok=True)
    head = (
        'msgid ""\nmsgstr ""\n"Language: ga\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Plural-Forms: nplurals=5; plural=(n==1 ? 0 : n==2 ? 1 : n>=3 && n<=6 ? 2 : n>=7 && n<=10 ? 3 : 4);\\n"\n'
    )
    file.write_text("\n".join([head, *entries]), "utf-8")


HELLO = '#, python-format\nmsgid "Hello %(name)s"\nmsgstr "Dia duit, %(name)s"\n'
TEACHERS = '#, python-format\nmsgid "%(num)d teacher"\nmsgid_plural "%(num)d teachers"\n' + "".join(
    f'msgstr[{form}] "%(num)d múinteoir"\n' for form in range(5)
)


def test_complete_translations_have_no_problems(
    texts: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(monkeypatch, tmp_path, HELLO, TEACHERS)
    assert list(messages.problems("ga", texts)) == []


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([HELLO], "is missing"),
        ([HELLO.replace("Dia duit, %(name)s", ""), TEACHERS], "has no translation"),
        ([HELLO.replace("#, ", "#, fuzzy, "), TEACHERS], "fuzzy"),
        ([HELLO.replace("Dia duit, %(name)s", "Dia duit, %(ainm)s"), TEACHERS], "ainm"),
        ([HELLO, TEACHERS.replace('msgstr[3] "%(num)d múinteoir"', 'msgstr[3] ""')], "has no translation"),
        ([HELLO, TEACHERS, 'msgid "Gone"\nmsgstr "Imithe"\n'], "not a text of the program any more"),
    ],
)
def test_what_is_forgotten_is_named(
    texts: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, entries: list[str], said: str
) -> None:
    write(monkeypatch, tmp_path, *entries)
    found = list(messages.problems("ga", texts))
    assert len(found) == 1
    assert said in found[0]


def test_an_update_adds_and_drops_and_keeps_what_is_translated(
    texts: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(monkeypatch, tmp_path, HELLO, 'msgid "Gone"\nmsgstr "Imithe"\n')
    messages.update("ga", texts)
    written = messages.po_file("ga").read_text("utf-8")
    assert "Dia duit" in written
    assert "Gone" not in written
    assert len(list(messages.problems("ga", texts))) == 1
    assert messages.po_file("ga").with_suffix(".mo").exists()
    messages.update("ga", texts)
    assert messages.po_file("ga").read_text("utf-8") == written


def test_texts_of_python_and_templates_are_gathered() -> None:
    gathered = messages.gathered()
    places = {location.split("/")[0] for message in gathered for location, _line in message.locations}
    assert places == {"lti_tool", "moodle_sync", "templates"}
    assert not [location for message in gathered for location, _line in message.locations if "sandbox" in location]
