"""What keys and tokens may do, in words for people."""

from collections.abc import Collection, Mapping
from typing import Final

from apps.credentials.permissions import PRESETS
from apps.tenancy.permissions import Permission

PRESET_WORDS: Final[Mapping[str, str]] = {
    "read-only": "Read only",
    "deploy": "Deploy: sync and remove apps",
    "operate": "Operate: cancel, rerun, invoke, pause",
    "ingest": "Send events",
    "metrics": "Read usage",
    "full": "Everything that keys may do",
}
PERMISSION_WORDS: Final[Mapping[Permission, str]] = {
    Permission.VIEW: "See apps, functions and settings",
    Permission.DATA_READ: "Read events and runs, with what they hold",
    Permission.EVENT_SEND: "Send events and signals",
    Permission.RUN_CANCEL: "Cancel a run",
    Permission.RUN_RERUN: "Rerun a run",
    Permission.FUNCTION_INVOKE: "Invoke functions",
    Permission.FUNCTION_PAUSE: "Pause and resume functions",
    Permission.RUN_CANCEL_BULK: "Cancel many runs at once",
    Permission.REPLAY: "Replay runs",
    Permission.APP_SYNC: "Sync apps",
    Permission.APP_ARCHIVE: "Remove apps",
    Permission.ENVIRONMENT_MANAGE: "Manage environments",
    Permission.EVENT_KEY_REVEAL: "Read event keys",
    Permission.SIGNING_KEY_REVEAL: "Read signing keys",
    Permission.KEY_MANAGE: "Manage event and signing keys",
    Permission.WEBHOOK_MANAGE: "Manage webhooks",
    Permission.INSIGHTS_QUERY: "Query insights",
    Permission.ALERT_MANAGE: "Manage alerts",
    Permission.USAGE_VIEW: "Read usage",
    Permission.AUDIT_READ: "Read the audit log",
}


def preset_of(names: Collection[str]) -> str:
    """The name of the preset that these permissions are, empty for none."""
    chosen = set(names)
    known = (preset for preset, granted in PRESETS.items() if {str(name) for name in granted} == chosen)
    return next(known, "")


def counted(count: int) -> str:
    return "1 permission" if count == 1 else f"{count} permissions"
