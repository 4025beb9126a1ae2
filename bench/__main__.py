"""``python -m bench [NAME] [options]``: one benchmark, or all of them one after the other.

Each runs in a process of its own, so that none inherits the memory or the imports of another.
"""

from __future__ import annotations

import importlib
import subprocess
import sys

from bench.harness import BenchError

NAMES = (
    *("startup", "pace", "limits", "growth", "peer", "documents"),
    *("events-gateway", "events-drain", "events-latency"),
    *("messaging-plan", "messaging-dispatch", "messaging-pace", "messaging-histories"),
    *("clinic-jobs", "insights"),
)
USAGE = f"usage: python -m bench [{' | '.join(NAMES)}] [--quick] [options of that benchmark; -h lists them]"


def main(arguments: list[str]) -> int:
    """Run what was named; without a name, everything, passing the options on."""
    if arguments and arguments[0] in NAMES:
        try:
            return int(importlib.import_module(f"bench.{arguments[0].replace('-', '_')}").main(arguments[1:]))
        except BenchError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    if any(not each.startswith("--quick") for each in arguments):
        print(USAGE, file=sys.stderr)
        return 0 if "-h" in arguments or "--help" in arguments else 2
    commands = {name: [sys.executable, "-m", "bench", name, *arguments] for name in NAMES}
    failed = [name for name, command in commands.items() if subprocess.run(command, check=False).returncode]
    if failed:
        print(f"could not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
