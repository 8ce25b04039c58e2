"""`makegood price`: a file of payments in, grants out."""

import csv
import json
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from makegood.cli.price import command
from makegood.errors import Problem

duckdb = pytest.importorskip("duckdb")

POLICY = """
makegood: policy/1
id: house
currency: CNY
timezone: Asia/Shanghai
payment:
  amount: {min: "0.01 CNY", max: "500000.00 CNY"}
  scene: [in_store_qr]
  channel: [app, web]
  attributes: {city: {type: string, max_length: 64}}
peak: {payments_per_second: 10}
labels: {merchant_coupon: {text: {zh-CN: 商家优惠, en: Merchant discount}}}
funders: {platform: {keys: []}}
rules: []
stages: {first_max: "1000.00 CNY", growth_max: 10}
worst: {per_second: "100000.00 CNY", total: "10000000.00 CNY"}
approvals: [{approvers: 1}]
"""
CAMPAIGN = """
makegood: campaign/1
id: spring
title: {zh-CN: 春节, en: Spring}
label: merchant_coupon
funding: [{funder: platform, share: "100%"}]
window: {from: "2027-02-01T00:00:00+08:00", until: "2127-02-15T00:00:00+08:00"}
when: 'payment.city == "Hangzhou" && payment.amount >= 1000'
benefit: {percent_off: {rate: "20%", up_to: "50.00 CNY"}}
limits: {budget: "100.00 CNY", per_payer: {count: 2}}
stages: ["100.00 CNY"]
stacking: {group: instant, priority: 1}
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with a policy and one campaign."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "spring.yaml").write_text(CAMPAIGN, encoding="utf-8")
    return folder


def paid(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "payment_id": f"p-{number}",
        "occurred_at": f"2027-02-03T12:00:{number:02}+08:00",
        "payer_id": "payer-1",
        "payee_id": "shop-1",
        "amount": 12_000,
        "currency": "CNY",
        "channel": "app",
        "instrument": "card",
        "city": "Hangzhou",
    } | changes


def payments(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "payments.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def run_or_raise(*arguments: object) -> None:
    CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def run_json(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_each_payment_is_priced_as_if_it_were_the_first(house: Path, tmp_path: Path) -> None:
    path = payments(tmp_path, [paid(n) for n in range(4)] + [paid(4, city="Shanghai")])
    found = run_json(house, "--payments", path)
    assert (found["payments"], found["granted"], found["discount_minor"], found["currency"]) == (5, 4, 9600, "CNY")
    assert found["refused"] == {"condition_is_not_met": 1}
    assert found["campaigns"][0]["granted"] == 4
    assert found["seconds"] > 0
    assert found["payments_per_second"] > 0


def test_limits_are_carried_along_in_time_order(house: Path, tmp_path: Path) -> None:
    rows = [paid(n) for n in (3, 1, 2)] + [paid(n, payer_id=f"payer-{n}") for n in (4, 5, 6)]
    out = tmp_path / "out.jsonl"
    found = run_json(house, "--payments", payments(tmp_path, rows), "--limits", "--out", out)
    assert (found["granted"], found["discount_minor"]) == (4, 9600)
    assert found["refused"] == {"budget_is_exhausted": 1, "payer_limit_is_reached": 1}
    written = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {row["payment_id"]: row["discount_minor"] for row in written} == {
        "p-1": 2400, "p-2": 2400, "p-3": 0, "p-4": 2400, "p-5": 2400, "p-6": 0,
    }  # fmt: skip
    assert written[2] == {
        "payment_id": "p-3",
        "discount_minor": 0,
        "benefits": [],
        "refusals": [{"campaign": "spring", "refusal": "payer_limit_is_reached"}],
    }
    assert written[0]["benefits"][0] | {"revision": ""} == {
        "campaign": "spring",
        "revision": "",
        "label": "merchant_coupon",
        "discount_minor": 2400,
    }


def test_rows_can_be_written_as_csv(house: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    run_json(house, "--payments", payments(tmp_path, [paid(1)]), "--out", out)
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["payment_id"], row["discount_minor"], row["refusals"]) for row in rows] == [("p-1", "2400", "[]")]
    assert json.loads(rows[0]["benefits"])[0]["campaign"] == "spring"


def test_rows_that_do_not_fit_are_counted_and_the_others_priced(house: Path, tmp_path: Path) -> None:
    path = payments(tmp_path, [paid(1, amount="12"), paid(2), *(paid(n, city=None) for n in range(3, 10))])
    result = run(house, "--payments", path, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (found["payments"], found["invalid"]) == (1, 8)
    assert found["errors"][0] == {
        "row": 1, "path": "/amount", "message": "must be a whole number, not a string", "hint": None,
    }  # fmt: skip
    assert len(found["errors"]) == 5
    assert "row 3: /city" in run(house, "--payments", path).stdout


def test_with_limits_a_payment_counts_once(house: Path, tmp_path: Path) -> None:
    path = payments(tmp_path, [paid(1), paid(1)])
    result = run(house, "--payments", path, "--limits", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"][0]["message"] == "was priced before, in another row"


def test_a_file_with_too_many_rows_is_refused(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makegood.files.run.FILE_PAYMENTS_MAX", 2)
    assert run(house, "--payments", payments(tmp_path, [paid(1), paid(2)])).exit_code == 0
    with pytest.raises(Problem, match="more than 2 rows"):
        run_or_raise(house, "--payments", payments(tmp_path, [paid(n) for n in range(3)]))


def test_what_is_no_completed_purchase_is_skipped(house: Path, tmp_path: Path) -> None:
    rows = [paid(1, payment_type="reversal"), paid(2, status="disputed"), paid(3, status="completed")]
    found = run_json(house, "--payments", payments(tmp_path, rows))
    assert (found["payments"], found["skipped"]) == (1, 2)


def test_a_column_is_mapped_to_a_field(house: Path, tmp_path: Path) -> None:
    path = payments(tmp_path, [paid(1, city="Shanghai", town="Hangzhou")])
    assert run_json(house, "--payments", path)["granted"] == 0
    assert run_json(house, "--payments", path, "--map", "city=town")["granted"] == 1


def test_a_campaign_with_an_error_is_refused_with_its_findings(house: Path, tmp_path: Path) -> None:
    (house / "spring.yaml").write_text(CAMPAIGN.replace("payment.city", "payment.town"), encoding="utf-8")
    path = payments(tmp_path, [paid(1)])
    result = run(house, "--payments", path, "--json")
    assert result.exit_code == 1
    assert [one["code"] for one in json.loads(result.stdout)["findings"]] == ["expression_has_a_type_error"]
    assert "spring.yaml" in run(house, "--payments", path).stdout.replace("\n", "")  # A long line is broken anywhere.


def test_a_policy_can_be_named_apart(house: Path, tmp_path: Path) -> None:
    policy = (house / "policy.yaml").rename(tmp_path / "policy.yaml")
    path = payments(tmp_path, [paid(1)])
    assert run_json(house, "--payments", path, "--policy", policy)["granted"] == 1
    assert run(house, "--payments", path).exit_code == 1


def test_a_policy_at_the_paths_makes_way_for_the_one_that_is_named(house: Path, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(POLICY.replace('min: "0.01 CNY"', 'min: "200.00 CNY"'), encoding="utf-8")
    result = run(house, "--payments", payments(tmp_path, [paid(1)]), "--policy", tmp_path / "other.yaml", "--json")
    assert json.loads(result.stdout)["errors"][0]["message"] == "must be at least 20000"


def test_without_a_policy_or_a_campaign_it_says_what_is_missing(house: Path, tmp_path: Path) -> None:
    path = payments(tmp_path, [paid(1)])
    (house / "spring.yaml").unlink()
    problem = run(house, "--payments", path).exception
    assert isinstance(problem, Problem)
    assert "no campaign" in problem.detail
    (house / "policy.yaml").unlink()
    problem = run(house, "--payments", path).exception
    assert isinstance(problem, Problem)
    assert problem.hint == "name the one with --policy"


def test_a_limit_across_campaigns_is_carried_along_with_limits_and_only_then(house: Path, tmp_path: Path) -> None:
    with (house / "policy.yaml").open("a", encoding="utf-8") as policy:
        policy.write('limits: [{id: payer-day, per_payer: {per_day: {amount: "50.00 CNY"}}}]\n')
    twin = CAMPAIGN.replace("id: spring", "id: twin").replace("group: instant", "group: other")
    (house / "twin.yaml").write_text(twin, encoding="utf-8")
    path = payments(tmp_path, [paid(0), paid(1), paid(2, payer_id="payer-2")])
    assert run_json(house, "--payments", path)["discount_minor"] == 6 * 2400
    found = run_json(house, "--payments", path, "--limits")
    assert (found["granted"], found["discount_minor"]) == (2, 4 * 2400)
    assert found["refused"] == {"payer_limit_is_reached": 1}


@pytest.mark.parametrize(
    ("option", "value"),
    [("--map", "city"), ("--map", "=town"), ("--secret", "xyz"), ("--out", "out.xlsx"), ("--payments", "absent.csv")],
)
def test_wrong_use_exits_with_2(option: str, value: str, house: Path, tmp_path: Path) -> None:
    assert run(house, "--payments", payments(tmp_path, [paid(1)]), option, value).exit_code == 2


def test_a_secret_decides_random_discounts_and_the_same_one_repeats_them(house: Path, tmp_path: Path) -> None:
    benefit = 'random_off: {min: "0.01 CNY", max: "50.00 CNY"}'
    text = CAMPAIGN.replace('percent_off: {rate: "20%", up_to: "50.00 CNY"}', benefit)
    (house / "spring.yaml").write_text(text, encoding="utf-8")
    path = payments(tmp_path, [paid(n, payer_id=f"payer-{n}") for n in range(8)])

    def discounts(*options: str) -> int:
        total: int = run_json(house, "--payments", path, *options)["discount_minor"]
        return total

    assert discounts() == discounts()
    assert discounts("--secret", "ab12") == discounts("--secret", "ab12") != discounts()


def test_the_real_payments_load_as_they_are(tmp_path: Path) -> None:
    part = tmp_path / "part.parquet"
    with as_file(files("makegood") / "data") as folder:
        source = folder / "completejourney_2017.parquet"
        duckdb.connect().execute(f"COPY (FROM read_parquet('{source}') LIMIT 3000) TO '{part}'")
        found = run_json(folder / "journey", "--payments", part, "--limits")
        told = run(folder / "journey", "--payments", part, "--limits").stdout
    assert (found["payments"], found["invalid"], found["skipped"], found["currency"]) == (3000, 0, 0, "USD")
    assert 0.15 < found["granted"] / 3000 < 0.30
    assert {campaign["campaign"] for campaign in found["campaigns"] if campaign["granted"]} == {
        "big-basket-2017", "fresh-2017", "fuel-2017", "lunch-draw-2017",
    }  # fmt: skip
    assert {"budget_is_exhausted", "payer_limit_is_reached", "day_limit_is_reached"} <= set(found["refused"])
    assert "3,000 payments" in told
