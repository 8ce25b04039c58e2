"""Both catalogues hold every text of the console, whole, with the same places to fill in."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir

from makegood.domain.review import Review, Scope, State
from makegood.web.console.language import LANGUAGES, LOCALE_FOLDER, catalogue, translate_count
from makegood.web.console.speech import Speech
from makegood.web.console.words import EVENT_WORDS, SCOPE_WORDS, STATE_WORDS, missing_words
from makegood.web.problems import KINDS

WEB = LOCALE_FOLDER.parent
METHODS = [("console/**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS: Mapping[str, Any] = {"_": None, "gettext": None, "mark": None, "ngettext": (1, 2)}
# One term, one meaning: where the English text says it, the Chinese text says this.
TERMS = {
    "campaign": "营销活动",
    "brief": "立项单",
    "policy": "平台规则",
    "budget": "预算",
    "stage": "放量阶段",
    "quote": "试算",
    "revision": "版本",
    "label": "优惠标签",
    "limit": "限制",
    "payer": "付款方",
    "resume": "恢复",
    "approval": "批准",
}


def used() -> set[str | tuple[str, ...]]:
    """Every text that a template or a module speaks, and the titles of problems."""
    found = extract_from_dir(str(WEB), method_map=METHODS, options_map={}, keywords=dict(KEYWORDS))
    texts = {message if isinstance(message, str) else tuple(message[:2]) for _, _, message, _, _ in found}
    return texts | {kind.title for kind in KINDS.values()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_holds_every_text_that_is_spoken_and_no_other(language: str) -> None:
    held = {message.id for message in catalogue(language) if message.id}
    spoken = used()
    assert spoken - held == set(), f"add these to locale/{language}.po"
    assert held - spoken == set(), f"nobody speaks these any more; take them out of locale/{language}.po"


def forms(message: Message) -> list[str]:
    """Every form of a translation."""
    string = message.string
    return [string or ""] if string is None or isinstance(string, str) else list(string)


def texts(message: Message) -> list[str]:
    """The English text of a message, and that of its plural."""
    return [message.id] if isinstance(message.id, str) else list(message.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_untranslated_or_in_doubt(language: str) -> None:
    for message in catalogue(language):
        assert all(forms(message)), message.id
        assert not message.fuzzy or not message.id, message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_its_text_does(language: str) -> None:
    for message in catalogue(language):
        wanted = set(re.findall(r"%\((\w+)\)s", texts(message)[-1]))
        assert all(set(re.findall(r"%\((\w+)\)s", form)) == wanted for form in forms(message)), message.id


@pytest.mark.parametrize(("term", "chinese"), TERMS.items())
def test_chinese_terms_are_those_of_the_glossary(term: str, chinese: str) -> None:
    seen = 0
    for message in catalogue("zh-CN"):
        words = re.sub(r'%\(\w+\)s|"\w+"', "", texts(message)[0])
        if re.search(rf"\b{term}s?\b", words, re.IGNORECASE):
            seen += 1
            assert chinese in forms(message)[0], message.id
    assert seen > 0


def test_every_state_and_scope_has_its_words() -> None:
    assert set(STATE_WORDS) == set(State)
    assert set(SCOPE_WORDS) == set(Scope)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_may_be_missing_is_said_in_words(language: str) -> None:
    speech = Speech(language)
    reviews = [
        Review("ana", None, False, frozenset(), 2, ("gov",)),
        Review("ana", "ana", True, frozenset(), 1),
    ]
    for item in {item for review in reviews for item in review.missing()}:
        assert missing_words(speech, item) != item
    assert all(speech.gettext(words) for words in EVENT_WORDS.values())


def test_a_count_takes_the_form_of_its_language() -> None:
    texts = ("%(count)s campaign", "%(count)s campaigns")
    assert translate_count("en", *texts, 1, {"count": "1"}) == "1 campaign"
    assert translate_count("en", *texts, 0, {"count": "0"}) == "0 campaigns"
    assert translate_count("zh-CN", *texts, 2, {"count": "2"}) == "2 个营销活动"
