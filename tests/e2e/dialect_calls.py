"""What the double of an SDK recorded: the step bodies it ran, and the call requests it got."""

from typing import Any

from tests.e2e.app_process import AppProcess

_PROTOCOL_LABELS = frozenset({"request", "checkpoint"})


def bodies(app: AppProcess, key: str) -> list[str]:
    """The labels that user code recorded, in order."""
    return [label for label in app.labels(key) if label not in _PROTOCOL_LABELS]


def requests(app: AppProcess, key: str) -> list[dict[str, Any]]:
    """The call requests for the key, in order: `query`, `target`, `ctx`, `version`, `memos`, `headers`."""
    return [call for call in app.calls(key) if call["label"] == "request"]


def contexts(app: AppProcess, key: str) -> list[dict[str, Any]]:
    return [call["ctx"] for call in requests(app, key)]
