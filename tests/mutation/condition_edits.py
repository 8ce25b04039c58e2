"""Edits of a condition's text: what a hand slips on in a form."""

import re
from collections.abc import Callable, Mapping
from random import Random

from tests.mutation.conditions import SCENES
from tests.mutation.documents import Document, Trio

Edit = Callable[[Random, Document, Trio], bool]
_SCENE = re.compile(r'payment\.scene == "\w+"|payment\.scene in \[[^\]]*\]')
_NOT = re.compile(r"!(?=[(p])|!=|(?<!\w)!(?=has)")
_ORDER = re.compile(r"(?<![=!<>])(<=|>=|<|>)")
_NUMBER = re.compile(r"(?<=[<>=] )(\d+)\b")


def terms_of(text: str) -> list[str]:
    """The terms of a chain of `&&`, as written."""
    terms, depth, start = [], 0, 0
    for place, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if depth == 0 and text.startswith(" && ", place):
            terms.append(text[start:place])
            start = place + 4
    return [*terms, text[start:]]


def scene_added(rng: Random, document: Document, trio: Trio) -> bool:
    """One more scene."""
    scene = rng.choice(SCENES)
    found = _SCENE.search(document["when"])
    if found is None:
        return False
    part = found.group()
    wider = part.replace("[", f'["{scene}", ') if "[" in part else f'({part} || payment.scene == "{scene}")'
    document["when"] = document["when"].replace(part, wider, 1)
    return True


def term_dropped(rng: Random, document: Document, trio: Trio) -> bool:
    """One condition less."""
    terms = terms_of(document["when"])
    terms.pop(rng.randrange(len(terms)))
    document["when"] = " && ".join(terms) or "true"
    return True


def everyone(rng: Random, document: Document, trio: Trio) -> bool:
    """No condition at all."""
    document["when"] = "true"
    return True


def and_is_or(rng: Random, document: Document, trio: Trio) -> bool:
    """`||` where `&&` was."""
    return _replace_one(rng, document, re.compile("&&"), "||")


def or_is_and(rng: Random, document: Document, trio: Trio) -> bool:
    """`&&` where `||` was."""
    return _replace_one(rng, document, re.compile(r"\|\|"), "&&")


def negation_lost(rng: Random, document: Document, trio: Trio) -> bool:
    """A `!` less."""
    found = list(_NOT.finditer(document["when"]))
    if not found:
        return False
    one = rng.choice(found)
    document["when"] = _put(document["when"], one, "==" if one.group() == "!=" else "")
    return True


def comparison_off_by_one(rng: Random, document: Document, trio: Trio) -> bool:
    """`>` for `>=` and the like."""
    found = list(_ORDER.finditer(document["when"]))
    if not found:
        return False
    one = rng.choice(found)
    sign = one.group()
    document["when"] = _put(document["when"], one, sign[0] if len(sign) == 2 else sign + "=")
    return True


def comparison_turned(rng: Random, document: Document, trio: Trio) -> bool:
    """`<` for `>`."""
    found = list(_ORDER.finditer(document["when"]))
    if not found:
        return False
    one = rng.choice(found)
    turned = one.group().translate(str.maketrans("<>", "><"))
    document["when"] = _put(document["when"], one, turned)
    return True


def number_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """A number in the condition is another: ten times, a tenth, one more or less."""
    found = list(_NUMBER.finditer(document["when"]))
    if not found:
        return False
    one = rng.choice(found)
    number = int(one.group())
    changed = rng.choice([number * 10, number // 10, number * 100, number // 100, number + 1, max(number - 1, 0)])
    document["when"] = _put(document["when"], one, str(changed))
    return True


def _replace_one(rng: Random, document: Document, what: re.Pattern[str], by: str) -> bool:
    found = list(what.finditer(document["when"]))
    if found:
        document["when"] = _put(document["when"], rng.choice(found), by)
    return bool(found)


def _put(text: str, found: re.Match[str], by: str) -> str:
    return text[: found.start()] + by + text[found.end() :]


CONDITION_EDITS: Mapping[str, Edit] = {
    edit.__name__: edit
    for edit in (
        scene_added, term_dropped, everyone, and_is_or, or_is_and, negation_lost, comparison_off_by_one,
        comparison_turned, number_changed,
    )
}  # fmt: skip
