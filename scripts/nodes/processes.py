"""Programs that run as the unprivileged user and end with whoever started them."""

import ctypes
import os
import signal
import subprocess
from pathlib import Path

from makegood.store.embedded.programs import identity

STOP_SECONDS_MAX = 30  # Patroni stops its PostgreSQL, which writes a checkpoint first.
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def spawn(command: list[str], log: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own, so that a terminal's Ctrl-C reaches us only. It writes to `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own programs
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", start_new_session=True,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"} | environment,
            preexec_fn=_in_child, **identity(),  # noqa: PLW1509 - there are no threads yet
        )  # fmt: skip


def stop(processes: "list[subprocess.Popen[bytes]]") -> None:
    """Ask them all to end, and wait; kill those that do not."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def own(path: Path) -> None:
    """Give a file or folder to whom the programs run as, and nobody else."""
    who = identity()
    path.chmod(0o700 if path.is_dir() else 0o600)
    if who:
        os.chown(path, who["user"], who["group"])


def _in_child() -> None:
    """Take signals that the parent keeps waiting, and end when the parent does, however it ends."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
