"""A wire to a server that can be cut: every connection at once, or in the middle of each answer."""

import asyncio
from contextlib import suppress

CHUNK_BYTES = 65_536


class Wire:
    """Listens on a port of its own and passes on to `port`. While `cuts_answers`, half of an answer arrives."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = ""
        self.cuts_answers = False
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._running: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Afterwards `address` can be called."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=512)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Drop every connection now."""
        for writer in list(self._open):
            writer.transport.abort()

    async def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._join(reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        self._open.add(writer)
        try:
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
                ends.append(far_writer)
                self._open.add(far_writer)
                await asyncio.gather(
                    self._pass(reader, far_writer, answers=False), self._pass(far_reader, writer, answers=True)
                )
        finally:
            for end in ends:
                self._open.discard(end)
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        """Until one side closes; then the other is closed, too."""
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                cutting = answers and self.cuts_answers
                writer.write(data[: len(data) // 2] if cutting else data)
                await writer.drain()
                if cutting:
                    break
        writer.close()
