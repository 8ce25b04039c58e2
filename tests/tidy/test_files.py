"""Rules for every file of the repository, whatever it holds."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

FILE_BYTES_MAX = 5 * 1024 * 1024  # The largest is the payments that the demo carries.
PNG_BYTES_MAX = 400 * 1024  # A screenshot in the docs, at the width of a page.
LINES_MAX = 400
SQL_LINES_MAX = 500  # A migration that has run somewhere is never split again.
LINES_ARE_NOT_READ = {".json", ".txt", ".svg", ".po", ".csv", ".jsonl", ".md"}

# Pages that a text of ours may point to. No package index, no mirror and nobody's machine is among them.
HOSTS = {
    *("127.0.0.1", "0.0.0.0", "localhost", "[::1]", "example.com", "example.org", "example.net"),
    *("json-schema.org", "spec.openapis.org", "www.rfc-editor.org", "www.w3.org", "c2sp.org", "cel.dev"),
    *("keepachangelog.com", "semver.org", "editorconfig.org", "www.apache.org", "creativecommons.org"),
    *("www.postgresql.org", "duckdb.org", "htmx.org", "github.com", "cran.r-project.org"),
}

# Each is written in two halves, so that this file does not hold what it forbids.
LEFT_BEHIND = re.compile(
    "|".join(
        [
            r"\b(?:TO" "DO|FIX" "ME|X" "XX)\\b",
            r"/(?:wo" r"rk|ro" r"ot|ho" r"me|Us" r"ers)/[a-z]",
            r"/tm" r"p/[a-z]\b",
            r"\.\./sha" r"red\b",
            r"\b(?:issue|ticket|task) (?:#|no\.? ?)?\d+\b",
            r"(?i:\b(?:clau" r"de|anthro" r"pic|chat" r"gpt|open" r"ai|copi" r"lot|gemi" r"ni)\b)",
            r"(?i:\b(?:A"
            r"I|LL"
            r"M)[- ](?:generated|assisted|written)|co-auth"
            r"ored-by|language mo"
            r"del)",
            r"(?i:\b(?:written|made|built|generated) by (?:an? )?(?:a" r"gent|assis" r"tant|a" r"i)\b)",
        ]
    )
)


def test_no_text_says_what_belongs_elsewhere(texts: Mapping[Path, str]) -> None:
    faults = [
        f"{path}:{number}: `{found.group()}`"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (found := LEFT_BEHIND.search(line))
    ]
    assert not faults, "open ends, machine paths or talk about who wrote it; say it otherwise:\n" + "\n".join(faults)


def test_no_text_points_to_a_host_that_is_not_on_the_list(texts: Mapping[Path, str]) -> None:
    faults = [
        f"{path}: {host}"
        for path, text in texts.items()
        for host in re.findall(r"\b(?:https?|wss?)://(?:[^/\s@]*@)?(\[::1\]|[a-z0-9.-]+\.[a-z0-9-]+|localhost)", text)
        if host not in HOSTS and not host.endswith((".example", ".test", ".invalid"))  # RFC 2606
    ]
    assert not faults, "hosts that HOSTS in this test does not list; is the link needed?\n" + "\n".join(faults)


def test_every_text_ends_with_one_newline_and_no_line_with_a_space(texts: Mapping[Path, str]) -> None:
    faults = [str(path) for path, text in texts.items() if text and (not text.endswith("\n") or text.endswith("\n\n"))]
    faults += [
        f"{path}:{number}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if line != line.rstrip() or "\r" in line
    ]
    assert not faults, "end each file with one newline, and no line with a space:\n" + "\n".join(faults)


def test_no_file_that_people_read_is_long(texts: Mapping[Path, str]) -> None:
    faults = [
        f"{path} has {text.count(chr(10))} lines"
        for path, text in texts.items()
        if path.suffix not in LINES_ARE_NOT_READ
        and text.count("\n") > (SQL_LINES_MAX if path.suffix == ".sql" else LINES_MAX)
    ]
    assert not faults, f"split it by noun; {LINES_MAX} lines are the most:\n" + "\n".join(faults)


def test_no_file_is_heavy(files: Sequence[Path], root: Path) -> None:
    limits = {".png": PNG_BYTES_MAX}
    faults = [
        f"{path} has {size:,} bytes"
        for path in files
        if (size := (root / path).stat().st_size) > limits.get(path.suffix, FILE_BYTES_MAX)
    ]
    assert not faults, "make it smaller, or leave it out:\n" + "\n".join(faults)


def test_no_module_has_a_name_that_says_nothing(files: Sequence[Path]) -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "tools"}
    faults = [str(path) for path in files if path.suffix == ".py" and {path.stem, *path.parts[:-1]} & empty]
    assert not faults, "name it after the noun it holds:\n" + "\n".join(faults)


def test_every_script_can_be_executed(files: Sequence[Path], root: Path) -> None:
    scripts = [path for path in files if (root / path).read_bytes().startswith(b"#!")]
    assert scripts
    faults = [str(path) for path in scripts if not (root / path).stat().st_mode & 0o100]
    assert not faults, "chmod +x:\n" + "\n".join(faults)
