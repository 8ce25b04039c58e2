"""The fingerprint of what pyproject.toml and requirements/build.in ask for.

`scripts/lock` writes it beside the lock files; a tidy test compares it, so that nobody adds a dependency and
forgets to lock it.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FINGERPRINT = ROOT / "requirements" / "asked-for.sha256"


def fingerprint() -> str:
    """SHA-256 of every table that the lock files are made from, in hex."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    asked = {
        "requires-python": project["requires-python"],
        "dependencies": sorted(project["dependencies"]),
        "extras": {name: sorted(items) for name, items in project["optional-dependencies"].items()},
        "groups": {name: sorted(items) for name, items in pyproject["dependency-groups"].items()},
        "build": sorted((ROOT / "requirements" / "build.in").read_text(encoding="utf-8").splitlines()),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    FINGERPRINT.write_text(fingerprint() + "\n", encoding="utf-8")
    sys.stderr.write("locked; commit requirements/ together with pyproject.toml\n")
