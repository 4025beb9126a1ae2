"""A small program that turns into a PostgreSQL program, as another user and detached when asked.

Here: giving up root, keeping one capability where folders need it, leaving the starter's process group.
Not here: any decision; it is run as a script, imports nothing of the package and so starts in 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import sys

# linux/capability.h: both let a process pass through folders that belong to somebody else;
# the first can only read, the second is what a container has by default.
CAP_DAC_READ_SEARCH = 2
CAP_DAC_OVERRIDE = 1
PR_SET_KEEPCAPS = 8
PR_CAPBSET_READ = 23
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522


def become(uid: int, gid: int, *, keep_search: bool) -> None:
    """Drop root for good; with `keep_search`, still pass through folders closed to the new user.

    PostgreSQL refuses to run as root, yet a root user's checkout often lies in a folder of mode 0700.
    Opening that folder to everybody would be the other way.
    """
    if not keep_search:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    usable = [cap for cap in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if libc.prctl(PR_CAPBSET_READ, cap) == 1]
    _check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    capability = usable[0] if usable else CAP_DAC_OVERRIDE
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    _check(libc.capset(header, data))
    _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def main(arguments: list[str]) -> None:
    """launcher.py (wait|detach) UID GID (plain|search) PROGRAM ARGUMENT... ; UID -1 keeps the user."""
    mode, uid, gid, search, *command = arguments
    if mode == "detach":
        # Two forks: the server is nobody's child that could stay behind as a zombie, and a session of its
        # own keeps Ctrl-C in the starter's terminal and a kill of its process group away from it.
        if os.fork():
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
    os.umask(0o077)
    if int(uid) >= 0:
        become(int(uid), int(gid), keep_search=search == "search")
    os.execv(command[0], command)  # noqa: S606  there is no shell, and the caller chose the program


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(sys.argv[1:])
