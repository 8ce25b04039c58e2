"""The report of replays: it parses, says the same in both languages, and its plot tells zero from everything."""

import json
import re
import string
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from makegood.errors import Problem
from makegood.replay.generator import generate
from makegood.replay.guards import all_runs
from makegood.replay.load import load_scenario, scenario_ids
from makegood.replay.outcome import Granted, Outcome
from makegood.replay.replayed import Replayed
from makegood.replay.report.folder import write_report
from makegood.replay.report.plot import ladder, plot
from makegood.replay.report.words import FILES, Reader, words
from makegood.replay.tell import summary

WITNESS = {"words": {"en": "a <b>small</b> payment", "zh-CN": "一笔小额支付"}, "payment": {}, "discount_minor": 1}
GRANTS = {4: 0, 3: 0, 2: 12, 1: 60, 0: 900}  # By how many guards are left.


def made(name: str) -> Replayed:
    """What a replay with every guard would come to."""
    scenario = load_scenario(name)
    outcomes = []
    for run in all_runs():
        by = next(bound.by for bound in scenario.bounds if bound.guard == "proof")
        proved = "proof" in run.guards
        row = {"obligation": by, "verdict": "refuted", "witness": WITNESS}
        count = 0 if proved or "collar" in run.guards else GRANTS[len(run.guards)]
        grants = tuple(Granted(n * scenario.seconds / 1_000, n, 900) for n in range(1, count + 1))
        outcomes.append(Outcome(run, 100, grants, 900 * count, refused=(row,) if proved else (), stop_answer="stopped"))
    return Replayed(scenario, generate(scenario, 1)[:50], outcomes, ())


class Read(HTMLParser):
    """Elements that were opened and not closed, ids, scripts, and what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.tags.add(tag)
        self.ids += [held["id"] or ""] if "id" in held else []
        self.loads += [held[key] or "" for key in ("src", "href") if key in held]
        assert not [name for name in held if name.startswith("on") or name == "style"]
        if tag not in {"meta", "br", "link"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Replayed], dict[str, Any]]:
    replays = [made(name) for name in scenario_ids()]
    value = summary("all", replays, seed=1, seconds=2.0, as_published=False)
    return write_report(replays, value, tmp_path_factory.mktemp("replays") / "report"), replays, value


@pytest.mark.parametrize("language", FILES)
def test_a_page_parses_asks_nobody_and_runs_no_script(
    written: tuple[Path, list[Replayed], dict[str, Any]], language: str
) -> None:
    text = (written[0] / FILES[language]).read_text(encoding="utf-8")
    page = Read()
    page.feed(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)) and set(scenario_ids()) <= set(page.ids)
    assert not page.tags & {"script", "img", "iframe", "link"}
    assert set(page.loads) == {"data.json", next(name for other, name in FILES.items() if other != language)}
    assert "<b>small</b>" not in text
    for name in scenario_ids():
        assert load_scenario(name).title[language] in text
    assert text.count("<li>~") == sum(len(load_scenario(name).guesses) for name in scenario_ids())


def test_the_data_beside_the_page_is_what_scripts_read(written: tuple[Path, list[Replayed], dict[str, Any]]) -> None:
    folder, replays, value = written
    read = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    assert read == json.loads(json.dumps(value))
    assert len(read["rows"]) == 8 * len(replays)
    keys = {"id", "guards", "wrong_granted", "wrong_minor", "stopped_by", "payments_to_stop", "seconds_to_stop"}
    assert all(keys | {"stopped_before_publish", "bound", "beyond_bound"} <= row.keys() for row in read["rows"])
    assert sorted(path.name for path in folder.iterdir()) == ["data.json", *sorted(FILES.values())]


def test_the_ladder_is_drawn_with_the_most_guards_first() -> None:
    assert [len(outcome.run.guards) for outcome in ladder(made("jd-2020-01").outcomes)] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("language", FILES)
def test_zero_a_dozen_a_first_stage_and_everything_lie_far_apart_in_the_plot(language: str) -> None:
    replayed = made("alipay-2025-01-16")
    svg = ElementTree.fromstring(plot(replayed, Reader(language)))
    paths = [one for one in svg.iter("{http://www.w3.org/2000/svg}path") if "curve" in (one.get("class") or "")]
    zero = [one for one in svg.iter("{http://www.w3.org/2000/svg}line") if one.get("class") == "curve good"]
    ends = [float(re.findall(r"V([\d.]+)", one.get("d") or "")[-1]) for one in paths]
    heights = sorted([float(zero[0].get("y1") or 0), *ends], reverse=True)
    assert len(heights) == 4
    assert all(low - high > 20 for low, high in pairwise(heights))
    labels = [one for one in svg.iter("{http://www.w3.org/2000/svg}text") if one.get("class") == "value"]
    places = sorted(float(one.get("y") or 0) for one in labels)
    assert all(b - a >= 33 for a, b in pairwise(places))
    assert next(one.text for one in labels) == "0"


def test_both_languages_have_every_text_with_the_same_places() -> None:
    english, chinese = (words(language) for language in FILES)
    assert english.keys() == chinese.keys()
    for key in english:
        assert _places(english[key]) == _places(chinese[key]), key


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(Problem, match="not an empty folder"):
        write_report([], {}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
