"""Runs one command and writes what it took as JSON: ``launch.py RESULT LOG COMMAND...``.

A process of its own, because the kernel starts a child's peak memory at the size of whoever forked it:
this one is small. Imports nothing of the project; started with ``python -I -S``.
"""

import json
import os
import sys
import time


def main(result: str, log: str, command: list[str]) -> None:
    """Start, wait, write."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.dup2(output, 1)
        os.dup2(output, 2)
        try:
            os.execvp(command[0], command)  # noqa: S606 - there is no shell in between
        finally:
            os._exit(127)
    _, status, used = os.wait4(pid, 0)
    found = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
        "code": os.waitstatus_to_exitcode(status),
    }
    with open(result, "w") as file:  # noqa: PTH123 - pathlib would make this process larger
        json.dump(found, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
