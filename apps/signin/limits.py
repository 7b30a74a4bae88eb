"""Rate limits of our own pages, counted where the library counts those of its pages."""

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse


def over_limit(request: HttpRequest, action: str, rate: str) -> HttpResponse | None:
    """The answer 429 for one request too many; `rate` such as "10/m/ip", also per user.

    The page of that answer says how long the limit lasts (apps/dashboard/views/errors.py).
    """
    request.limit_seconds = int(ratelimit.parse_rate(rate).duration)  # type: ignore[attr-defined]
    answer: HttpResponse | None = ratelimit.consume_or_429(
        request, app="apps.signin", action=action, config={action: rate}
    )
    return answer


def is_over_limit(request: HttpRequest, action: str, rate: str, key: str) -> bool:
    """Counts requests of any method by `key`, with a `rate` per key."""
    usage = ratelimit.consume(
        request, app="apps.signin", action=action, config={action: rate}, key=key, limit_get=True
    )
    return usage is None
