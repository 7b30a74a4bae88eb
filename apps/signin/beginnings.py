"""How a session began, as the library keeps it in the session itself."""

from collections.abc import Mapping
from typing import Any, Final

_METHODS: Final = "account_authentication_methods"


def signed_in_with(session: Mapping[str, Any], provider_id: str) -> bool:
    """Whether the identity provider of that id vouched for the person when the session began."""
    steps = session.get(_METHODS, [])
    return any(
        step.get("method") == "socialaccount" and step.get("provider") == provider_id for step in steps
    )


def signed_in_at(session: Mapping[str, Any]) -> float | None:
    """Seconds since the epoch; None where nothing was kept. A password that was asked for again counts for
    nothing: only the first steps begin a session."""
    steps = session.get(_METHODS, [])
    times = [step["at"] for step in steps if "at" in step]
    return float(min(times)) if times else None
