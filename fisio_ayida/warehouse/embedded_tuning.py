"""The embedded server's own settings: bulk loads on a small machine, nothing lost on a crash.

Here: values and the reason for each; they are handed over at every start, so a new version takes effect.
Not here: how the server is started (embedded.py).
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

MB = 1024 * 1024
SHARED_BUFFERS_MB = 512
SHARED_BUFFERS_LEAST_MB = 32
# A container's /dev/shm is 64 MB unless asked otherwise; parallel queries want more.
SHM_ENOUGH_MB = 1024


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a caller may choose. Taken by whoever starts the server; a running one stays as it is.

    Attributes:
        fsync: False is for tests on throw-away data only: a machine crash then loses the database.
        shared_buffers_mb: memory for the page cache; by default 512, or an eighth of a smaller machine.
    """

    fsync: bool = True
    shared_buffers_mb: int | None = None

    def options(self, binaries: Path) -> dict[str, str]:
        """PostgreSQL's names and values."""
        buffers = self.shared_buffers_mb or max(
            SHARED_BUFFERS_LEAST_MB, min(SHARED_BUFFERS_MB, memory_bytes() // MB // 8)
        )
        shm = os.statvfs("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108  only measured
        shm_mb = shm.f_frsize * shm.f_blocks // MB if shm else 0
        options = {
            "listen_addresses": "",
            "max_connections": "60",
            "shared_buffers": f"{buffers}MB",
            "dynamic_shared_memory_type": "posix" if shm_mb >= SHM_ENOUGH_MB else "mmap",
            "maintenance_work_mem": f"{max(16, buffers // 4)}MB",
            # Rare, long checkpoints: a first load writes each page once and not every five minutes.
            "max_wal_size": "4GB",
            "checkpoint_timeout": "15min",
            "checkpoint_completion_target": "0.9",
            # Nothing replicates from here; a table filled in the transaction that made it skips the log.
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_logical_replication_workers": "0",
            "synchronous_commit": "on",
            "fsync": "on" if self.fsync else "off",
            "full_page_writes": "on" if self.fsync else "off",
            "autovacuum": "on",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "log_min_messages": "warning",
            # A statement's values may be personal data: keep them out of the log of errors.
            "log_min_error_statement": "panic",
            "log_parameter_max_length_on_error": "0",
        }
        if _compiled_with_lz4(binaries):
            options["wal_compression"] = "lz4"
        return options


def memory_bytes() -> int:
    """Memory that we may use: the machine's, or the container's limit when that is lower."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return min(machine, int(text))
    return machine


def _compiled_with_lz4(binaries: Path) -> bool:
    answer = subprocess.run([binaries / "pg_config", "--configure"], capture_output=True, text=True, check=False)
    return "--with-lz4" in answer.stdout
