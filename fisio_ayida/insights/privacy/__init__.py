"""Nothing that tells who a patient is leaves the house: notes are scrubbed, and what leaves is looked at again.

:class:`Scrubber` takes identifiers and unknown words out of free text, :func:`leaks` says of which kinds there are
any left, and was written apart from it; :func:`plain` makes text of a note's HTML.
"""

from fisio_ayida.insights.privacy.detector import leaks
from fisio_ayida.insights.privacy.plain_text import plain
from fisio_ayida.insights.privacy.scrubber import Scrubbed, Scrubber

__all__ = ["Scrubbed", "Scrubber", "leaks", "plain"]
