"""`makegood check`: what it prints, what it exits with."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from makegood.cli.check import command

EXAMPLES = Path(__file__).parents[2] / "examples"
WORST_KEYS = {"payment_minor", "per_second_minor", "total_minor"}
FINDING_KEYS = {"severity", "code", "message", "hint", "path", "file", "line", "column"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def run_json(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.stdout.count("\n") == 1
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("policy.yaml", "brief-spring.yaml", "campaign-spring.yaml", "campaign-others.yaml"):
        shutil.copy(EXAMPLES / name, tmp_path / name)
    return tmp_path


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_a_folder_with_nothing_refused_exits_with_zero(folder: Path) -> None:
    code, said = run_json(folder)
    assert code == 0
    assert set(said) >= {"campaigns", "briefs", "policies", "findings"}
    assert said["findings"] == []
    campaign = said["campaigns"][0]
    assert (campaign["id"], len(campaign["proofs"])) == ("spring-qr-2027", 16)
    assert {row["verdict"] for row in campaign["proofs"]} == {"proved"}
    assert campaign["exposure"] == {
        "payment_minor": 5_000, "payer_minor": 10_000, "per_second_minor": 5_000_000, "total_minor": 100_000_000
    }  # fmt: skip
    assert len(campaign["revision"]) == 68 and campaign["revision"].startswith("rev_")
    assert campaign["worst"] == {
        "payment_minor": 5_000, "per_second_minor": 5_000_000, "total_minor": 100_000_000
    }  # fmt: skip
    assert set(campaign["summary"]) == {"zh-CN", "en"}


def test_a_campaign_without_its_brief_says_once_that_not_all_is_proved(folder: Path) -> None:
    (folder / "brief-spring.yaml").unlink()
    code, said = run_json(folder)
    found = [one for one in said["campaigns"][0]["findings"] if one["code"] == "campaign_is_unproved"]
    assert (code, [one["severity"] for one in found]) == (0, ["warning"])
    assert set(found[0]) == FINDING_KEYS
    rows = [one["obligation"] for one in said["campaigns"][0]["proofs"]]
    assert "inside_policy.half-at-most" in rows and "inside_brief.scenes" not in rows


def test_a_row_that_is_refuted_exits_with_one_and_names_witness_line_and_hint(folder: Path) -> None:
    _edit(folder / "campaign-spring.yaml", 'payment.scene == "in_store_qr" && ', "")
    code, said = run_json(folder)
    assert code == 1
    (row,) = [one for one in said["campaigns"][0]["proofs"] if one["obligation"] == "inside_brief.scenes"]
    assert set(row) >= {"obligation", "verdict", "ms", "witness"}
    assert (row["verdict"], row["path"], row["line"]) == ("refuted", "/when", 7)
    assert set(row["witness"]) >= {"payment", "discount_minor", "words"}
    assert row["witness"]["discount_minor"] == 2_000 and row["witness"]["payment"]["amount"] == 10_000
    text = run(folder).stdout
    assert "✗ refuted inside_brief.scenes" in text and "✓ proved  inside_brief.label" in text
    assert row["witness"]["words"]["en"] in text and row["witness"]["words"]["zh-CN"] in text
    assert "    7 │ when: 'payment.amount >= 10000" in text and "    hint: add `payment.scene in" in text


def test_two_briefs_for_one_campaign_are_an_error(folder: Path) -> None:
    shutil.copy(folder / "brief-spring.yaml", folder / "brief-again.yaml")
    assert run_json(folder)[0] == 0  # The same revision twice is one brief.
    _edit(folder / "brief-again.yaml", 'rate_max: "20%"', 'rate_max: "90%"')
    code, said = run_json(folder)
    assert code == 1
    assert "id_is_duplicate" in [one["code"] for one in said["campaigns"][0]["findings"] if one["severity"] == "error"]


def test_what_is_live_counts(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    live = tmp_path_factory.mktemp("live") / "campaign.yaml"
    shutil.copy(folder / "campaign-spring.yaml", live)
    for old, new in (("spring-qr-2027", "other"), ('"20%"', '"40%"'), ("group: instant_discount", "group: other")):
        _edit(live, old, new)
    assert run_json(folder)[0] == 0
    code, said = run_json(folder, "--live", live.parent)
    (row,) = [one for one in said["campaigns"][0]["proofs"] if one["verdict"] != "proved"]
    assert (code, row["obligation"]) == (1, "inside_policy.half-at-most")
    assert row["witness"]["others"] == {"other": 4_000} and row["witness"]["total_minor"] == 6_000


def test_an_error_finding_exits_with_one(folder: Path) -> None:
    _edit(folder / "campaign-spring.yaml", '"50.00 CNY"', "5000")
    code, said = run_json(folder)
    assert code == 1
    campaign = said["campaigns"][0]
    errors = [one for one in campaign["findings"] if one["severity"] == "error"]
    assert [(one["code"], one["path"]) for one in errors] == [("money_is_bare", "/benefit/percent_off/up_to")]
    assert (campaign["id"], campaign["summary"], campaign["worst"]) == ("spring-qr-2027", None, None)


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        (
            'share_of_payments: "5%"',
            'share_of_payments: "0%"',
            "share_of_payments",
            "the first grant is already too many",
        ),
        ('discount_mean: "25.00', 'discount_mean: "50.01', "discount_mean", "no mean is above the largest"),
        ('discount_mean: "25.00', 'discount_mean: "0.00', "discount_mean", "at least one minor unit"),
        ('spend_per_minute: "60000.00', 'spend_per_minute: "24.99', "spend_per_minute", "already be too much"),
        ('spend_per_minute: "60000.00', 'spend_per_minute: "75000.01', "spend_per_minute", "at the declared peak"),
        ('spend_per_minute: "60000.00', 'spend_per_minute: "1000000.01', "spend_per_minute", "no second minute"),
    ],
)
def test_a_brief_that_expects_what_cannot_be_is_refused_with_the_reason(
    folder: Path, old: str, new: str, field: str, reason: str
) -> None:
    _edit(folder / "brief-spring.yaml", old, new)
    code, said = run_json(folder)
    found = [one for brief in said["briefs"] for one in brief["findings"]]
    assert code == 1 and {one["code"] for one in found} == {"expectation_is_absurd"}
    assert any(one["path"] == f"/expect/{field}" and reason in one["message"] and one["line"] for one in found)


def test_a_wrong_call_exits_with_two(folder: Path) -> None:
    assert run(folder / "missing.yaml").exit_code == 2
    assert run().exit_code == 2
    assert run(folder, "--nonsense").exit_code == 2


def test_the_wrong_template_among_the_examples_is_refused_and_nothing_else_is() -> None:
    code, said = run_json(EXAMPLES)
    assert code == 1
    refused = [
        Path(document["file"]).name
        for document in (*said["campaigns"], *said["briefs"], *said["policies"])
        if any(one["severity"] == "error" for one in document["findings"])
    ]
    assert refused == ["campaign-16-january.yaml"]
    assert said["findings"] == []
    assert all(set(campaign["worst"]) == WORST_KEYS for campaign in said["campaigns"])


def test_other_yaml_in_a_folder_is_left_alone_and_by_name_it_is_a_finding(folder: Path) -> None:
    (folder / "docker-compose.yml").write_text("services: {web: &x {image: [}}")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "campaign.yaml").write_text("makegood: campaign/1")
    assert run_json(folder)[0] == 0
    code, said = run_json(folder / "policy.yaml", folder / "campaign-others.yaml")
    assert code == 1
    assert [one["code"] for one in said["findings"]] == ["kind_is_unknown"]


def test_a_broken_document_of_ours_in_a_folder_is_a_finding(folder: Path) -> None:
    (folder / "broken.yml").write_text("makegood: campaign/1\nid: [")
    code, said = run_json(folder)
    assert code == 1
    assert [(one["code"], Path(one["file"]).name) for one in said["findings"]] == [("yaml_is_invalid", "broken.yml")]


def test_a_file_that_is_too_large_is_a_finding(folder: Path) -> None:
    (folder / "large.yaml").write_bytes(b"makegood: campaign/1\n" + b"#" * (1024 * 1024))
    code, said = run_json(folder)
    assert code == 1
    assert [one["code"] for one in said["findings"]] == ["file_is_too_large"]


def test_policy_and_brief_can_be_named_apart(folder: Path) -> None:
    campaign = folder / "campaign-spring.yaml"
    code, said = run_json(campaign)
    assert code == 1
    assert [one["code"] for one in said["campaigns"][0]["findings"] if one["severity"] == "error"] == [
        "policy_is_missing"
    ]
    code, said = run_json(campaign, "--policy", folder / "policy.yaml")
    assert code == 0
    assert "brief_is_missing" in [one["code"] for one in said["campaigns"][0]["findings"]]
    code, said = run_json(campaign, "--policy", folder / "policy.yaml", "--brief", folder / "brief-spring.yaml")
    assert code == 0
    assert [one["code"] for one in said["campaigns"][0]["findings"]] == []
    assert {one["verdict"] for one in said["campaigns"][0]["proofs"]} == {"proved"}
    assert (len(said["policies"]), len(said["briefs"])) == (1, 1)


def test_the_named_policy_wins_over_one_in_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "policy.yaml"
    shutil.copy(folder / "policy.yaml", other)
    _edit(other, "merchant_coupon:", "another_label:")
    code, said = run_json(folder, "--policy", other)
    assert code == 1
    assert "name_is_unknown" in [one["code"] for one in said["campaigns"][0]["findings"]]


def test_a_policy_option_that_names_no_policy_is_a_finding(folder: Path) -> None:
    code, said = run_json(folder, "--policy", folder / "brief-spring.yaml")
    assert code == 1
    assert [one["code"] for one in said["findings"]] == ["kind_is_unknown"]


def test_an_older_revision_among_the_live_ones_is_no_twin(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    live = tmp_path_factory.mktemp("live")
    shutil.copy(folder / "campaign-spring.yaml", live)
    code, said = run_json(folder, "--live", live)
    assert code == 0
    assert "id_is_duplicate" not in [one["code"] for one in said["campaigns"][0]["findings"]]
    _edit(live / "campaign-spring.yaml", '"50.00 CNY"', "5000")
    code, said = run_json(folder, "--live", live)
    assert code == 1
    assert [one["code"] for one in said["findings"]] == ["money_is_bare"]


def test_a_person_reads_the_line_with_a_caret_under_the_mistake(folder: Path) -> None:
    file = folder / "campaign-spring.yaml"
    _edit(file, "en: Spring QR discount", "en: 5")
    result = run(file, folder / "policy.yaml")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    shown = next(index for index, line in enumerate(lines) if line.startswith("    3 │ title:"))
    before = lines[shown][: lines[shown].index("en: 5") + 4]
    wide = sum(2 if "\u4e00" <= char <= "\u9fff" else 1 for char in before)
    assert lines[shown + 1].index("^") == wide
    assert '    hint: write `"5"`' in lines
    assert f"    {file}:3:28" in lines
    assert any(line.startswith("✗ refused campaign spring-qr-2027") for line in lines)
    assert "✓ fine policy house" in result.stdout
    assert lines[-1] == "✗ something is refused in 2 files"


def test_a_person_reads_the_summary_in_both_languages_and_the_worst_loss(folder: Path) -> None:
    result = run(folder)
    assert result.exit_code == 0
    assert "  20% off, at most 50.00 CNY, for in-store QR payments of at least 100.00 CNY in Hangzhou" in result.stdout
    assert "在Hangzhou到店扫码支付满100.00元，立减20%" in result.stdout
    assert "  worst: 50.00 CNY a payment, 50,000.00 CNY a second, 1,000,000.00 CNY in total" in result.stdout
    assert "✓ fine campaign spring-qr-2027" in result.stdout
    assert "  all 16 obligations are proved, for every possible payment (z3 " in result.stdout


def test_output_for_a_pipe_has_no_escape_and_a_document_cannot_bring_one(folder: Path) -> None:
    _edit(folder / "campaign-spring.yaml", "label: merchant_coupon", 'label: "\\e[31m"\n"\\e[2J": 1')
    result = run(folder)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout


def test_a_live_folder_that_holds_one_campaign_twice_is_refused_and_hides_neither(folder: Path) -> None:
    live = folder / "live"
    for name, rate in (("first", "1%"), ("second", "40%")):
        file = live / f"{name}.yaml"
        live.mkdir(exist_ok=True)
        shutil.copy(EXAMPLES / "campaign-spring.yaml", file)
        file.chmod(0o644)
        _edit(file, "id: spring-qr-2027", "id: other")
        _edit(file, "group: instant_discount", "group: another")
        _edit(file, 'rate: "20%", up_to: "50.00 CNY"', f'rate: "{rate}", up_to: "200.00 CNY"')
    code, said = run_json(folder / "campaign-spring.yaml", folder / "policy.yaml", "--live", live)
    errors = [one["code"] for one in said["findings"] if one["severity"] == "error"]
    assert (code, errors) == (1, ["id_is_duplicate"])


def test_what_is_live_is_read_by_the_policy_of_its_currency(folder: Path) -> None:
    """A campaign of another currency is never beside this one, and its fields need not be this policy's."""
    live, dollars = folder / "live", folder / "a-policy-usd.yaml"
    live.mkdir()
    for source, target in (("policy.yaml", dollars), ("campaign-spring.yaml", live / "other.yaml")):
        text = (EXAMPLES / source).read_text("utf-8").replace("CNY", "USD").replace("city", "town")
        target.write_text(
            text.replace("id: spring-qr-2027", "id: other").replace("instant_discount", "another"), "utf-8"
        )
    paths = (folder / "campaign-spring.yaml", folder / "brief-spring.yaml", dollars, folder / "policy.yaml")
    code, said = run_json(*paths, "--live", live)
    assert (code, said["findings"]) == (0, [])
    assert {row["verdict"] for row in said["campaigns"][0]["proofs"]} == {"proved"}
