"""Fetch, decode and bulk-write by Arrow: one stage of ``limits.py``, run where ADBC is installed.

Reads its order (URLs, table, columns) as JSON from standard input and answers with the seconds it took.
Imports nothing of the project.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import adbc_driver_postgresql.dbapi as adbc  # type: ignore[import-not-found]
import msgspec
import pyarrow as pa  # type: ignore[import-not-found]

_TYPES: dict[str, tuple[Any, pa.DataType]] = {
    "bigint": (int, pa.int64()),
    "text": (str, pa.string()),
    "date": (str, pa.string()),
    "numeric": (float, pa.float64()),
    "boolean": (bool, pa.bool_()),
}
_CASTS = {"date": pa.date32(), "numeric": pa.decimal128(18, 2)}


def main() -> None:
    """One run."""
    order = json.load(sys.stdin)
    columns = order["columns"]
    row = msgspec.defstruct("Row", [(field, _TYPES[kind][0] | None, None) for field, _, kind in columns], gc=False)
    page: Any = msgspec.defstruct("Page", [("content", list[row])])  # type: ignore[valid-type]
    decode = msgspec.json.Decoder(page).decode
    parts = urlsplit(order["urls"][0])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def get(url: str) -> bytes:
        connection.request("GET", url[url.index("/", 8) :])
        return connection.getresponse().read()

    def as_table(records: list[Any]) -> pa.Table:
        arrays = []
        for field, _, kind in columns:
            array = pa.array([getattr(record, field) for record in records], _TYPES[kind][1])
            arrays.append(array.cast(_CASTS[kind]) if kind in _CASTS else array)
        return pa.table(arrays, names=[name for _, name, _ in columns])

    with adbc.connect(order["dsn"]) as database, database.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        started = time.perf_counter()
        coming = pool.submit(get, order["urls"][0])
        for number, url in enumerate((*order["urls"][1:], None), start=1):
            body = coming.result()
            if url is not None:
                coming = pool.submit(get, url)
            cursor.adbc_ingest(order["table"], as_table(decode(body).content), mode="append")
            if number % order["pages_a_commit"] == 0:
                database.commit()
        database.commit()
        print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
