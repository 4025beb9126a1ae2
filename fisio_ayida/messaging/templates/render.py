"""From a template and its variables to what a channel sends; the same bytes each time.

Here: checking variables, compiling a template when it is first asked for, and rendering. Not here: the words, and
where the variables come from. Values may be native or in their JSON forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from fisio_ayida.messaging.model import Channel, Content, EmailContent, PushContent, WhatsappContent
from fisio_ayida.messaging.templates import formats, sheets, sources
from fisio_ayida.messaging.templates.registry import TEMPLATES, Template, TemplateError
from fisio_ayida.messaging.templates.variables import DERIVED, KINDS, Derived, Variable

if TYPE_CHECKING:
    import jinja2

_Show = Callable[[Any], Any]


class VariableError(TemplateError):
    """A template was given too few, too many or wrong variables; the text names them and never their values."""


def render(
    name: str,
    channel: Channel,
    variables: Mapping[str, Any],
    *,
    unsubscribe_url: str | None = None,
    sender: str | None = None,
    reply_to: str | None = None,
) -> Content:
    """One message.

    Args:
        variables: those that the template declares; an optional one may be missing, empty or None.
        unsubscribe_url: for e-mails to patients: the link out, required for care and marketing.
        sender, reply_to: of the e-mail.

    Raises:
        TemplateError: there is no such template for this channel, or an e-mail lacks its way out.
        VariableError: a variable is unknown, missing or not of its kind.
    """
    prepared = _prepared(name, channel)
    shown = prepared.show(variables)
    template = prepared.template
    if channel == "whatsapp":
        meta = template.meta
        return WhatsappContent(
            text=prepared.files[0].render(shown).strip(),
            template_name=meta.name if meta else None,
            template_variables=tuple(shown[word] for word in meta.variables) if meta else (),
        )
    if channel == "push":
        title, _, body = prepared.files[0].render(shown).strip().partition("\n")
        return PushContent(title=title, body=body, data={"template": name})
    way_out = _way_out(template, unsubscribe_url)
    subject = prepared.subject.render(shown)
    shown |= {"assunto": subject, "descadastro": way_out, "responde": reply_to is not None}
    html, plain = prepared.files
    sheet = template.sheet
    return EmailContent(
        subject=subject,
        html=html.render(shown),
        text=plain.render(shown).strip() + "\n",
        sender=sender,
        reply_to=reply_to,
        attachments=(sheets.attachment(sheet, template.variables, variables),) if sheet else (),
        tags={"template": name},
        unsubscribe_url=way_out,
    )


def check(
    name: str, channel: Channel, variables: Mapping[str, Any], *, unsubscribe_url: str | None = None
) -> None:
    """Raises what :func:`render` would, which depends on the variables and never on the words around them."""
    prepared = _prepared(name, channel)
    prepared.show(variables)
    if channel == "email":
        _way_out(prepared.template, unsubscribe_url)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A template on a channel, compiled."""

    template: Template
    shows: tuple[tuple[Variable, _Show], ...]
    names: frozenset[str]
    derived: tuple[tuple[str, Derived], ...]
    files: tuple[jinja2.Template, ...]
    subject: jinja2.Template

    def show(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What the files are given: texts, None for what is missing."""
        if not variables.keys() <= self.names:
            raise VariableError(self._unknown(variables.keys() - self.names))
        shown = _show_all(self.shows, variables, f"template {self.template.name}: ")
        for name, rule in self.derived:
            shown[name] = rule.make(variables[rule.source]) if shown[rule.source] is not None else None
        return shown

    def _unknown(self, names: set[str]) -> str:
        derived = {name for name in names if name in DERIVED and DERIVED[name].source in self.names}
        said = [f"template {self.template.name} does not know {', '.join(sorted(map(repr, names)))}"]
        said += [f"{name} follows from {DERIVED[name].source}" for name in sorted(derived)]
        return "; ".join([*said, f"it knows {', '.join(sorted(self.names))}"])


@cache
def _prepared(name: str, channel: Channel) -> _Prepared:
    template = TEMPLATES.get(name)
    if template is None or channel not in template.channels:
        raise TemplateError(f"template {name!r} does not exist for {channel}")
    # Once a process and template: what does not hold is told here, and not in the middle of a patient's message.
    if found := sources.problems(template):
        raise TemplateError("\n".join(found))
    environment = sources.environment()
    used = sources.used(template, channel) | set(template.meta.variables if template.meta else ())
    names = frozenset(variable.name for variable in template.variables)
    return _Prepared(
        template,
        tuple((variable, _shower(variable, channel)) for variable in template.variables),
        names,
        tuple((word, rule) for word, rule in DERIVED.items() if word in used and word not in names),
        tuple(environment.get_template(file) for file in sources.files(name, channel)),
        environment.from_string(template.subject),
    )


def _way_out(template: Template, url: str | None) -> str | None:
    """The link out of an e-mail: nothing for the staff, what is given for patients."""
    if not template.to_patient:
        return None
    if url is None:
        if template.category in ("care", "marketing"):
            raise TemplateError(
                f"template {template.name}: an e-mail of {template.category} needs unsubscribe_url"
            )
        return None
    if not url.startswith(("https://", "http://")):
        raise TemplateError(f"template {template.name}: unsubscribe_url is not a link of http or https")
    return url


def _show_all(shows: tuple[tuple[Variable, _Show], ...], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for variable, show in shows:
        value = given.get(variable.name)
        if value is not None:
            try:
                value = show(value)
            except VariableError as fault:
                raise VariableError(f"{where}{variable.name}{fault}") from None
            except formats.FormatError as fault:
                raise VariableError(
                    f"{where}{variable.name} must be {fault}; a {type(value).__name__} came that is not"
                ) from None
            # What is blank is missing.
            value = value or None
        if value is None and variable.required:
            raise VariableError(f"{where}{variable.name} is required and missing ({KINDS[variable.kind]})")
        shown[variable.name] = value
    return shown


def _shower(variable: Variable, channel: Channel) -> _Show:
    match variable.kind:
        case "text":
            return _unmarked(formats.text) if channel == "whatsapp" else formats.text
        case "person":
            return _unmarked(formats.person) if channel == "whatsapp" else formats.person
        case "texts":
            return formats.texts
        case "day":
            return formats.day
        case "clock":
            return formats.clock
        case "moment":
            return formats.moment
        case "money":
            return formats.money
        case "count":
            return partial(formats.count, noun=variable.noun)
        case "rows":
            return partial(_rows, tuple((field, _shower(field, channel)) for field in variable.fields))


def _unmarked(show: Callable[[Any], str]) -> _Show:
    def shown(value: Any) -> str:
        return formats.without_marks(show(value))

    return shown


def _rows(shows: tuple[tuple[Variable, _Show], ...], value: Any) -> list[dict[str, Any]]:
    names = {variable.name for variable, _ in shows}
    rows = []
    for place, row in enumerate(formats.sequence(value)):
        if not isinstance(row, Mapping):
            raise VariableError(f"[{place}] must be an object; a {type(row).__name__} came")
        if not row.keys() <= names:
            strange = ", ".join(sorted(map(repr, row.keys() - names)))
            raise VariableError(f"[{place}] has {strange}; its fields are {', '.join(sorted(names))}")
        rows.append(_show_all(shows, row, f"[{place}]."))
    return rows
