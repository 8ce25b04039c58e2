"""The parts of a campaign's document that two revisions differ in."""

from collections.abc import Iterator, Mapping
from typing import Any

from makegood.documents.summary import benefit_words
from makegood.documents.words import CHINESE, ENGLISH, money_words
from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy
from makegood.proof.obligations import Facts
from makegood.proof.portfolio import same_stacking
from makegood.proof.verdict import Changed
from makegood.proof.words import Words, moment_words, shares_words, words

_Key = tuple[Subject, Period, str]
_SUBJECTS = {Subject.ALL: "", Subject.PAYER: "per_payer", Subject.DEVICE: "per_device", Subject.PAYEE: "per_payee"}
_PERIODS = {Period.EVER: "", Period.DAY: "per_day", Period.HOUR: "per_hour"}


def changed_parts(old: Campaign, new: Campaign, policy: Policy) -> Iterator[Changed]:
    """Each part that differs, in the order of the document, with what it was and what it is."""
    before, after = _parts(old, policy), _parts(new, policy)
    for path in dict.fromkeys((*before, *after)):
        was, now = before.get(path, words("-", "-")), after.get(path, words("-", "-"))
        if was != now:
            said = words(f"{path[1:]}: {was[ENGLISH]} → {now[ENGLISH]}", f"{path[1:]}：{was[CHINESE]} → {now[CHINESE]}")
            yield Changed(path, said)


def widenings(old: Campaign, new: Campaign, facts: Facts) -> list[tuple[Any, Words]]:
    """What lets more money through although no single payment gets more: limits, and what it combines with."""
    found = [(facts.above(new.budget, old.budget), words("the budget is larger", "预算变大了"))]
    ours = _caps(new)
    for key, most in _caps(old).items():
        name = _path(key)[len("/limits/") :]
        now = ours.get(key)
        # A limit that is gone is one number beyond what it was.
        said = words(f"the limit `{name}` is wider", f"限制`{name}`放宽了")
        found.append((facts.above(most + 1 if now is None else now, most), said))
    found.append((
        facts.number(int(not same_stacking(old.stacking, new.stacking))) != facts.number(0),
        words("it stacks in another way", "叠加方式变了"),
    ))  # fmt: skip
    before = words("it comes before campaigns that it came after", "优先级高于原先排在它前面的活动")
    found.append((facts.above(new.stacking.priority, old.stacking.priority), before))
    return found


def differences(old: Campaign, new: Campaign, facts: Facts) -> list[tuple[Any, Words]]:
    """Every part that matters to a grant beside what the payment question covers; titles do not."""
    pairs = (
        ("label", old.label, new.label),
        ("funding", _funding(old), _funding(new)),
        ("stages", str(old.stages), str(new.stages)),
        ("stacking", _stacking(old.stacking), _stacking(new.stacking)),
        ("limits", str(sorted(_caps(old).items())), str(sorted(_caps(new).items()))),
        ("budget", str(old.budget), str(new.budget)),
    )
    return [(facts.differ(was, now), words(f"`{name}` is another one", f"`{name}`有改动")) for name, was, now in pairs]


def _funding(campaign: Campaign) -> str:
    return str(sorted((share.funder, share.basis_points) for share in campaign.funding))


def _stacking(stacking: Stacking) -> str:
    others = None if stacking.combines_with is None else sorted(set(stacking.combines_with))
    return f"{stacking.group} {stacking.priority} {others}"


def _caps(campaign: Campaign) -> Mapping[_Key, int]:
    """Every limit by whom it counts, over what time, and what of them."""
    found: dict[_Key, int] = {}
    for limit in campaign.limits:
        found |= {(limit.subject, limit.period, kind): most for kind, most in _kinds(limit)}
    return found


def _kinds(limit: Limit) -> Iterator[tuple[str, int]]:
    if limit.count_max is not None:
        yield "count", limit.count_max
    if limit.amount_max is not None:
        yield "amount", limit.amount_max


def _path(key: _Key) -> str:
    subject, period, kind = key
    return "/limits/" + "/".join(part for part in (_SUBJECTS[subject], _PERIODS[period], kind) if part)


def _parts(campaign: Campaign, policy: Policy) -> dict[str, Words]:
    currency, zone = policy.currency, policy.timezone
    window = f"{moment_words(campaign.window.opens, zone)} – {moment_words(campaign.window.closes, zone)} ({zone})"
    parts = {
        "/title": words(campaign.title[ENGLISH], campaign.title[CHINESE]),
        "/label": words(campaign.label, campaign.label),
        "/funding": words(shares_words(campaign.funding, ENGLISH), shares_words(campaign.funding, CHINESE)),
        "/window": words(window, window),
        "/when": words(campaign.when, campaign.when),
        "/benefit": words(
            benefit_words(campaign.benefit, currency, ENGLISH), benefit_words(campaign.benefit, currency, CHINESE)
        ),
        "/limits/budget": _money(campaign.budget, currency),
    }
    for key, most in _caps(campaign).items():
        parts[_path(key)] = _money(most, currency) if key[2] == "amount" else words(str(most), str(most))
    stages = [_money(stage, currency) for stage in campaign.stages]
    parts["/stages"] = words(", ".join(s[ENGLISH] for s in stages), "、".join(s[CHINESE] for s in stages))
    parts["/stacking"] = words(_stacking(campaign.stacking), _stacking(campaign.stacking))
    if campaign.code is not None:
        parts["/codes"] = words(campaign.code, campaign.code)
    return parts


def _money(minor: int, currency: str) -> Words:
    return words(money_words(minor, currency, ENGLISH), money_words(minor, currency, CHINESE))
