"""What a template looks like, with made-up people: files to open, and a page fit for a screenshot.

Here: :func:`preview`, which the command line calls. Not here: the templates and their examples.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from fisio_ayida.messaging.model import Channel, EmailContent, PushContent, WhatsappContent
from fisio_ayida.messaging.templates.registry import TEMPLATES, TemplateError
from fisio_ayida.messaging.templates.render import render
from fisio_ayida.messaging.templates.sources import environment

# Nothing is served there: .example is reserved (RFC 2606).
_WAY_OUT: Final = "https://clinica.example/descadastro"
_SENDER: Final = "Clínica Movimento & Ação <avisos@clinica.example>"
_REPLY_TO: Final = "recepcao@clinica.example"


def preview(name: str, channel: Channel | None = None, *, folder: Path) -> list[Path]:
    """Write a template's example to a folder, made if it is missing; gives the files, the page last.

    Args:
        channel: one of the template's; None: all of them.

    Raises:
        TemplateError: there is no such template, or not for this channel.
    """
    template = TEMPLATES.get(name)
    if template is None:
        raise TemplateError(f"template {name!r} does not exist; there are {', '.join(TEMPLATES)}")
    shown: dict[str, object] = {}
    parts: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for each in template.channels if channel is None else (channel,):
        content = render(
            name, each, template.example, unsubscribe_url=_WAY_OUT, sender=_SENDER, reply_to=_REPLY_TO
        )
        shown[each] = content
        match content:
            case EmailContent():
                parts[f"{name}.email.html"] = content.html or ""
                parts[f"{name}.email.txt"] = f"{content.subject}\n\n{content.text}"
                files |= {file.filename: base64.b64decode(file.content) for file in content.attachments}
            case WhatsappContent():
                parts[f"{name}.whatsapp.txt"] = f"{content.text}\n"
            case PushContent():
                parts[f"{name}.push.txt"] = f"{content.title}\n{content.body}\n"
    page = environment().get_template("preview.html.j2")
    clinic = template.example.get("clinica", "FisioFlow")
    parts[f"{name}.html"] = page.render(template=template, shown=shown, clinic=clinic)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file, written in (files | {file: words.encode() for file, words in parts.items()}).items():
        path = folder / file
        path.write_bytes(written)
        paths.append(path)
    return paths
