"""Who the notes are about."""

from __future__ import annotations

import pytest

from fisio_ayida.insights.model import Identity
from fisio_ayida.insights.privacy import Scrubber


@pytest.fixture(scope="session")
def identity() -> Identity:
    """A patient, a clinic and a therapist."""
    return Identity(
        names=("Ana Paula Conceição", "Aninha", "Clínica São Judas", "Corpo em Movimento", "Thomas D'Ávila (Zé+)"),
        numbers=("(11) 98765-4321", "123.456.789-09", "12.345.678-X", "74512"),
        addresses=("ana.conceicao82@example.com",),
    )


@pytest.fixture(scope="session")
def scrubber(identity: Identity) -> Scrubber:
    """Of that patient."""
    return Scrubber(identity)


@pytest.fixture(scope="session")
def stranger() -> Scrubber:
    """Of a patient of whom the clinic knows nothing."""
    return Scrubber(Identity())
