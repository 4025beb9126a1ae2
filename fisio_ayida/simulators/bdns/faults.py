"""Faults on demand: what a control call asked to go wrong, and how an answer is spoilt for it.

Unlike quirks these are not the service's habits; a test asks for each and clears it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from fisio_ayida.simulators.bdns.answers import Answer, gone, html, maintenance
from fisio_ayida.simulators.bdns.config import SimulatorError
from fisio_ayida.simulators.bdns.text import dumps

# Kind to the settings that it takes beside path_contains, page, times, row and all.
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "html": (),
    "cut": (),
    "cut_json": (),
    "status": ("status", "retry_after"),
    "maintenance": (),
    "slow": ("seconds",),
    "hang": (),
    "rename_field": ("field", "to"),
    "extra_field": ("name", "value"),
    "number_as_text": ("field",),
    "null_key": ("field",),
    "huge_string": ("field", "bytes"),
    "nul_char": ("field",),
    "missing_row": (),
    "duplicate_row": (),
    "shift": (),
    "total_changes": ("by",),
    "bad_date": ("field", "value"),
    "lone_surrogate": ("field",),
    "set_field": ("field", "value"),
    "gone": (),
    "resize": ("bytes",),
    "body": ("base64",),
}
_COMMON: Final = ("path_contains", "kind", "page", "times", "row", "all")
_KEYS: Final = ("id", "idConcesion", "numeroConvocatoria", "idPersona", "codigoBDNS")
_DATES: Final = (
    "fechaAlta",
    "fechaRegistro",
    "fechaRecepcion",
    "fechaSancion",
    "fechaConcesion",
    "fechaAprobacion",
)
_NAMES: Final = ("beneficiario", "descripcion", "sancionado")
_AMOUNTS: Final = ("importe", "ayudaEquivalente", "ayudaETotal", "importeMulta", "presupuestoTotal", "id")


@dataclass
class Fault:
    """One thing that goes wrong for matching requests."""

    path_contains: str
    kind: str
    page: int | None = None
    times: int | None = None
    row: int = 0
    all: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Fault:
        """A fault from a control call.

        Raises:
            SimulatorError: an unknown kind or setting.
        """
        kind = str(body.get("kind"))
        if kind not in KINDS:
            raise SimulatorError(f"fault kind={kind!r}: one of {', '.join(KINDS)} is allowed")
        settings = {}
        for name, value in body.items():
            if name in _COMMON:
                continue
            if name not in KINDS[kind]:
                allowed = ", ".join((*_COMMON, *KINDS[kind]))
                raise SimulatorError(f"fault {kind} {name}: one of {allowed} is allowed")
            settings[name] = value
        return cls(
            str(body.get("path_contains", "")),
            kind,
            body.get("page"),
            body.get("times"),
            int(body.get("row", 0)),
            bool(body.get("all", False)),
            settings,
        )

    def matches(self, url: str, page: int) -> bool:
        """True when a request is concerned."""
        return self.times != 0 and self.path_contains in url and (self.page is None or self.page == page)

    def delay(self) -> float | None:
        """Seconds to wait before answering; None for an answer that never comes."""
        if self.kind == "hang":
            return None
        return float(self.settings.get("seconds", 1.0)) if self.kind == "slow" else 0.0

    def apply(self, answer: Answer) -> Answer:
        """The spoilt answer."""
        match self.kind:
            case "html":
                return html()
            case "maintenance":
                return maintenance()
            case "status":
                retry = self.settings.get("retry_after")
                headers = () if retry is None else (("Retry-After", str(retry)),)
                return Answer(b"", int(self.settings.get("status", 500)), None, headers)
            case "cut":
                return replace(answer, cut=True)
            case "cut_json":
                return replace(answer, body=answer.body[: len(answer.body) * 2 // 3], length=None)
            case "slow" | "hang":
                return answer
            case "gone":
                return gone()
            case "resize":
                size = int(self.settings.get("bytes", 1))
                return replace(answer, body=answer.body[:size].ljust(size, b"x"), length=None)
            case "body":
                return replace(answer, body=base64.b64decode(self.settings.get("base64", "")), length=None)
            case _:
                return self._spoil(answer)

    def _spoil(self, answer: Answer) -> Answer:
        try:
            value = json.loads(answer.body)
        except ValueError:
            return answer
        rows = value["content"] if isinstance(value, dict) and "content" in value else value
        rows = rows if isinstance(rows, list) else [rows]
        if self.kind == "total_changes":
            if isinstance(value, dict) and "totalElements" in value:
                # Without a page of its own, the total grows from page to page.
                turns = 1 if self.page is not None else int(value.get("number", 0))
                value["totalElements"] += int(self.settings.get("by", 1)) * turns
        elif self.kind in ("missing_row", "duplicate_row", "shift"):
            self._move(rows)
        else:
            for row in rows if self.all else rows[self.row : self.row + 1]:
                if isinstance(row, dict):
                    self._spoil_row(row)
        body = dumps(value) if self.kind != "lone_surrogate" else _with_surrogate(value)
        return replace(answer, body=body, length=None)

    def _move(self, rows: list[Any]) -> None:
        at = min(self.row, len(rows) - 1)
        if at < 0:
            return
        if self.kind == "missing_row":
            del rows[at]
        elif len(rows) > 1:
            # One row takes the place of its neighbour: one repeats, one is skipped.
            rows[at] = rows[at + 1 if at + 1 < len(rows) else at - 1]

    def _spoil_row(self, row: dict[str, Any]) -> None:
        name = self.settings.get("field")
        match self.kind:
            case "rename_field":
                old = name or next(iter(row))
                items = [(self.settings.get("to", f"{old}Nuevo") if key == old else key, row[key]) for key in row]
                row.clear()
                row.update(items)
            case "extra_field":
                row[self.settings.get("name", "campoNuevo")] = self.settings.get("value", "valor inesperado")
            case "number_as_text":
                _set(row, name, _AMOUNTS, lambda old: str(old))
            case "null_key":
                _set(row, name, _KEYS, lambda _: None)
            case "huge_string":
                size = int(self.settings.get("bytes", 1_000_000))
                _set(row, name, _NAMES, lambda _: "X" * size)
            case "nul_char":
                _set(row, name, _NAMES, lambda old: f"{old}\x00fin")
            case "bad_date":
                _set(row, name, _DATES, lambda _: self.settings.get("value", "2026-02-31"))
            case "set_field":
                row[str(name)] = self.settings.get("value")
            case "lone_surrogate":
                _set(row, name, _NAMES, lambda old: f"{old}\ud800")


def _set(row: dict[str, Any], name: str | None, usual: tuple[str, ...], change: Any) -> None:
    found = name or next((key for key in usual if key in row), None)
    if found is not None and found in row:
        row[found] = change(row[found])


def _with_surrogate(value: object) -> bytes:
    # A lone surrogate cannot be UTF-8; it travels as the escape \ud800.
    return json.dumps(value, separators=(",", ":")).encode()


class Faults:
    """The faults that are set."""

    def __init__(self) -> None:
        self.all: list[Fault] = []

    def add(self, body: Mapping[str, Any]) -> None:
        """Set one fault."""
        self.all.append(Fault.read(body))

    def hit(self, url: str, page: int) -> list[Fault]:
        """The faults that concern a request; each counts down its `times`."""
        found = [fault for fault in self.all if fault.matches(url, page)]
        for fault in found:
            if fault.times is not None:
                fault.times -= 1
        return found
