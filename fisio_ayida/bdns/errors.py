"""What can go wrong between us and the BDNS, one class for each kind of failure.

Every message says what was asked, what came and what to do about it.
"""

from __future__ import annotations


class BdnsError(Exception):
    """Anything that the mirror cannot go on from."""


class RequestFailed(BdnsError):
    """A request that brought no usable answer.

    ``transient`` says whether asking again later may help (CONTRACT §1.4).
    """

    transient = False
    advice = ""

    def __init__(self, url: str, status: int | None, words: str, advice: str | None = None) -> None:
        self.url = url
        self.status = status
        self.words = words
        said = f"HTTP {status}" if status is not None else "no answer"
        super().__init__(f"{said} from {url}: {words}. {advice or self.advice}")


class ApiUnreachable(RequestFailed):
    transient = True
    advice = "Is the service up and BDNS_BASE_URL right? The next run resumes where this one stopped."


class AnswerBrokeOff(ApiUnreachable):
    """The answer began and did not come to its end."""

    advice = "The connection was cut; the next run resumes where this one stopped."


class ApiOverloaded(RequestFailed):
    """5xx, or the maintenance answer that comes with status 200."""

    transient = True
    advice = "Nightly maintenance is normal; the next run resumes where this one stopped."


class RateLimited(RequestFailed):
    transient = True
    advice = "Lower BDNS_REQUESTS_PER_SECOND, or see who else calls from this address."

    def __init__(self, url: str, status: int | None, words: str, retry_after: float | None = None) -> None:
        super().__init__(url, status, words)
        self.retry_after = retry_after


class UnusableBody(RequestFailed):
    """HTML, XML or broken JSON where JSON was expected."""

    transient = True
    advice = "If it persists for one record it is kept in ops.rejects; for a page, try again later."


class RequestRefused(RequestFailed):
    """400: the request itself is wrong, or the thing asked for does not exist."""

    advice = "Asking again will not help; check the value against the API's contract."


class PathUnknown(RequestFailed):
    advice = "The path does not exist: BDNS_BASE_URL is wrong or the API has changed."


class ContractBroken(BdnsError):
    """The answer has the right form and cannot be right."""


class IncompleteWindow(BdnsError):
    """Rows received, distinct keys and the API's total do not agree."""


class WindowHeld(BdnsError):
    """The load would remove more rows than the guard allows."""

    def __init__(self, message: str, partitions: frozenset[str]) -> None:
        super().__init__(message)
        self.partitions = partitions


class BadRequest(ValueError):
    """What the operator asked for cannot be done: unknown dataset, reversed range, malformed date."""
