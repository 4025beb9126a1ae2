"""What a thing that is recognised by its shape is looked for with, and numbers in words.

Here: the type of a row. Not here: the rows (``patterns.py``, ``dates.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

UNITS: Final = r"(?:zero|um|uma|dois|duas|tres|quatro|cinco|seis|meia|sete|oito|nove)"
SPELLED: Final = ("zero", "dois", "duas", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove")
NUMBER_WORD: Final = (
    rf"(?:{UNITS}|dez|onze|doze|treze|quatorze|catorze|quinze|dezesseis|dezessete|dezoito|dezenove|vinte|trinta|quarenta"
    r"|cinquenta|sessenta|setenta|oitenta|noventa|cem|cento)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape, and what it is.

    Args:
        kind: of :data:`~fisio_ayida.insights.privacy.placeholders.PLACEHOLDERS`.
        pattern: what is taken out is its group ``it``, or all of it.
        needs: one of these is in every text that has the shape; looked for first, because it costs nothing.
        digits: so many digits of it stand together, with nothing but blanks and signs between them.
        in_text: looked for in the text as it is, with capitals.
        instead: in the place of the placeholder.
    """

    kind: str
    pattern: re.Pattern[str]
    needs: tuple[str, ...] = ()
    digits: int = 0
    in_text: bool = False
    instead: str | None = None
