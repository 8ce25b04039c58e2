"""Calendars, clocks and durations as solver terms, in the same integer arithmetic as `civil` and `runtime`."""

from collections.abc import Sequence
from typing import Any, Final

import z3

from makegood.rules.civil import MILLISECOND, TIMESTAMP_MAX, TIMESTAMP_MIN, civil, days_of
from makegood.rules.smt_terms import Flag, Terms, Whole, high_of, low_of
from makegood.rules.smt_text import Seq, Text, Texts
from makegood.rules.smt_zones import SECOND, local_seconds, step_tree

_DAY: Final = 86_400
_ERA_DAYS: Final = 146_097
_MONTHS_MAX: Final = 48  # Up to four years the starts of the months are listed; beyond, they are computed.
_CLOCK: Final = {"getHours": (_DAY, 3600), "getMinutes": (3600, 60), "getSeconds": (60, 1)}
_UNITS: Final = {"getHours": 3600 * SECOND, "getMinutes": 60 * SECOND, "getSeconds": SECOND}


def part_of_instant(terms: Terms, name: str, instant: Whole, zone: str | None) -> Whole:
    """A calendar field of an instant in a zone."""
    if name == "getMilliseconds":
        return terms.floor(terms.rest(instant, SECOND), MILLISECOND)
    seconds = local_seconds(terms, instant, zone)
    if name in _CLOCK:
        round_, unit = _CLOCK[name]
        return terms.floor(terms.rest(seconds, round_), unit)
    days = terms.floor(seconds, _DAY)
    if name == "getDayOfWeek":
        return terms.rest(terms.add(days, 4), 7)
    return _calendar(terms, name, days)


def _calendar(terms: Terms, name: str, days: Whole) -> Whole:
    low, high = low_of(days), high_of(days)
    (year, month, _), (last, until, _) = civil(low), civil(high)
    months = [divmod(number, 12) for number in range(year * 12 + month - 1, last * 12 + until)]
    if len(months) > _MONTHS_MAX:
        return _computed(terms, name, days)
    match name:
        case "getFullYear":
            return step_tree(terms, days, [(days_of(each, of + 1, 1), each) for each, of in months])
        case "getMonth":
            return step_tree(terms, days, [(days_of(each, of + 1, 1), of) for each, of in months])
    first = 1 if name == "getDayOfYear" else None
    starts = [(days_of(each, of + 1, 1), days_of(each, first or of + 1, 1)) for each, of in months]
    since = terms.subtract(days, step_tree(terms, days, starts))
    # A difference of two ints that depend on each other: its bounds are known better than they look.
    since, _ = terms.fit(since, 0, 365 if first else 30)
    return terms.add(since, 1) if name == "getDate" else since


def _computed(terms: Terms, name: str, days: Whole) -> Whole:
    """By the formulas of `civil.civil`."""
    year, month, day = civil_terms(terms, days)
    match name:
        case "getFullYear":
            return year
        case "getMonth":
            return terms.add(month, -1)
        case "getDate":
            return day
        case "getDayOfMonth":
            return terms.add(day, -1)
    before = terms.add(year, -1)
    leaps = _sum(terms, [terms.floor(before, 4), _minus(terms, terms.floor(before, 100)), terms.floor(before, 400)])
    start = _sum(terms, [terms.multiply(before, 365), leaps, days_of(1, 1, 1)])
    since, _ = terms.fit(terms.subtract(days, start), 0, 365)
    return since


def civil_terms(terms: Terms, days: Whole) -> tuple[Whole, Whole, Whole]:
    """Year, month and day of month of a count of days since 1970-01-01."""
    shifted = terms.add(days, 719_468)
    era, of_era = terms.floor(shifted, _ERA_DAYS), terms.rest(shifted, _ERA_DAYS)
    leaps = [(-1, 1_460), (1, 36_524), (-1, 146_096)]
    corrected = _sum(terms, [of_era, *(terms.multiply(terms.floor(of_era, unit), sign) for sign, unit in leaps)])
    year = terms.floor(terms.fit(corrected, 0, _ERA_DAYS - 1)[0], 365)
    passed = _sum(terms, [terms.multiply(year, 365), terms.floor(year, 4), _minus(terms, terms.floor(year, 100))])
    of_year, _ = terms.fit(terms.subtract(of_era, passed), 0, 365)
    month = terms.floor(terms.add(terms.multiply(of_year, 5), 2), 153)
    start = terms.floor(terms.add(terms.multiply(month, 153), 2), 5)
    day, _ = terms.fit(terms.add(terms.subtract(of_year, start), 1), 1, 31)
    early = terms.less(month, 10)
    named, _ = terms.fit(terms.pick(early, terms.add(month, 3), terms.add(month, -9)), 1, 12)
    full = _sum(terms, [year, terms.multiply(era, 400), terms.pick(early, 0, 1)])
    return full, named, day


def part_of_duration(terms: Terms, name: str, duration: Whole) -> Whole:
    """Whole units of a duration, cut towards zero; milliseconds are those beside its whole seconds."""
    if name in _UNITS:
        return terms.quotient(duration, _UNITS[name])
    return terms.quotient(terms.remainder(duration, SECOND), MILLISECOND)


def instant_difference(terms: Terms, left: Whole, right: Whole) -> tuple[Whole, Flag]:
    """The duration between two instants. Like the runtime, whole seconds must fit before the rest is added."""
    whole = terms.subtract(terms.floor(left, SECOND), terms.floor(right, SECOND))
    seconds, early = terms.fit(terms.multiply(whole, SECOND))
    if early is False:
        difference, late = terms.fit(terms.subtract(left, right))
    else:
        nanos = terms.subtract(terms.rest(left, SECOND), terms.rest(right, SECOND))
        difference, late = terms.fit(terms.add(seconds, nanos))
    return difference, terms.either(early, late)


def fit_instant(terms: Terms, value: Whole) -> tuple[Whole, Flag]:
    """The instant, and the error where it is outside the years 1 to 9999."""
    return terms.fit(value, TIMESTAMP_MIN, TIMESTAMP_MAX)


def instant_text(texts: Texts, instant: Whole) -> Text:
    """RFC 3339 in UTC, as `civil.instant_text` writes it."""
    terms = texts.terms
    seconds, nanos = terms.floor(instant, SECOND), terms.rest(instant, SECOND)
    year, month, day = civil_terms(terms, terms.floor(seconds, _DAY))
    rest = terms.rest(seconds, _DAY)
    clock = [terms.floor(rest, 3600), terms.floor(terms.rest(rest, 3600), 60), terms.rest(rest, 60)]
    year, _ = terms.fit(year, 1, 9999)
    parts: list[Text] = [texts.digits(year, 4)]
    for mark, value in zip("--T::", (month, day, *clock), strict=True):
        parts += [mark, texts.digits(value, 2)]
    return _joined(texts, [*parts, _fraction(texts, nanos), "Z"])


def duration_text(texts: Texts, duration: Whole) -> Text:
    """Seconds with a fraction and an `s`, as `civil.duration_text` writes it."""
    terms = texts.terms
    below = terms.less(duration, 0)
    size = terms.pick(below, _minus(terms, duration), duration)
    size, _ = terms.fit(size, 0, 2**63)
    sign = texts.pick(below, "-", "")
    seconds = texts.digits(terms.floor(size, SECOND))
    return _joined(texts, [sign, seconds, _fraction(texts, terms.rest(size, SECOND)), "s"])


def _fraction(texts: Texts, nanos: Whole) -> Text:
    terms, found = texts.terms, ("." + texts.digits(nanos, 9) if isinstance(nanos, int) else None)
    if isinstance(nanos, int) and nanos == 0:
        return ""
    shown: Text = found if found else Seq(z3.Concat(texts.constant("."), texts.seq_of(texts.digits(nanos, 9))))
    for unit, width in ((1000, 6), (MILLISECOND, 3), (SECOND, 0)):
        whole = terms.equal(terms.rest(nanos, unit), 0)
        short: Any = texts.join(".", texts.digits(terms.floor(nanos, unit), width)) if width else ""
        shown = texts.pick(whole, short, shown)
    return shown


def _joined(texts: Texts, parts: Sequence[Text]) -> Text:
    found = parts[0]
    for part in parts[1:]:
        found = texts.join(found, part)
    return found


def _minus(terms: Terms, value: Whole) -> Whole:
    return terms.multiply(value, -1)


def _sum(terms: Terms, parts: Sequence[Whole]) -> Whole:
    total: Whole = 0
    for part in parts:
        total = terms.add(total, part)
    return total
