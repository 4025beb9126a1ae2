"""What stands in a text where something was taken out.

Here: the words, and how they are counted and recognised. Not here: what is taken out.
"""

from __future__ import annotations

import re
from typing import Final

#: What was taken out, as it is counted, and what stands in its place.
PLACEHOLDERS: Final = {
    "name": "[nome]",
    "phone": "[telefone]",
    "email": "[e-mail]",
    "document": "[documento]",
    "address": "[endereço]",
    "date": "[data]",
    "link": "[link]",
    "number": "[número]",
    "word": "[omitido]",
}
#: One of them, in a text or in its folded form.
PLACEHOLDER: Final = re.compile(r"\[(?:nome|telefone|e-mail|documento|endere[cç]o|data|link|n[uú]mero|omitido)\]")
