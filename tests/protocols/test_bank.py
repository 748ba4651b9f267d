"""The prompt bank carries every kind of prompt for every stage in both languages, and can be chosen from."""

from pathlib import Path

import pytest

from lti_tool.protocols.bank import STAGES, bank, by_kind, chosen, load, place_of
from lti_tool.protocols.reader import ProtocolError, shipped
from lti_tool.protocols.recipe import PILLARS, PROMPT_KINDS

ONE = """\
prompts:
  - stage: before
    kind: belief
    text: {en: Why, ga: Cén fáth}
strategies:
  - key: talk
    outcome: {en: Talk, ga: Caint}
    ways:
      - {key: twos, title: {en: In twos, ga: I mbeirteanna}, text: {en: First, ga: Ar dtús}}
"""


def test_there_is_enough_of_every_kind_to_choose_from() -> None:
    prompts = bank().prompts
    assert len(prompts) >= 60
    assert {each.prompt.kind for each in prompts} == set(PROMPT_KINDS)
    assert {each.stage for each in prompts} == set(STAGES)
    assert {each.prompt.pillar for each in prompts} == {"", *PILLARS}
    for stage in STAGES:
        light, full = chosen(prompts, stage=stage, guide="light"), chosen(prompts, stage=stage)
        assert 2 <= len(light) < len(full), "the full guide has more than the light one"
    for stage in ("start", "before", "after", "reflect"):
        assert chosen(prompts, stage=stage, kind="belief"), "R70"
    assert len(chosen(prompts, kind="paraphrase")) >= 3 and len(chosen(prompts, kind="data")) >= 3


def test_what_is_in_the_bank_is_not_in_a_protocol_already() -> None:
    used = {p.text.en for each in shipped().values() for stage in each.stages for p in stage.all_prompts}
    assert not used & {each.prompt.text.en for each in bank().prompts}


def test_strategies_are_grouped_by_what_they_are_for() -> None:
    outcomes = bank().strategies
    assert sum(len(each.ways) for each in outcomes) >= 20
    assert all(len(each.ways) >= 2 for each in outcomes)


def test_the_bank_can_be_chosen_from_by_every_tag() -> None:
    prompts = bank().prompts
    some = chosen(prompts, stage="after", kind="cause", guide="full", pillar="technology")
    assert some and all(
        (each.stage, each.prompt.kind, each.prompt.guide, each.prompt.pillar)
        == ("after", "cause", "full", "technology")
        for each in some
    )
    assert chosen(prompts) == prompts
    assert sum(len(each) for each in by_kind(prompts).values()) == len(prompts)
    assert all(each.prompt.kind == kind for kind, group in by_kind(prompts).items() for each in group)


@pytest.mark.parametrize(
    ("protocol", "places"),
    [
        ("collegial", "start before visit after reflect"),
        ("light", "start before after reflect"),
        ("reflection", "reflect"),
    ],
)
def test_a_stage_is_offered_what_helps_in_it(protocol: str, places: str) -> None:
    found = shipped()[protocol]
    assert [place_of(found, stage) for stage in found.stages] == places.split()


@pytest.mark.parametrize(
    ("was", "becomes", "line", "says"),
    [
        ("stage: before", "stage: later", 2, "Choose one of: start, before"),
        ("kind: belief", "kind: riddle", 3, "Choose one of: belief"),
        ("    kind: belief\n", "", 2, "'kind' is missing"),
        ("ga: Cén fáth", "gd: Carson", 4, "text in ga is missing"),
        ("key: twos", "key: In twos", 9, "is not a key"),
        ("    ways:\n", "    way:\n", 8, "'way' is not known here"),
        ("strategies:", "strategy:", 5, "not known here"),
    ],
)
def test_what_is_wrong_with_a_bank_is_said(tmp_path: Path, was: str, becomes: str, line: int, says: str) -> None:
    file = tmp_path / "bank.yaml"
    file.write_text(ONE, "utf-8")
    assert len(load(file).prompts) == 1
    assert was in ONE
    file.write_text(ONE.replace(was, becomes, 1), "utf-8")
    with pytest.raises(ProtocolError) as caught:
        load(file)
    said = str(caught.value).splitlines()
    assert any(each.startswith(f"bank.yaml, line {line}:") and says in each for each in said), said
