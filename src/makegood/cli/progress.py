"""A progress bar on stderr for whatever lasts longer than two seconds."""

from time import monotonic
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from makegood.cli.output import stderr

_QUIET_SECONDS = 2.0  # Whoever waits no longer than this needs no bar.
_STEPS_A_LOOK = 512  # The clock is read this often only.


class Progress:
    """Counts steps; shows a bar once two seconds have passed, and takes it away at the end."""

    def __init__(self, what: str, total: int | None, *, look_every: int = _STEPS_A_LOOK) -> None:
        """`look_every`: after so many steps the clock is looked at; 1 for steps that take long."""
        self._what = what
        self._look_every = look_every
        self._total = total
        self._done = 0
        self._begun = monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        if self._done % self._look_every == 0 and stderr.is_terminal:
            self._look()

    def reach(self, done: int, total: int) -> None:
        """So much of `total` is done; for work that counts by itself."""
        self._done, self._total = done, total
        if stderr.is_terminal:
            self._look()

    def _look(self) -> None:
        if self._bar is None:
            if monotonic() - self._begun < _QUIET_SECONDS:
                return
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, console=stderr, transient=True)
            self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=self._done, total=self._total)
