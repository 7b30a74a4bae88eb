"""Where log lines go and how they look."""

from typing import Any


def logging_config(log_format: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: one handler for all, to standard error; `json` is one object per line."""
    formatter: dict[str, Any] = (
        {"()": "apps.server.logs.json_formatter"}
        if log_format == "json"
        else {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
    }
