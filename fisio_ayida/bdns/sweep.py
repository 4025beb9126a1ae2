"""How all the rows of a window are asked for: pages, lists, trees, and the detail behind each row.

Gives batches of decoded records in the order in which they came. What is done with them is not
known here, and nothing is remembered between two sweeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from fisio_ayida.bdns.answers import raise_api_error
from fisio_ayida.bdns.client import BdnsClient
from fisio_ayida.bdns.errors import ContractBroken, RequestRefused, UnusableBody
from fisio_ayida.bdns.records import Batch, Reject, decode_envelope, decode_objects, decode_page
from fisio_ayida.bdns.registry import Dataset, Sweep
from fisio_ayida.bdns.windows import Window

MOST_PAGES = 100_000  # a source that never says "last" must not keep us for ever


async def sweep(window: Window, client: BdnsClient, page_size: int) -> AsyncGenerator[Batch]:
    """All rows of ``window``, batch by batch; raises the client's errors and :class:`ContractBroken`."""
    dataset = window.dataset
    if dataset.sweep in (Sweep.LIST, Sweep.TREE):
        yield await _whole_answer(window, client)
        return
    if dataset.sweep is Sweep.PAGES:
        async with aclosing(_pages(window, client, page_size, _accept_rows(dataset))) as batches:
            async for batch in batches:
                yield batch
                del batch  # ten thousand records: gone before the next ten thousand are decoded
        return
    async with aclosing(_pages(window, client, page_size, _accept_listing)) as listings:
        async for listing in listings:
            yield await _with_details(dataset, listing, client)


@dataclass(frozen=True, slots=True)
class _Listing:
    """A page of rows that are only the way to their details."""

    rows: list[msgspec.Raw]
    total: int
    last: bool | None
    url: str

    @property
    def received(self) -> int:
        return len(self.rows)


class _Page(Protocol):
    @property
    def received(self) -> int: ...

    @property
    def last(self) -> bool | None: ...


P = TypeVar("P", bound=_Page)


async def _pages(
    window: Window, client: BdnsClient, page_size: int, accept: Callable[[bytes, str], P]
) -> AsyncGenerator[P]:
    """Pages; the next request is on its way before a page is handed out."""
    dataset = window.dataset
    query = {**window.parameters(), "pageSize": str(page_size)}
    if dataset.order:
        query |= {"order": dataset.order, "direccion": "asc"}

    def ask(number: int, sent: asyncio.Event) -> asyncio.Task[P]:
        return asyncio.create_task(
            client.get(
                dataset.path,
                {**query, "page": str(number)},
                allowed=dataset.parameters,
                decode=accept,
                timeout=client.page_timeout,
                sent=sent,
            )
        )

    sent = asyncio.Event()
    task = ask(0, sent)
    try:
        for number in range(MOST_PAGES):
            page = await task
            last = page.last is True or not page.received
            if not last:
                sent = asyncio.Event()
                task = ask(number + 1, sent)
                on_its_way = asyncio.create_task(sent.wait())
                await asyncio.wait({task, on_its_way}, return_when=asyncio.FIRST_COMPLETED)
                on_its_way.cancel()
            yield page
            del page
            if last:
                return
        raise ContractBroken(f"{dataset.path}: more than {MOST_PAGES} pages and none says it is the last")
    finally:
        if not task.done():
            task.cancel()


def _accept_rows(dataset: Dataset) -> Callable[[bytes, str], Batch]:
    def accept(body: bytes, url: str) -> Batch:
        batch = decode_page(dataset, body, url)
        if batch.total is None:
            raise_api_error(body, url)
            raise UnusableBody(url, 200, "no content or totalElements in a search page")
        return batch

    return accept


def _accept_listing(body: bytes, url: str) -> _Listing:
    envelope = decode_envelope(body)
    if envelope.content is None or envelope.totalElements is None:
        raise_api_error(body, url)
        raise UnusableBody(url, 200, "no content or totalElements in a search page")
    return _Listing(envelope.content, envelope.totalElements, envelope.last, url)


async def _whole_answer(window: Window, client: BdnsClient) -> Batch:
    dataset = window.dataset
    query = window.parameters()
    items, url = await client.get(
        dataset.path, query, allowed=dataset.parameters, decode=_accept_list(dataset), timeout=client.page_timeout
    )
    partition = window.partitions[0] if dataset.partition_parameter else None
    rows = _tree_rows(items) if dataset.sweep is Sweep.TREE else items
    if partition is not None:
        rows = [{**row, "particion": partition} for row in rows]
    return decode_objects(dataset, list(rows), url)


def _accept_list(dataset: Dataset) -> Any:
    def accept(body: bytes, url: str) -> tuple[list[dict[str, Any]], str]:
        if not body:
            return [], url  # 204: a catalogue with nothing to return
        answer = msgspec.json.decode(body)
        if dataset.sections and isinstance(answer, dict):
            answer = [
                {**item, "seccion": value} for key, value in dataset.sections for item in answer.get(key) or ()
            ]
        if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
            raise UnusableBody(url, 200, "expected an array of objects")
        return answer, url

    return accept


def _tree_rows(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(_walk(nodes, (), None))


def _walk(nodes: list[dict[str, Any]], path: tuple[str, ...], parent: Any) -> Iterator[dict[str, Any]]:
    for node in nodes:
        fields = {k: v for k, v in node.items() if k != "children"}
        children = node.get("children") or []
        ids = (*path, str(node.get("id")))
        yield fields | {
            "rutaIds": "/".join(ids),
            "nivel": len(ids),
            "idPadre": parent,
            "hoja": not children,
        }
        yield from _walk(children, ids, node.get("id"))


async def _with_details(dataset: Dataset, listing: _Listing, client: BdnsClient) -> Batch:
    """One page of a listing with the detail of every row, as many calls at once as are allowed."""
    url = listing.url
    gate = asyncio.Semaphore(client.max_in_flight)

    async def complete(raw: msgspec.Raw) -> tuple[dict[str, Any] | None, Reject | None]:
        async with gate:
            return await _completed(dataset, raw, url, client)

    rows = listing.rows
    batch = Batch([], received=len(rows), total=listing.total, last=listing.last)
    step = max(client.max_in_flight * 8, 1)
    for start in range(0, len(rows), step):
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(complete(raw)) for raw in rows[start : start + step]]
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None  # one call's own error, which callers know
        for task in tasks:
            item, reject = task.result()
            if reject is not None:
                batch.rejects.append(reject)
            if item is None:
                continue
            position = len(batch.records)
            one = decode_objects(dataset, [item], url)
            batch.rejects += one.rejects
            batch.drifts += one.drifts
            for record in one.records:
                if reject is not None:
                    batch.partial.add(position)
                if one.extras:
                    batch.extras[position] = one.extras[0]
                batch.records.append(record)
    return batch


async def _completed(
    dataset: Dataset, raw: msgspec.Raw, url: str, client: BdnsClient
) -> tuple[dict[str, Any] | None, Reject | None]:
    """The listing row joined with its detail; or the row alone and why there is no detail."""
    assert dataset.detail is not None  # noqa: S101 - by the sweep's kind
    try:
        listed = msgspec.json.decode(raw)
        key = listed[dataset.detail.listing_field]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        words = f"listing row without {dataset.detail.listing_field}: {error}"
        return None, Reject(words, bytes(raw).decode("utf-8", "backslashreplace"), None, url)
    if key is None or key == "":
        words = f"{dataset.detail.listing_field} is empty"
        return None, Reject(words, bytes(raw).decode("utf-8", "backslashreplace"), None, url)
    try:
        detail = await fetch_detail(dataset, str(key), client)
    except (UnusableBody, RequestRefused) as error:
        words = f"no usable detail: {error}"
        return joined(dataset, listed, None), Reject(words, bytes(raw).decode(), str(key), error.url)
    if detail is None:
        words = "the detail call has no answer for a listed code"
        return joined(dataset, listed, None), Reject(words, bytes(raw).decode(), str(key), url)
    return joined(dataset, listed, detail), None


async def fetch_detail(dataset: Dataset, key: str, client: BdnsClient) -> dict[str, Any] | None:
    """The detail of one record, None where the source has none (CONTRACT §5.4: not proof of withdrawal)."""
    assert dataset.detail is not None  # noqa: S101 - by the sweep's kind
    return await client.get(
        dataset.detail.path,
        {dataset.detail.parameter: key},
        allowed=(dataset.detail.parameter, "vpd"),
        decode=_accept_object,
        timeout=client.detail_timeout,
        retry_html=False,
    )


async def listed_row(dataset: Dataset, key: str, client: BdnsClient) -> dict[str, Any] | None:
    """The listing's row of one record, by the filter of the same name."""
    assert dataset.detail is not None  # noqa: S101 - by the sweep's kind
    page = await client.get(
        dataset.path,
        {dataset.detail.listing_field: key, "pageSize": "1"},
        allowed=dataset.parameters,
        decode=_accept_listing,
        timeout=client.page_timeout,
    )
    rows = [msgspec.json.decode(raw) for raw in page.rows]
    return next((r for r in rows if str(r.get(dataset.detail.listing_field)) == key), None)


def _accept_object(body: bytes, url: str) -> dict[str, Any] | None:
    answer = msgspec.json.decode(body) if body else None
    if answer is not None and not isinstance(answer, dict):
        raise UnusableBody(url, 200, "expected an object")
    return answer or None


# The listing names some fields otherwise than the detail, or lacks their place in the nest.
_RENAMED = {"convocatorias": {"numeroConvocatoria": "codigoBDNS"}}
_UNNESTED: dict[str, Mapping[str, Mapping[str, str]]] = {
    "convocatorias": {
        "organo": {"nivel1": "nivel1", "nivel2": "nivel2", "nivel3": "nivel3"},
        "reglamento": {
            "descripcion": "reglamentoDescripcion",
            "orden": "reglamentoOrden",
            "autorizacion": "reglamentoOrden",
        },
    }
}


def joined(dataset: Dataset, listed: Mapping[str, Any], detail: Mapping[str, Any] | None) -> dict[str, Any]:
    """One flat record from the two answers; where both speak, the detail is what is kept."""
    renamed = _RENAMED.get(dataset.name, {})
    record = {renamed.get(k, k): v for k, v in listed.items() if k not in dataset.volatile}
    record["conDetalle"] = detail is not None
    if detail is None:
        listed_lists = [c.field for c in dataset.columns if c.type == "text[]"]
        for name in listed_lists:
            if isinstance(record.get(name), str):
                record[name] = [part for part in record[name].split(";") if part]
        return record
    nests = _UNNESTED.get(dataset.name, {})
    for name, value in detail.items():
        if name in dataset.volatile:
            continue
        if name not in nests:
            record[name] = value
            continue
        for inner, content in (value or {}).items():
            record[nests[name].get(inner, f"{name}.{inner}")] = content
    return record
