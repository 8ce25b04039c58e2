"""A PostgreSQL cluster with a synchronous standby on this machine: etcd and Patroni, for trying out and for tests.

It prints the URLs of the primary, whoever that is, and runs until Ctrl-C or SIGTERM; then nothing of it is left, except
the data, where --folder was given. SIGHUP starts the nodes that have ended, as a service manager would.
"""

import argparse
import json
import signal
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from scripts.nodes.cluster import Cluster, NotStarted
from scripts.nodes.plan import ADMIN, SERVER, Plan


def main() -> int:
    """Run until told to stop. 0 when everything was stopped, 1 when it did not start."""
    arguments = _arguments()
    place = (
        nullcontext(arguments.folder) if arguments.folder else tempfile.TemporaryDirectory(prefix="makegood-cluster-")
    )
    asked = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, asked)  # They wait until `sigwait` takes them: no start is cut in half.
    with place as folder:
        cluster = Cluster(Path(folder).absolute(), arguments.nodes)
        try:
            cluster.start()
            _tell(cluster, as_json=arguments.json)
            while signal.sigwait(asked) == signal.SIGHUP:
                cluster.mend()
                _tell(cluster, as_json=arguments.json)
        except NotStarted as error:
            _say(str(error))
            return 1
        finally:
            cluster.close()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/cluster", description=__doc__)
    parser.add_argument("--folder", help="keep the data here, and start from it again; otherwise a temporary folder")
    parser.add_argument("--nodes", type=int, default=3, choices=(2, 3, 4, 5), help="of PostgreSQL (default 3)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of text")
    return parser.parse_args()


def _tell(cluster: Cluster, *, as_json: bool) -> None:
    plan, pids = cluster.plan, cluster.pids()
    if as_json:
        nodes = [
            {
                "name": node.name,
                "port": node.port,
                "rest": node.rest,
                "pid": pids[node.name],
                "data": str(plan.data(node)),
            }
            for node in plan.nodes
        ]
        urls = {"url": plan.url(SERVER), "admin_url": plan.url(ADMIN), "etcd": f"127.0.0.1:{plan.etcd}"}
        print(json.dumps(urls | {"folder": str(plan.folder), "nodes": nodes}), flush=True)  # noqa: T201
        return
    for line in _lines(plan, pids):
        print(line, flush=True)  # noqa: T201


def _lines(plan: Plan, pids: dict[str, int]) -> list[str]:
    return [
        f"for `makegood serve`:        {plan.url(SERVER)}",
        f"for `makegood house create`: {plan.url(ADMIN)}",
        *(
            f"{node.name}: PostgreSQL on port {node.port}, Patroni on port {node.rest}, process {pids[node.name]}"
            for node in plan.nodes
        ),
        f"logs and data: {plan.folder}",
        "Ctrl-C stops everything; `kill -HUP` of this process starts nodes that were killed.",
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
