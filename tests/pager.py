"""Whoever is on call, as a real HTTP server."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Pager:
    """A real HTTP server that whoever is on call listens to. `answers` is the status; None hangs until the end."""

    def __init__(self, answers: int | None = 204, location: str | None = None) -> None:
        self.answers, self.got, self.ended = answers, list[dict[str, Any]](), threading.Event()
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                pager.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if pager.answers is None:
                    pager.ended.wait(30)
                    return
                self.send_response(pager.answers)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        class Server(socketserver.ThreadingMixIn, HTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/page"

    @contextmanager
    def listening(self) -> Iterator["Pager"]:
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield self
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
