"""The configuration of an embedded cluster: a file of ours that `postgresql.conf` includes, written at each start.

So a cluster of an older version gets today's settings when it is next started. What an operator wants otherwise goes
into `local.conf` beside it, which is read last and never written.
"""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from makegood.errors import StoreUnavailable
from makegood.store.embedded import programs

VERSION = 3  # 1 was written into postgresql.conf itself.
OURS = "makegood.conf"
LOCAL = "local.conf"
MUST_BE_ON = ("fsync", "full_page_writes")  # Without them a power cut loses what was acknowledged.

# Appended to the postgresql.conf of a new cluster: what must hold even if our file is lost.
BASE = """
listen_addresses = ''
fsync = on
full_page_writes = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
unix_socket_permissions = 0700
"""
INCLUDE = f"include_if_exists = '{OURS}'"
_TEXT = """\
# Makegood's settings of the embedded PostgreSQL, version {version}. Written anew at each start.
# Yours go into `{local}` in this folder: it is read last.

# Processes that share the folder keep 8 connections each, `bench` up to 200.
max_connections = 220

# An eighth of the memory, at most 2 GB: the newest pages are few, but payers' counters are read from anywhere. What is not
# used is not taken.
shared_buffers = {buffers}MB
huge_pages = try
effective_cache_size = {cache}MB
maintenance_work_mem = 128MB

# After each checkpoint a page is written whole once more, so checkpoints are rare. The price is a longer recovery after a
# crash. At most an eighth of the disk is taken for it.
max_wal_size = {wal}MB
min_wal_size = {wal_min}MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
wal_buffers = 16MB

# This build has no lz4. pglz made the log a sixth just after a checkpoint, for 0.85 and 1.04 of the transactions in two
# runs on two cores: processors are scarcer than disk here.
wal_compression = off

# Statements are short: compiling one takes longer than running it.
jit = off

# Solid-state disks read anywhere at about the same cost.
random_page_cost = 1.1

# Counters and balances are updated in every batch, books only grow: clean up and count early and in small bites.
autovacuum_naptime = 15s
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.02
autovacuum_vacuum_insert_scale_factor = 0.1
autovacuum_vacuum_cost_limit = 1000

# A recovery first brings all files to disk: by one call instead of one a file, where the kernel reports its errors.
recovery_init_sync_method = {sync}

# Whoever waits for a recovery is told how far it is.
log_startup_progress_interval = 2s

include_if_exists = '{local}'
"""

_MB = 1024 * 1024
_BUFFERS_MB_MAX, _BUFFERS_MB_MIN = 2048, 128
_WAL_MB_MAX, _WAL_MB_MIN = 4096, 128  # Eight segments of 16 MB.


def write(cluster: Path) -> None:
    """Afterwards the cluster includes our settings of this version. Nothing is written where they are there already."""
    main = cluster / "postgresql.conf"
    if INCLUDE not in (text := main.read_text(errors="replace")).splitlines():
        _replace(main, f"{text.rstrip()}\n{INCLUDE}\n")
    wanted = _text(cluster)
    ours = cluster / OURS
    if not ours.exists() or ours.read_text(errors="replace") != wanted:
        _replace(ours, wanted)
    if not (cluster / LOCAL).exists():
        _replace(cluster / LOCAL, "# Settings of your own, read last. Makegood does not write here again.\n")


def check(cluster: Path) -> None:
    """Refuse a configuration that could lose what was acknowledged, wherever it stands. Raises StoreUnavailable."""
    for name in MUST_BE_ON:
        done = programs.run("postgres", "-C", name, "-D", str(cluster))
        if done.returncode == 0 and done.stdout.strip() != "on":
            raise StoreUnavailable(
                f"`{name}` is {done.stdout.strip()} in the configuration of `{cluster}`: an acknowledged reservation could "
                f"be lost. Take it out of `postgresql.conf`, `postgresql.auto.conf` or `{LOCAL}`; nothing was started"
            )


def _text(cluster: Path) -> str:
    memory = _memory_mb()
    wal = _within(shutil.disk_usage(cluster).total // _MB // 8, _WAL_MB_MIN, _WAL_MB_MAX)
    return _TEXT.format(
        version=VERSION, local=LOCAL, cache=memory // 2, wal=wal, wal_min=min(1024, wal // 2),
        sync="syncfs" if _kernel() >= (5, 8) else "fsync",
        buffers=_within(memory // 8, _BUFFERS_MB_MIN, _BUFFERS_MB_MAX),
    )  # fmt: skip


def _kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])


def _within(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


def _memory_mb() -> int:
    """The memory that we may use: the machine's, or what its container gives."""
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # There is no such bound, or it says `max`.
        found = min(found, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return found // _MB


def _replace(file: Path, text: str) -> None:
    """The whole file or the old one, never half of it, owned by whom the server runs as."""
    new = file.with_name(f"{file.name}.new")
    with new.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.chmod(0o600)
    who = programs.user()
    if who is not None:
        os.chown(new, who.pw_uid, who.pw_gid)
    new.rename(file)
