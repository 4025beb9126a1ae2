"""A page that shows what phones would have received, as the bubbles of a conversation.

Here: HTML. Not here: where the messages come from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

_STYLE: Final = """
body{font:15px/1.4 system-ui,sans-serif;background:#e5ddd5;margin:0}
header{background:#075e54;color:#fff;padding:14px 24px}h1{font-size:18px;margin:0}
header p{margin:2px 0 0;opacity:.8}
main{max-width:680px;margin:0 auto;padding:12px 16px 60px}h2{font-size:14px;color:#54656f;margin:22px 0 6px}
.b{max-width:78%;padding:7px 11px;border-radius:8px;margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere;
box-shadow:0 1px 1px #0002}.mine{background:#dcf8c6;margin-left:auto}.theirs{background:#fff}
small{display:block;color:#667781;font-size:11px;text-align:right}form{display:flex;gap:6px;margin:6px 0}
input{flex:1;padding:6px 10px;border:1px solid #ccc;border-radius:16px}
button{border:0;border-radius:16px;padding:6px 12px;background:#25d366;color:#fff;cursor:pointer}
"""
_SCRIPT: Final = """
document.addEventListener('submit',async e=>{e.preventDefault();const f=e.target;
const text=f.text.value||(e.submitter&&e.submitter.value);if(!text)return;
await fetch('/_control/reply',{method:'POST',
body:JSON.stringify({number:f.dataset.number,text,quoted:f.dataset.quoted})});
location.reload()});
setInterval(()=>{if(!document.activeElement||document.activeElement.tagName!='INPUT')location.reload()},4000)
"""
_TICKS: Final = {"accepted": "✓", "delivered": "✓✓", "read": "✓✓ lida", "failed": "⚠ não entregue"}
SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message. ``status``: accepted, delivered, read or failed; empty for what the phone itself wrote."""

    number: str
    text: str
    at: float
    id: str
    status: str = ""


def page(title: str, bubbles: Iterable[Bubble]) -> str:
    """The page; the phones with the newest messages come first, and each can answer."""
    newest = sorted(bubbles, key=lambda bubble: bubble.at)[-SHOWN:]
    phones = dict.fromkeys(bubble.number for bubble in reversed(newest))
    talks = "".join(_talk(number, [b for b in newest if b.number == number]) for number in phones)
    return (
        f"<!doctype html><html lang='pt-BR'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body><header><h1>{escape(title)}</h1>"
        "<p>Simulação: nada daqui chega a um telefone.</p></header>"
        f"<main>{talks or '<h2>Nenhuma mensagem ainda.</h2>'}</main><script>{_SCRIPT}</script></body></html>"
    )


def _talk(number: str, bubbles: list[Bubble]) -> str:
    shown = "".join(
        f"<div class='b {'mine' if b.status else 'theirs'}'>{escape(b.text)}"
        f"<small>{_clock(b.at)} {_TICKS.get(b.status, '')}</small></div>"
        for b in bubbles
    )
    quoted = next((b.id for b in reversed(bubbles) if b.status), "")
    answers = "".join(f"<button value='{word}'>{word}</button>" for word in ("1", "2", "PARAR"))
    return (
        f"<h2>+{escape(number)}</h2>{shown}<form data-number='{escape(number, quote=True)}' "
        f"data-quoted='{escape(quoted, quote=True)}'><input name='text' placeholder='Responder'>{answers}</form>"
    )


def _clock(at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at, dt.UTC).astimezone():%H:%M:%S}"
