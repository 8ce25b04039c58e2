"""The guide shows what really happens."""

import re
from pathlib import Path

from click.testing import CliRunner

from makegood.cli.check import command

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/write-a-campaign.md").read_text("utf-8")


def _block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    return str(found[0])


def _check(folder: Path, campaign: str) -> tuple[int, str]:
    file = folder / "campaign.yaml"
    file.write_text(campaign, "utf-8")
    examples = ROOT / "examples"
    result = CliRunner().invoke(
        command,
        [str(file), "--brief", str(examples / "brief-spring.yaml"), "--policy", str(examples / "policy.yaml")],
    )
    return result.exit_code, result.stdout.replace(f"{folder}/", "")


def test_the_campaign_of_the_guide_passes_with_the_sentence_of_the_guide(tmp_path: Path) -> None:
    code, said = _check(tmp_path, _block("yaml"))
    assert code == 0
    quoted = " ".join(line.removeprefix("> ") for line in GUIDE.splitlines() if line.startswith("> "))
    assert quoted in said


def test_the_mistake_of_the_guide_is_found_as_the_guide_shows(tmp_path: Path) -> None:
    code, said = _check(tmp_path, _block("yaml").replace('up_to: "50.00 CNY"', "up_to: 5000"))
    assert code == 1
    assert _block("text") in said
