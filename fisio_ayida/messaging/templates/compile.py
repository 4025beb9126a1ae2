"""E-mail sources (MJML) to the HTML that is sent: tables that old mail programs understand.

Run as ``python -m fisio_ayida.messaging.templates.compile`` after a change in ``mail/``; needs the dev extra.
Here: the two steps. Not here: what is put in when a message is sent; the braces for it pass through untouched.
"""

from __future__ import annotations

import re
from typing import Final

from fisio_ayida.messaging.templates.registry import TEMPLATES
from fisio_ayida.messaging.templates.sources import FOLDER, check_registry

_MAIL: Final = FOLDER / "mail"
_STYLES: Final = {
    "cabeca": "padding:6px 0 6px 10px;font-size:12px;font-weight:600;border-bottom:2px solid #d5e2e0;",
    "celula": "padding:8px 0 8px 10px;border-bottom:1px solid #e3ebea;",
    "cabeca_esquerda": "padding:6px 0;font-size:12px;font-weight:600;border-bottom:2px solid #d5e2e0;",
    "celula_esquerda": "padding:8px 0;border-bottom:1px solid #e3ebea;",
}
_BETWEEN_TAGS: Final = re.compile(r">\s*\n\s*<")
_BETWEEN_LINES: Final = re.compile(r"\n\s*")


def compile_all() -> dict[str, str]:
    """The HTML of every e-mail, by template.

    Raises:
        ValueError: a source is not MJML.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from mjml import mjml2html

    # The layout is put together with square brackets, so that the braces of the message remain.
    layout = Environment(  # noqa: S701 - our own sources, and MJML is what comes out
        loader=FileSystemLoader(_MAIL),
        block_start_string="[%", block_end_string="%]", variable_start_string="[[", variable_end_string="]]",
        comment_start_string="[#", comment_end_string="#]", undefined=StrictUndefined,
    )  # fmt: skip
    return {
        name: _compact(mjml2html(layout.get_template(f"{name}.mjml").render(_STYLES)))
        for name, template in TEMPLATES.items()
        if "email" in template.channels
    }


def _compact(html: str) -> str:
    """Without the indentation of the sources, which Gmail would count."""
    return _BETWEEN_LINES.sub("\n", _BETWEEN_TAGS.sub("><", html)).strip() + "\n"


def main() -> None:
    """Write every e-mail's HTML, and check the registry with it."""
    for name, html in compile_all().items():
        (_MAIL / f"{name}.html.j2").write_text(html, encoding="utf-8")
    check_registry()


if __name__ == "__main__":
    main()
