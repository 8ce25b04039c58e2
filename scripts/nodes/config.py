"""The configuration of one Patroni: deploy/patroni.yml as it stands, and in the environment what differs by node."""

from pathlib import Path

from scripts.nodes.plan import SUPERUSER, Node, Plan

CONFIG = Path(__file__).parents[2] / "deploy" / "patroni.yml"


def environment(plan: Plan, node: Node, binaries: Path) -> dict[str, str]:
    """What deploy/systemd/patroni.env says of a machine, for a node on loopback."""
    users = {"SUPERUSER": SUPERUSER, "REPLICATION": "replicator", "REWIND": "rewind", "RESTAPI": "patroni"}
    said = {
        "NAME": node.name,
        "ETCD3_HOSTS": f"127.0.0.1:{plan.etcd}",
        "RESTAPI_LISTEN": f"127.0.0.1:{node.rest}",
        "RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:{node.rest}",
        "POSTGRESQL_LISTEN": f"127.0.0.1:{node.port}",
        "POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:{node.port}",
        "POSTGRESQL_DATA_DIR": str(plan.data(node)),
        "POSTGRESQL_BIN_DIR": str(binaries),
        "POSTGRESQL_PGPASS": str(plan.home(node) / "pgpass"),
    }
    for role, user in users.items():
        said |= {f"{role}_USERNAME": user, f"{role}_PASSWORD": plan.passwords[user]}
    return {f"PATRONI_{name}": value for name, value in said.items()}
