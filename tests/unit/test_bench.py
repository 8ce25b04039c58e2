"""The bench: every contestant answers alike, a wrong answer stops it, and scripts find the keys they read.

Nothing here looks at a time, for the machine of a test is busy.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import pytest
from click.testing import CliRunner

from makegood.bench import price as line
from makegood.bench import proof
from makegood.bench.contest import Form, Library
from makegood.bench.measure import cpu_seconds, same_answers
from makegood.bench.price import LIBRARIES, Effort, World, answers, bench_price, build_world, fastest_form
from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.bench.shape import Shaped, draw_campaigns, draw_payments
from makegood.bench.table import LINES
from makegood.bench.texts import Offers, offers_of
from makegood.cli.main import cli
from makegood.domain.benefit import gross_discount
from makegood.domain.payment import Payment

KEYS = {"name", "case", "value", "unit", "versus", "ratio", "versus_value", "others"}
SMALL = Effort(payments=60, repeats=1, sizes=(5, 40))


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda one: one.name)
def test_every_form_of_every_library_answers_as_makegood_does(library: Library) -> None:
    world = build_world(40, 7, 150)
    expected = answers(world)
    assert len(set(expected)) > 10 and 0 in expected, "payments with and without an offer"
    forms = list(library.forms(world.campaigns, world.offers))
    assert len(forms) >= 3
    for form in forms:
        same_answers(expected, form.answer(world.fields), form.words)


def test_the_answers_are_those_of_asking_every_campaign_one_by_one() -> None:
    world = build_world(60, 11, 200)
    assert answers(world) == [max([0, *_offers(world, paid)]) for paid in world.payments]


def _offers(world: World, paid: Payment) -> list[int]:
    fitting = (one for one in world.campaigns if _fits(one, paid))
    return [world.offers.number(one.number, _discount(one, paid)) for one in fitting]


def _fits(one: Shaped, paid: Payment) -> bool:
    fields = paid.fields
    return (
        paid.amount >= one.spend
        and fields["channel"] == one.channel
        and fields["city"] in one.cities
        and not fields["payer_is_new"]
        and _discount(one, paid) > 0
    )


def _discount(one: Shaped, paid: Payment) -> int:
    return gross_discount(one.benefit, paid.amount)


def test_a_library_that_answers_otherwise_stops_the_bench() -> None:
    world = build_world(5, 7, 50)

    def wrong(_: Sequence[Shaped], __: Offers) -> Iterator[Form]:
        yield Form("always nothing", lambda payments: [-1 for _ in payments])

    with pytest.raises(AnswersDiffer, match=r"other \(always nothing\) answers -1 to payment 0, makegood answers"):
        fastest_form(Library("other", "json", wrong), world, answers(world))


def test_an_answer_too_few_is_a_difference_too() -> None:
    with pytest.raises(AnswersDiffer, match="gave 1 answers to 2 payments"):
        same_answers([0, 1], [0], "other")


def test_the_line_price_has_two_rows_for_each_size_and_one_for_growth() -> None:
    lines = bench_price(7, SMALL)
    assert [row.case for row in lines.rows] == [
        "5 campaigns, like for like",
        "5 campaigns, full order",
        "40 campaigns, like for like",
        "40 campaigns, full order",
        "from 5 to 40 campaigns",
    ]
    assert all(row.value > 0 and row.versus.value > 0 and row.name == "price" for row in lines.rows)
    alike = lines.rows[0]
    measured = [alike.versus, *alike.others]
    assert {one.what.split(",")[0] for one in measured} == {library.name for library in LIBRARIES}
    assert [one.value for one in measured] == sorted(one.value for one in measured), "the best of them comes first"
    assert not lines.missing


def test_a_library_that_is_not_installed_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Library("never-written-engine", "never_written_engine", LIBRARIES[0].forms)
    monkeypatch.setattr(line, "LIBRARIES", (LIBRARIES[1], absent))
    lines = bench_price(7, replace(SMALL, sizes=(5,)))
    assert lines.missing == ("`never-written-engine`: pip install never-written-engine",)
    assert lines.rows[0].versus.what.startswith(LIBRARIES[1].name)


def test_one_seed_gives_one_set_of_campaigns_and_payments() -> None:
    assert draw_campaigns(20, 1) == draw_campaigns(20, 1) != draw_campaigns(20, 2)
    assert draw_payments(20, 1) == draw_payments(20, 1) != draw_payments(20, 2)


def test_a_better_offer_has_a_larger_number_and_ties_go_by_priority_and_then_by_id() -> None:
    first, second, third = draw_campaigns(3, 1)
    campaigns = [replace(first, priority=1), replace(second, priority=2), replace(third, priority=1)]
    offers = offers_of(campaigns)
    tied = {number: offers.number(number, 500) for number in (0, 1, 2)}
    assert tied[1] > tied[0] > tied[2]
    assert offers.number(2, 501) > tied[1]


def test_each_contestant_runs_as_often_as_the_others() -> None:
    runs = {"one": 0, "other": 0}

    def count(name: str) -> list[int]:
        runs[name] += 1
        return []

    taken = cpu_seconds([lambda: count("one"), lambda: count("other")], 3)
    assert len(taken) == 2 and min(taken) >= 0
    assert runs == {"one": 6, "other": 6}


def test_the_line_proof_has_a_row_for_each_number_of_live_campaigns() -> None:
    lines = proof.bench_proof(7, proof.Effort(repeats=1, sizes=(2,)))
    assert [(row.name, row.case, row.versus.what) for row in lines.rows] == [
        ("proof", "beside 2 live", "3 proofs alone")
    ]


def test_a_ratio_says_how_many_times_less_it_takes() -> None:
    assert Row("price", "a case", 2.0, "µs", Versus("another", 5.0)).ratio == 2.5


def test_a_name_that_is_no_line_is_a_usage_error_that_lists_the_lines() -> None:
    done = CliRunner().invoke(cli, ["bench", "prise"])
    assert done.exit_code == 2
    assert f"there is no line `prise`; there are {', '.join(LINES)}" in done.stderr


def test_json_is_one_array_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makegood.cli.bench.LINES", {"price": lambda seed: bench_price(seed, SMALL)})
    done = CliRunner().invoke(cli, ["bench", "price", "--json"])
    assert done.exit_code == 0, done.stderr
    rows = msgspec.json.decode(done.stdout)
    assert len(rows) == 5
    assert all(set(row) == KEYS for row in rows)
    assert all(row["ratio"] == pytest.approx(row["versus_value"] / row["value"], rel=0.05) for row in rows)


def test_a_person_reads_a_bar_for_each_contestant_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makegood.cli.bench.LINES", {"price": lambda seed: bench_price(seed, SMALL)})
    done = CliRunner().invoke(cli, ["bench"])
    assert done.exit_code == 0, done.stderr
    assert "5 campaigns, like for like" in done.stdout
    assert "█" in done.stdout and "zen-engine" in done.stdout
    assert "with equal answers" in " ".join(done.stdout.split())


def test_what_is_missing_or_differs_ends_in_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def differs(_: int) -> Lines:
        raise AnswersDiffer("other answers 1 to payment 0, makegood answers 0")

    lines = {"price": lambda _: Lines((), "Nothing.", ("`other`: pip install other",)), "proof": differs}
    monkeypatch.setattr("makegood.cli.bench.LINES", lines)
    missing = CliRunner().invoke(cli, ["bench", "price", "--json"])
    assert (missing.exit_code, missing.stdout) == (1, "[]\n")
    assert "`other`: pip install other" in missing.stderr
    wrong = CliRunner().invoke(cli, ["bench", "proof", "--json"])
    assert wrong.exit_code == 1
    assert "other answers 1 to payment 0" in " ".join(wrong.stderr.split())
