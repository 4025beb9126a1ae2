"""What a therapist sees of a patient's insights: a small page in Portuguese, of the record, facts and items.

Here: the page, and reading what it needs. Not here: making insights (``running.py``).
"""

from __future__ import annotations

from fisio_ayida.insights.card.page import Standing, render
from fisio_ayida.insights.card.seen import Seen, look, page_of, without_names

__all__ = ["Seen", "Standing", "look", "page_of", "render", "without_names"]
