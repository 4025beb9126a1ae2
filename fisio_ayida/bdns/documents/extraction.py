"""Reading texts from outside: a child process for many files, replaced when it dies or has to be killed.

What it does with a file is in ``reading``; what becomes of a reading is ``texts.py``'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import IO

import msgspec

from fisio_ayida.bdns.documents.errors import ReaderError
from fisio_ayida.bdns.documents.reading.protocol import (
    HEAD_BYTES,
    Limits,
    Outcome,
    Reading,
    Task,
    body_length,
    frame,
)

MODULE = "fisio_ayida.bdns.documents.reading"
START_SECONDS = 60.0  # a busy machine may take long to import
_LARGEST_ANSWER = 64 * 1024 * 1024


class TextReader:
    """One child at a time, started when it is first needed. Use it as a context manager, in one event loop."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._process: asyncio.subprocess.Process | None = None
        self._errors: IO[bytes] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> TextReader:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def read(self, path: Path, content_type: str) -> Reading:
        """The text of a file, or why there is none; a file that kills or holds up the child is an outcome.

        Raises:
            ReaderError: no child can be started.
        """
        async with self._turn:
            words = ""
            # Whatever ended a child that had read others may have had nothing to do with this file.
            for _ in range(2):
                process = await self._alive()
                try:
                    return await self._ask(process, Task(str(path), content_type))
                except (asyncio.IncompleteReadError, ConnectionError):
                    words = await self._end()
            return Reading(Outcome.FAILED, "none", f"the reading process died twice: {words}")

    async def _ask(self, process: asyncio.subprocess.Process, task: Task) -> Reading:
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            process.stdin.write(frame(task))
            async with asyncio.timeout(2 * self.limits.seconds):
                await process.stdin.drain()
                reading = await _answer(process)
        except TimeoutError:
            await self._end()
            return Reading(Outcome.LIMIT, "none", f"longer than {self.limits.seconds:g} s, and had to be ended")
        except asyncio.CancelledError:
            # In the middle: its answer would be taken for the next file's.
            await self._end()
            raise
        if reading.last:
            await self._end()
        return reading

    async def _alive(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self._end()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, msgspec.json.encode(self.limits).decode(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=self._errors,
            # Nothing of our environment: it has passwords, and the files are anybody's.
            env={"PYTHONPATH": os.pathsep.join(each for each in sys.path if each), "PYTHONUTF8": "1"},
        )  # fmt: skip
        try:
            async with asyncio.timeout(START_SECONDS):
                await _answer(self._process)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            words = await self._end() if isinstance(error, asyncio.IncompleteReadError) else "no sign of life"
            await self._end()
            raise ReaderError(f"the process that reads texts does not start: {words}") from None
        return self._process

    async def _end(self) -> str:
        """Kill the child if it lives; how it ended, in words."""
        process, self._process = self._process, None
        errors, self._errors = self._errors, None
        if process is None:
            return ""
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                # A moment for one that is dying by itself: its own end tells more than our signal.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await process.wait()
                if process.returncode is None:
                    process.kill()
        code = await process.wait()
        if process.stdin is not None:
            process.stdin.close()
        words = f"signal {-code}" if code < 0 else f"exit code {code}"
        if errors is not None:
            with errors:
                errors.seek(0)
                lines = errors.read(64 * 1024).decode("utf-8", "replace").strip().splitlines()
                words += f", {lines[-1][:200]}" if lines else ""
        return words


async def _answer(process: asyncio.subprocess.Process) -> Reading:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    length = body_length(await process.stdout.readexactly(HEAD_BYTES))
    if length > _LARGEST_ANSWER:
        raise asyncio.IncompleteReadError(b"", length)
    return msgspec.json.decode(await process.stdout.readexactly(length), type=Reading)
