"""Log lines as JSON: what they hold, and what they never hold."""

import json
import logging
import sys
from typing import Any

import pytest

from apps.engine import log_context
from apps.server.logs import json_formatter, redact

KEY = "0123456789abcdef0123456789abcdef"


def line_of(text: str, *arguments: object, name: str = "apps.x", **extra: object) -> dict[str, Any]:
    record = logging.LogRecord(name, logging.WARNING, __file__, 1, text, arguments, None)
    record.__dict__.update(extra)
    found: dict[str, Any] = json.loads(json_formatter().format(record))
    return found


def test_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_ROLES", "worker")
    log_context.begin(run_id="01R", environment_id="e")
    log_context.bind(account_id="a")
    line = line_of("item %s waits", 7, function_id="f", payload="secret thing")
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "msg": "item 7 waits",
        "caller": "apps.x",
        "role": "worker",
        "run_id": "01R",
        "environment_id": "e",
        "account_id": "a",
        "function_id": "f",
    }


def test_an_error_has_its_traceback_without_secrets() -> None:
    try:
        raise ValueError(f"cannot use signkey-prod-{KEY}")
    except ValueError:
        line = line_of("it failed", exc_info=sys.exc_info())
    assert line["error"] == "ValueError"
    assert line["traceback"].startswith("Traceback (most recent call last):")
    assert line["traceback"].endswith("ValueError: cannot use signkey-prod-[redacted]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"signkey-branch-{KEY} is unknown", "signkey-branch-[redacted] is unknown"),
        ("sk-inn-api-abcdef.ghi", "sk-inn-api-[redacted]"),
        ("Authorization: Bearer abc.def", "Authorization: [redacted] [redacted]"),
        ("redis://user:pass@host:6379/0 is away", "redis://user:[redacted]@host:6379/0 is away"),
        ("POST /e/my-key answered", "POST /e/[redacted] answered"),
        ("password=hunter2, token: 'abc'", "password=[redacted], token: '[redacted]'"),
        ("event_key=one&name=two", "event_key=[redacted]&name=two"),
        ("the key of the run is 5", "the key of the run is 5"),
        ("http://127.0.0.1:8288/runs", "http://127.0.0.1:8288/runs"),
    ],
)
def test_redaction(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_djangos_lines_go_without_the_path() -> None:
    assert line_of("Not Found: %s", "/invite/one-time-token", name="django.request")["msg"] == "Not Found"


def test_the_line_that_is_there_to_tell_a_secret_tells_it() -> None:
    text = "open http://x/setup?token=abc"
    assert line_of(text)["msg"] == "open http://x/setup?token=[redacted]"
    assert line_of(text, shows_secret=True)["msg"] == text


def test_without_work_there_is_nothing_to_bind_to() -> None:
    log_context.begin()
    log_context.bind(account_id="a")
    assert log_context.current() == {"account_id": "a"}
    log_context.begin(request_id="r")
    assert log_context.current() == {"request_id": "r"}
