"""The section about privacy in the documentation."""

from __future__ import annotations

from fisio_ayida.insights.privacy.page import section
from fisio_ayida.insights.privacy.placeholders import PLACEHOLDERS


def test_it_names_every_placeholder() -> None:
    assert all(f"`{placeholder}`" in section() for placeholder in PLACEHOLDERS.values())
