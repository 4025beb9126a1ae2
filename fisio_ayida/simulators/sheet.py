"""A plain page of a stand-in: a title, a note, a table.

Here: HTML. Not here: what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#1c1e21}
header{background:#111;color:#fff;padding:14px 24px}h1{font-size:18px;margin:0}header p{margin:2px 0 0;opacity:.75}
main{max-width:960px;margin:0 auto;padding:16px}table{width:100%;border-collapse:collapse;background:#fff}
th,td{text-align:left;padding:8px 10px;border-bottom:1px solid #e4e6eb;overflow-wrap:anywhere}
dt{color:#65676b;font-size:13px}dd{margin:0 0 8px}pre{white-space:pre-wrap;background:#fff;padding:12px}
iframe{width:100%;height:640px;border:1px solid #e4e6eb;background:#fff}
"""


def sheet(title: str, note: str, content: str) -> str:
    """The page; ``content`` is HTML."""
    return (
        f"<!doctype html><html lang='pt-BR'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body><header><h1>{escape(title)}</h1>"
        f"<p>{escape(note)}</p></header><main>{content}</main></body></html>"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are HTML."""
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    names = "".join(f"<th>{escape(head)}</th>" for head in heads)
    return f"<table><tr>{names}</tr>{lines}</table>" if lines else "<p>Ainda não há nada.</p>"
