"""The one settings object: `MAKEGOOD_*` from the environment, `MAKEGOOD_*_FILE` for values kept in a file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from makegood.errors import MakegoodError
from makegood.limits import (
    CAPTURE_GRACE_SECONDS,
    DEADLINE_MS_DEFAULT,
    DEADLINE_MS_MAX,
    LEASE_MS_DEFAULT,
    LEASE_MS_MIN,
    QUOTE_VALID_SECONDS,
    SHARES_MAX,
)

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # The metrics library's own name.


class SettingsError(MakegoodError):
    """A setting has a value it cannot have; the message names it."""


def _setting(default: Any, says: str, *, low: int | None = None, high: int | None = None, secret: bool = False) -> Any:
    return field(default=default, metadata={"says": says, "low": low, "high": high, "secret": secret})


def _data_home() -> str:
    if os.geteuid() == 0:
        return "/var/lib/makegood/data"  # PostgreSQL does not run as root, and nobody else may enter root's home.
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return str(Path(base) / "makegood")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting. The environment variable of `host` is `MAKEGOOD_HOST`, and so on."""

    database: str | None = _setting(None, "PostgreSQL URL; without one an embedded PostgreSQL is used", secret=True)
    data: str = field(
        default_factory=_data_home,
        metadata={
            "says": "Folder of the embedded PostgreSQL",
            "default": "$XDG_DATA_HOME/makegood; as root /var/lib/makegood/data",
        },
    )
    host: str = _setting("127.0.0.1", "Address the server listens on")
    port: int = _setting(8765, "Port the server listens on; 0 takes a free one", low=0, high=65535)
    hosts: str | None = _setting(
        None, "Host names the server answers to, separated by commas; without it any name is answered"
    )
    key: str | None = _setting(None, "Key that command-line calls act with", secret=True)
    house: str | None = _setting(None, "House that administrative commands act on")
    deadline_ms: int = _setting(
        DEADLINE_MS_DEFAULT,
        "Milliseconds a quote may take; past it the answer is full price",
        low=1,
        high=DEADLINE_MS_MAX,
    )
    quote_valid_seconds: int = _setting(QUOTE_VALID_SECONDS, "Seconds a quote can be paid", low=1, high=86_400)
    capture_grace_seconds: int = _setting(
        CAPTURE_GRACE_SECONDS, "Seconds a hold outlives its quote, for late captures", low=0, high=604_800
    )
    lease_ms: int = _setting(
        LEASE_MS_DEFAULT,
        "Milliseconds a server process may grant after it last heard from the store",
        low=LEASE_MS_MIN,
        high=60_000,
    )
    drill_hours: int = _setting(
        24, "Hours from one drill of every house to the next; 0: none by itself", low=0, high=8_760
    )
    page_url: str | None = _setting(
        None, "Where whoever is on call is told that a guard tripped or a drill failed, by POST", secret=True
    )
    pool_size: int = _setting(8, "Connections to the store a server process keeps", low=1, high=200)
    workers: int = _setting(1, "Server processes that share the port; each keeps its own connections", low=1, high=64)
    lane: int = _setting(
        -1,
        "Share of split budgets, and audit chain, that this process writes to; worker processes count on from it. "
        "-1 chooses by the number of the process",
        low=0,
        high=SHARES_MAX - 1,
    )
    log_level: str = _setting("info", "debug, info, warning or error")


def metrics_folder() -> str | None:
    """Where the workers of this server count together; None where one process is the server."""
    return os.environ.get(_METRICS_FOLDER)


def worker_environment(folder: str) -> dict[str, str]:
    """The environment of a worker that counts in `folder`: this one, without settings, for those it is told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKEGOOD_")}
    return kept | {_METRICS_FOLDER: folder}


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from the environment, then from `overrides` that are not None. Raises SettingsError."""
    environ = os.environ if environ is None else environ
    known = {f"MAKEGOOD_{f.name.upper()}": f for f in fields(Settings)}
    _refuse_unknown(environ, set(known))
    values: dict[str, Any] = {}
    for variable, spec in known.items():
        text = _text(environ, variable)
        if text is not None:
            values[spec.name] = _convert(variable, text, spec)
    values.update({name: value for name, value in overrides.items() if value is not None})
    if values.get("database") == "":
        raise SettingsError("`MAKEGOOD_DATABASE` is empty: give a URL, or leave it out for the embedded PostgreSQL")
    return Settings(**values)


def _refuse_unknown(environ: Mapping[str, str], known: set[str]) -> None:
    unknown = sorted(
        name for name in environ if name.startswith("MAKEGOOD_") and name.removesuffix("_FILE") not in known
    )
    if unknown:
        raise SettingsError(f"`{unknown[0]}` is not a setting; see docs/reference/settings.md")


def _text(environ: Mapping[str, str], variable: str) -> str | None:
    if variable in environ:
        return environ[variable]
    path = environ.get(f"{variable}_FILE")
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"`{variable}_FILE` names a file that cannot be read: {error}") from None


def _convert(variable: str, text: str, spec: Any) -> Any:
    if spec.type is not int:
        return text
    low, high = spec.metadata["low"], spec.metadata["high"]
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"`{variable}` must be a whole number from {low} to {high}, not `{text}`")
    return int(text)
