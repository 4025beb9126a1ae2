"""The page envelope of every search, and the pages kept on disk for benchmarks.

Rows arrive as JSON bytes and leave as one body; which rows is decided by world.py.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Final

from fisio_ayida.simulators.bdns.query import Query
from fisio_ayida.simulators.bdns.text import ADVERTENCIA, dumps
from fisio_ayida.simulators.bdns.world import World

ULTIMAS_CAP: Final = 10_000
_NOTICE: Final = b'"advertencia":' + dumps(ADVERTENCIA)
_SORT: Final = b'{"empty":false,"sorted":true,"unsorted":false}'


def page(world: World, query: Query, cap: int | None = None) -> bytes:
    """One page of a search as the service writes it."""
    selection = world.select(query)
    total = selection.total if cap is None else min(selection.total, cap)
    start = query.page * query.size
    # The capped feed holds the newest rows, whichever way it is sorted.
    skipped = 0 if query.descending else selection.total - total
    first, last = min(start, total) + skipped, min(start + query.size, total) + skipped
    rows = selection.slice(first, last, query.descending)
    return envelope(
        world.render(query.dataset, rows), query, total, world.finish(query.dataset), world.next_call()
    )


def envelope(rows: list[bytes], query: Query, total: int, extra: tuple[bytes, ...], call: int) -> bytes:
    """Rows in their envelope; the order of the keys varies from call to call (Q19)."""
    pages = -(-total // query.size)
    pageable = b'{"sort":%b,"offset":%d,"pageNumber":%d,"pageSize":%d,"paged":true,"unpaged":false}' % (
        _SORT,
        query.page * query.size,
        query.page,
        query.size,
    )
    fields = [
        b'"content":[%b]' % b",".join(rows),
        b'"pageable":' + pageable,
        b'"last":' + _flag(query.page + 1 >= pages),
        b'"totalPages":%d' % pages,
        b'"totalElements":%d' % total,
        b'"size":%d' % query.size,
        b'"number":%d' % query.page,
        b'"sort":' + _SORT,
        b'"first":' + _flag(query.page == 0),
        b'"numberOfElements":%d' % len(rows),
        b'"empty":' + _flag(not rows),
        *extra,
        _NOTICE,
    ]
    match call % 3:
        case 1:
            fields.sort()
        case 2:
            fields = fields[1:] + fields[:1]
    return b"{%b}" % b",".join(fields)


def _flag(value: bool) -> bytes:
    return b"true" if value else b"false"


class PageCache:
    """Rendered pages on disk under a hash of the query and the state of the data."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder = folder
        self.world = world
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, query: Query) -> Path:
        """Where a page is kept."""
        world = self.world
        state = f"{world.config!r}|{world.timeline.steps!r}|{world.quirks.on('Q2')}|{query.text()}"
        return self.folder / f"{blake2b(state.encode(), digest_size=20).hexdigest()}.json"

    def read(self, query: Query) -> bytes:
        """The page, rendered now if it was not kept yet."""
        path = self.path(query)
        if path.is_file():
            return path.read_bytes()
        body = page(self.world, query)
        part = path.with_suffix(".part")
        part.write_bytes(body)
        part.replace(path)
        return body
