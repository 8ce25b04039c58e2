"""The guide for campaigns as code: its hook and its commands do what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.unit.proving import EXAMPLES

GUIDE = (Path(__file__).parents[2] / "docs/guides/campaigns-as-code.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL)
ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "HOME": os.environ.get("HOME", "/"),
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com",
    "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com",
}  # fmt: skip


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository laid out as the guide has it, with the guide's own hook."""
    for name, place in (("policy", ""), ("brief-spring", "briefs"), ("campaign-spring", "campaigns")):
        target = tmp_path / "promotions" / place / f"{name}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLES / f"{name}.yaml", target)
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "README").write_text("what runs now\n", "utf-8")
    assert run(tmp_path, "git", "init", "-q").returncode == 0
    (hook,) = (text for kind, text in BLOCKS if kind == "sh")
    file = tmp_path / ".git" / "hooks" / "pre-commit"
    file.parent.mkdir(exist_ok=True)
    file.write_text(hook, "utf-8")
    file.chmod(0o755)
    assert run(tmp_path, "git", "add", "-A").returncode == 0
    return tmp_path


def test_the_hook_lets_a_campaign_through_that_keeps_its_brief(repository: Path) -> None:
    done = run(repository, "git", "commit", "-qm", "spring")
    assert done.returncode == 0, done.stderr


def test_the_hook_refuses_a_commit_with_a_campaign_that_does_not(repository: Path) -> None:
    file = repository / "promotions/campaigns/campaign-spring.yaml"
    file.write_text(file.read_text("utf-8").replace('rate: "20%"', 'rate: "30%"'), "utf-8")
    assert run(repository, "git", "add", "-A").returncode == 0
    done = run(repository, "git", "commit", "-qm", "spring")
    assert done.returncode == 1
    assert "✗ refuted inside_brief.rate_max" in done.stdout + done.stderr
    assert run(repository, "git", "log").returncode != 0  # There is no commit.


def test_the_configurations_of_the_guide_are_yaml_and_run_the_same_command() -> None:
    hook, pipeline = (yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml")
    assert hook["repos"][0]["hooks"][0]["entry"] == "makegood check promotions --live live"
    said = [step.get("run", "") for step in pipeline["jobs"]["check"]["steps"]]
    assert "makegood check promotions --live live" in said
    assert any("makegood diff old.yaml" in step for step in said)
