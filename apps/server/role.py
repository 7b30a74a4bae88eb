"""`python -m apps.server.role worker`: becomes the process of a role, for Procfiles and containers."""

import os
import sys

from apps.devserver.roles import QUIET_AS_ROOT, celery_command

ROLES = ("web", "worker", "scheduler")


def command_of(role: str, arguments: list[str], log_level: str) -> tuple[str, ...]:
    if role == "web":
        return (sys.executable, "-m", "apps.server.web", *arguments)
    return celery_command(role, log_level)


def main() -> None:
    role, *arguments = sys.argv[1:] or [""]
    if role not in ROLES or (arguments and role != "web"):
        sys.exit(f"usage: python -m apps.server.role {{{','.join(ROLES)}}} [--host ADDRESS] [--port PORT]")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
    os.environ["STEPWELL_ROLES"] = role
    if role != "web":
        os.environ.setdefault("PYTHONWARNINGS", QUIET_AS_ROOT)
    command = command_of(role, arguments, os.environ.get("LOG_LEVEL", "info").lower())
    os.execv(command[0], command)  # noqa: S606 our own command, without a shell


if __name__ == "__main__":
    main()
