"""A small disk of its own: a file mounted as ext4, which can be filled to the last block and freed again."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

DISK_BYTES = 1 << 30  # Sparse. A write-ahead log with crashes every few seconds stays far below.


class Disk:
    """`folder` is on the small disk where this machine lets us mount one, else an ordinary folder."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="mgf-"))
        self.home.chmod(0o755)
        self.folder = self.home / "disk"
        self.folder.mkdir()
        self.is_small = self._mount()
        self.folder.chmod(0o755)

    def _mount(self) -> bool:
        image = self.home / "image"
        with image.open("wb") as file:
            file.truncate(DISK_BYTES)
        return all(
            _did(*command)
            for command in (
                ("mkfs.ext4", "-q", "-m", "0", "-F", str(image)),
                ("mount", "-o", "loop", str(image), str(self.folder)),
            )
        )

    def fill(self, leave_bytes: int) -> None:
        """Take all space but `leave_bytes`. Only on a small disk."""
        assert self.is_small, "an ordinary folder is not to be filled"
        free = os.statvfs(self.folder)
        with (self.folder / "filler").open("ab") as file:
            taken = max(0, free.f_bavail * free.f_frsize - leave_bytes)
            while taken > 4096:  # Allocation needs blocks for itself: what does not fit at once fits in parts.
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), taken)
                    file.seek(0, os.SEEK_END)
                    return
                except OSError:
                    file.seek(0, os.SEEK_END)
                    taken //= 2

    def free(self) -> None:
        """Give the space back."""
        (self.folder / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount and remove everything; what still runs there was ended before."""
        for _ in range(50):
            if not self.is_small or _did("umount", str(self.folder)):
                break
            time.sleep(0.1)
        else:
            _did("umount", "--lazy", str(self.folder))
        shutil.rmtree(self.home, ignore_errors=True)


def _did(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False
