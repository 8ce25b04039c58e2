"""The files of deploy/ fit each other and what they deploy. Patroni itself reads patroni.yml in test_failover."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from makegood.settings import Settings
from makegood.store import embedded
from makegood.store.embedded import config

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
EXPOSURE_MAX = 20  # Tenths, of 100, as `systemd-analyze security` counts; a unit without any hardening has 96.


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="mg"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], check=False, capture_output=True, text=True)


def variables(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", text, flags=re.MULTILINE))


def test_the_nodes_of_a_cluster_have_the_settings_of_the_embedded_server(folder: Path) -> None:
    embedded.start(folder).close()
    text = config.BASE + (folder / "postgres" / config.OURS).read_text()
    wanted = dict(re.findall(r"^(\w+) = '?(.*?)'?$", text, flags=re.MULTILINE))
    parameters = read("patroni.yml")["bootstrap"]["dcs"]["postgresql"]["parameters"]
    given = {name: str(value) for name, value in parameters.items()}
    # Sizes and the way to sync go by the machine; nodes talk to each other over TCP, and have no socket.
    different = {name for name, value in wanted.items() if given.get(name) != value}
    sizes = {"shared_buffers", "effective_cache_size", "max_wal_size", "min_wal_size", "maintenance_work_mem"}
    sizes.add("recovery_init_sync_method")
    assert len(wanted) > 20
    assert different <= sizes | {"listen_addresses", "unix_socket_permissions", "include_if_exists"}


def test_patroni_adjusts_nothing_for_the_times_fit_each_other() -> None:
    dcs = read("patroni.yml")["bootstrap"]["dcs"]
    assert dcs["ttl"] >= 20 and dcs["loop_wait"] >= 1 and dcs["retry_timeout"] >= 3
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"]
    assert dcs["synchronous_mode"] is True


def test_no_secret_stands_in_a_file_that_all_nodes_share() -> None:
    text = (DEPLOY / "patroni.yml").read_text() + (DEPLOY / "compose.yaml").read_text()
    assert not re.search(r"(?i)password: +[^$\s]|:[^$@\s]+@", text)


def test_the_passwords_of_a_cluster_stay_out_of_the_image() -> None:
    assert "build: {context: .., dockerfile" in (DEPLOY / "compose.yaml").read_text()
    assert {".git", ".venv", "**/.env", "keys"} <= set((DEPLOY.parent / ".dockerignore").read_text().splitlines())


def test_units_and_compose_set_only_settings_that_there_are() -> None:
    known = {f"MAKEGOOD_{field.name.upper()}" for field in fields(Settings)}
    given = set(variables((DEPLOY / "systemd" / "makegood.env").read_text()))
    composed = read("compose.yaml")["services"]["makegood"]["environment"]
    given |= {name for name in composed if name.startswith("MAKEGOOD_")}
    assert given and {name.removesuffix("_FILE") for name in given} <= known


def test_compose_and_systemd_tell_each_node_the_same_things() -> None:
    by_hand = set(variables((DEPLOY / "systemd" / "patroni.env").read_text()))
    composed = read("compose.yaml")["services"]["db1"]["environment"]
    missing = by_hand - set(composed)
    assert not missing


def test_compose_opens_ports_to_this_machine_only_and_names_only_what_it_has() -> None:
    compose = read("compose.yaml")
    services = compose["services"]
    ports = [str(port) for service in services.values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)
    for service in services.values():
        volumes = [volume.split(":")[0] for volume in service.get("volumes", [])]
        assert {volume for volume in volumes if not volume.startswith(".")} <= set(compose["volumes"])
        assert all((DEPLOY / volume).exists() for volume in volumes if volume.startswith("."))
        assert set(service.get("depends_on", [])) <= set(services)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_well_formed_and_leaves_its_program_few_rights(unit: Path, folder: Path) -> None:
    copy = folder / unit.name
    copy.write_text(re.sub(r"^(ExecStart=)\S+", r"\1/bin/true", unit.read_text(), flags=re.MULTILINE))
    verified = analyze("verify", "--man=no", str(copy))
    assert (verified.returncode, verified.stderr) == (0, "")
    exposed = analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}", str(copy))
    assert exposed.returncode == 0, exposed.stdout[-200:]
