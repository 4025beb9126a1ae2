"""The template files: where they are, the environment that compiles them, and what must hold for them.

Here: :func:`check_registry`, which reads every file of every row. Not here: what is put into them (``render.py``)
and where the e-mails' HTML comes from (``compile.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fisio_ayida.messaging.model import Channel
from fisio_ayida.messaging.templates import sheets
from fisio_ayida.messaging.templates.registry import TEMPLATES, Template, TemplateError
from fisio_ayida.messaging.templates.variables import DERIVED, Variable, forbidden_words

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

FOLDER: Final = Path(__file__).parent
#: What the renderer adds for e-mails: the subject, the link out, and whether an answer reaches the clinic.
ADDED: Final = frozenset({"assunto", "descadastro", "responde"})
#: Gmail cuts what is longer.
MOST_HTML_BYTES: Final = 100_000
_TAG: Final = re.compile(r"<[^>]*>")
_STYLE: Final = re.compile(r"<style\b.*?</style>", re.DOTALL)


@cache
def environment() -> SandboxedEnvironment:
    """Compiles and keeps templates; HTML escapes what it is given, text does not."""
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(
        loader=FileSystemLoader(FOLDER),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def files(name: str, channel: Channel) -> tuple[str, ...]:
    """The files of a template on a channel, from the templates' folder; for an e-mail HTML and text."""
    if channel == "email":
        return (f"mail/{name}.html.j2", f"mail/{name}.txt.j2")
    return (f"texts/{name}.{channel}.txt.j2",)


def used(template: Template, channel: Channel, folder: Path = FOLDER) -> frozenset[str]:
    """The variables that a template's files and its subject use on a channel.

    Raises:
        TemplateError: a file is missing or is no template.
    """
    names: set[str] = set()
    for file in files(template.name, channel):
        names |= _read(folder, file).names
    if channel == "email":
        names |= _parse(template.subject, "subject", folder).names
    return frozenset(names)


def problems(template: Template, folder: Path = FOLDER) -> list[str]:
    """What is wrong with a row and its files, in words."""
    found = [f"{template.name}: {fault}" for fault in _faults(template)]
    everywhere: set[str] = set()
    for channel in template.channels:
        try:
            names = used(template, channel, folder)
        except TemplateError as fault:
            found.append(f"{template.name} on {channel}: {fault}")
            continue
        everywhere |= names
        if undeclared := names - allowed(template, channel):
            found.append(f"{template.name} on {channel} uses {', '.join(sorted(undeclared))}: not declared")
        for file in files(template.name, channel):
            source = _read(folder, file)
            if source.forbidden:
                found.append(f"{file} speaks of {', '.join(sorted(source.forbidden))}: no health data in messages")
            if source.length > MOST_HTML_BYTES:
                found.append(f"{file} is longer than {MOST_HTML_BYTES} bytes")
    given = everywhere | {DERIVED[name].source for name in everywhere & DERIVED.keys()}
    idle = [variable.name for variable in template.variables if variable.required and variable.name not in given]
    return found + [f"{template.name}: {name} is required and nothing uses it" for name in idle]


def check_registry(rows: Mapping[str, Template] = TEMPLATES, folder: Path = FOLDER) -> None:
    """Read and compile everything.

    Raises:
        TemplateError: with every problem of every row, one a line.
    """
    found = [problem for row in rows.values() for problem in problems(row, folder)]
    found += [f"{key}: the row is named {row.name}" for key, row in rows.items() if key != row.name]
    if found:
        raise TemplateError("the registry of templates is wrong:\n" + "\n".join(found))


def allowed(template: Template, channel: Channel) -> frozenset[str]:
    """The names that a template's files may use on a channel."""
    declared = {variable.name for variable in template.variables}
    derived = {name for name, rule in DERIVED.items() if rule.source in declared}
    return frozenset(declared | derived | (ADDED if channel == "email" else frozenset()))


def _faults(template: Template) -> list[str]:
    """What is wrong with a row before any file is read."""
    found = []
    names = [variable.name for variable in template.variables]
    if repeated := {name for name in names if names.count(name) > 1}:
        found.append(f"declares {', '.join(sorted(repeated))} twice")
    for name in _all_names(template.variables):
        if forbidden_words(name):
            found.append(f"declares {name}: no health data in messages")
        if name in ADDED:
            found.append(f"declares {name}, which the renderer adds")
    if words := forbidden_words(template.subject):
        found.append(f"its subject speaks of {', '.join(words)}: no health data in messages")
    if ("email" in template.channels) != bool(template.subject):
        found.append("an e-mail needs a subject, and nothing else has one")
    if template.sheet:
        found += sheets.problems(template.sheet, template.variables)
    if template.meta and (strange := set(template.meta.variables) - allowed(template, "whatsapp")):
        found.append(f"hands {', '.join(sorted(strange))} to Meta: not declared")
    if template.meta:
        # Meta takes no empty value.
        required = {variable.name for variable in template.variables if variable.required}
        sources = {
            name if name in names or name not in DERIVED else DERIVED[name].source
            for name in template.meta.variables
        }
        if missing := sources - required:
            found.append(f"hands {', '.join(sorted(missing))} to Meta, which may be missing")
    return found


def _all_names(variables: tuple[Variable, ...]) -> list[str]:
    return [name for variable in variables for name in (variable.name, *_all_names(variable.fields))]


@dataclass(frozen=True, slots=True)
class _Source:
    """What a file uses and says, the files that it includes too. ``length``: in bytes, its own."""

    names: frozenset[str]
    forbidden: frozenset[str]
    length: int


@cache
def _read(folder: Path, file: str) -> _Source:
    try:
        source = (folder / file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TemplateError(f"{file} is missing; e-mails are made by `python -m {__package__}.compile`") from None
    return _parse(source, file, folder)


def _parse(source: str, where: str, folder: Path) -> _Source:
    from jinja2 import TemplateSyntaxError, meta

    try:
        tree = environment().parse(source)
    except TemplateSyntaxError as fault:
        raise TemplateError(f"{where}, line {fault.lineno}: {fault.message}") from None
    names = set(meta.find_undeclared_variables(tree))
    forbidden = set(forbidden_words(_TAG.sub(" ", _STYLE.sub(" ", source))))
    for included in meta.find_referenced_templates(tree):
        if included is None:
            raise TemplateError(f"{where} includes a file whose name is only known when it is rendered")
        inner = _read(folder, included)
        names |= inner.names
        forbidden |= inner.forbidden
    return _Source(frozenset(names), frozenset(forbidden), len(source.encode()))
