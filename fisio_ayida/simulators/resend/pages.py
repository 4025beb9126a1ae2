"""Pages on which a newcomer sees what would have gone out.

Here: HTML. Not here: where the e-mails come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from fisio_ayida.simulators.resend.world import Mail
from fisio_ayida.simulators.sheet import sheet, table

#: Path of one e-mail.
MAIL: Final = "/_mail/"
SHOWN: Final = 200
_NOTE: Final = "Resend simulado: nada daqui chega a ninguém."


def listing(mails: Sequence[Mail]) -> str:
    """The newest e-mails."""
    rows = [
        (
            f"{mail.at.astimezone():%d/%m %H:%M:%S}",
            escape(", ".join(mail.to)),
            f"<a href='{MAIL}{mail.id}'>{escape(mail.subject)}</a>",
            escape(mail.last_event),
        )
        for mail in reversed(mails[-SHOWN:])
    ]
    return sheet(f"{len(mails)} e-mails", _NOTE, table(("Hora", "Para", "Assunto", "Estado"), rows))


def shown(mail: Mail | None) -> str:
    """One e-mail; its HTML runs no script and opens nothing by itself."""
    if mail is None:
        return sheet("Não encontrado", _NOTE, "<p>Este e-mail não existe.</p>")
    facts = {
        "De": mail.sender,
        "Para": ", ".join(mail.to),
        "Cópia": ", ".join(mail.cc),
        "Responder a": ", ".join(mail.reply_to),
        "Chave": mail.key or "",
        "Marcas": ", ".join(f"{name}={value}" for name, value in mail.tags.items()),
        "Cabeçalhos": ", ".join(f"{name}: {value}" for name, value in mail.headers.items()),
        "Anexos": ", ".join(str(each.get("filename")) for each in mail.attachments),
    }
    told = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    html = f"<iframe sandbox srcdoc='{escape(mail.html, quote=True)}'></iframe>" if mail.html else ""
    text = f"<pre>{escape(mail.text)}</pre>" if mail.text else ""
    return sheet(mail.subject, _NOTE, f"<dl>{told}</dl>{html}{text}<p><a href='/'>Todos</a></p>")
