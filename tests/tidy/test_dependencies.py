"""What is installed is what was locked, and what was locked is what was asked for."""

import re
import tomllib
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from makegood import __version__

REMEDY = "run `make lock` and commit requirements/ together with pyproject.toml"


@pytest.fixture(scope="module")
def pyproject(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lock", ["all.txt", "build.txt", "dev.txt"])
def test_every_locked_package_has_one_version_and_its_hashes(root: Path, lock: str) -> None:
    text = (root / "requirements" / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    faults = [entry.split()[0] for entry in entries if "==" not in entry.split()[0] or "--hash=sha256:" not in entry]
    assert not faults, REMEDY


def test_the_lock_files_fit_what_pyproject_asks_for(root: Path, pyproject: dict[str, Any]) -> None:
    project = pyproject["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    assert not _unfit(wanted, root / "requirements" / "all.txt"), REMEDY
    wanted += pyproject["dependency-groups"]["dev"]
    assert not _unfit(wanted, root / "requirements" / "dev.txt"), REMEDY


def test_the_lock_files_were_made_from_this_pyproject(root: Path) -> None:
    spec = spec_from_file_location("locked", root / "scripts" / "locked.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.FINGERPRINT.read_text(encoding="utf-8").strip() == module.fingerprint(), REMEDY


def test_what_tests_need_includes_what_runs_at_the_same_versions(root: Path) -> None:
    runs, tests = (_pins(root / "requirements" / name) for name in ("all.txt", "dev.txt"))
    assert {name: version for name, version in runs.items() if tests.get(name) != version} == {}, REMEDY


def test_what_builds_is_of_the_same_versions_as_what_runs(root: Path) -> None:
    runs, builds = (_pins(root / "requirements" / name) for name in ("all.txt", "build.txt"))
    assert builds and {name: version for name, version in builds.items() if runs.get(name) != version} == {}, REMEDY


def test_no_lock_file_names_an_address(root: Path) -> None:
    for lock in (root / "requirements").iterdir():
        assert not re.search(r"://|--(?:extra-)?index-url|--find-links", lock.read_text(encoding="utf-8")), lock.name


def test_the_extra_all_installs_every_other_extra(pyproject: dict[str, Any]) -> None:
    extras = pyproject["project"]["optional-dependencies"]
    reached, todo = set(), ["all"]
    while todo:
        name = todo.pop()
        reached.add(name)
        todo += [extra for item in extras[name] for extra in Requirement(item).extras if extra not in reached]
    assert reached == set(extras)


def test_one_version_stands_everywhere(root: Path, pyproject: dict[str, Any]) -> None:
    assert pyproject["project"]["version"] == __version__
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(__version__)}\]", changes, re.MULTILINE), "write what this version brings"


def _pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def _unfit(wanted: Iterable[str], lock: Path) -> list[str]:
    pins = _pins(lock)
    unfit = []
    for text in wanted:
        asked = Requirement(text)
        pin = pins.get(asked.name.lower())
        if asked.name != "makegood" and (pin is None or not asked.specifier.contains(pin, prereleases=True)):
            unfit.append(f"{text}: locked is {pin}")
    return unfit
