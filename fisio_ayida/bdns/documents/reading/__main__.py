"""The loop of the reading process: limits first, then one file after the other until the other side is gone.

Started by ``extraction.py`` with the limits as its only argument.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from typing import BinaryIO

import msgspec

from fisio_ayida.bdns.documents.reading.files import read
from fisio_ayida.bdns.documents.reading.protocol import Limits, Outcome, Reading, Task, frame, read_frame

_OUTPUT_BYTES = 1024 * 1024  # what may be written to any file: only standard error is


def main(argument: str) -> int:
    """Until the other side has closed, or memory ran out: then a fresh process takes over."""
    limits = msgspec.json.decode(argument, type=Limits)
    answers = _only_answers()
    _bound(limits)
    answers.write(frame(Reading(Outcome.EMPTY, "ready")))
    answers.flush()
    while (body := read_frame(sys.stdin.buffer)) is not None:
        task = msgspec.json.decode(body, type=Task)
        # The system ends us if nobody else does: our parent may be dead.
        signal.setitimer(signal.ITIMER_REAL, 3 * limits.seconds + 5)
        try:
            reading = read(task, limits)
        except MemoryError:
            words = f"more than {limits.memory_bytes} bytes of memory"
            reading = Reading(Outcome.LIMIT, "none", words, last=True)
        except RecursionError:
            reading = Reading(Outcome.FAILED, "none", "nested too deeply")
        except Exception as error:
            # A reader's own error; its words may quote the file, its name does not.
            reading = Reading(Outcome.FAILED, "none", f"the reader failed: {type(error).__name__}")
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(frame(reading))
        answers.flush()
        if reading.last:
            return 0
    return 0


def _only_answers() -> BinaryIO:
    """Standard output for answers alone: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _bound(limits: Limits) -> None:
    """What the system enforces, whatever a reader does."""
    with contextlib.suppress(ValueError, OSError):  # a lower limit may be in force already
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_OUTPUT_BYTES, _OUTPUT_BYTES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
