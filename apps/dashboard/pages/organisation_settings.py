"""The settings of an organisation that are filled in, each with a form of its own."""

from dataclasses import dataclass, replace

from apps.dashboard.places import organisation_url
from apps.tenancy.models import Account


@dataclass(frozen=True, slots=True)
class Setting:
    """`kind` is a type of input, or textarea; `limits` are the least and the greatest of a number."""

    what: str
    label: str
    hint: str
    value: object
    submit: str
    url: str
    kind: str = "text"
    limits: tuple[int, int] | None = None
    max_length: int = 0
    is_required: bool = False
    error: str = ""

    @property
    def dom_id(self) -> str:
        return f"org-{self.what}"


@dataclass(frozen=True, slots=True)
class Refused:
    """What was typed into a setting, and why it is not saved."""

    what: str
    typed: str
    reason: str


def settings_url(account: Account, what: str) -> str:
    return organisation_url(account, "general-save", what)


def settings_of(account: Account, refused: Refused | None = None) -> dict[str, Setting]:
    """By name, with `_` for `-` as templates want it."""
    rows = [*_general(account), *_security(account)]
    return {row.what.replace("-", "_"): _with(row, refused) for row in rows}


def _with(row: Setting, refused: Refused | None) -> Setting:
    if refused is None or refused.what != row.what:
        return row
    return replace(row, value=refused.typed, error=refused.reason)


def _general(account: Account) -> list[Setting]:
    return [
        Setting(
            "name",
            "Name",
            "Addresses stay as they are.",
            account.name,
            "Save name",
            settings_url(account, "name"),
            max_length=100,
            is_required=True,
        ),
        Setting(
            "security-email",
            "Security e-mail",
            "Where notices of security go. Empty: to the owners.",
            account.security_email,
            "Save address",
            settings_url(account, "security-email"),
            "email",
        ),
        Setting(
            "branch-days",
            "Branches are archived after",
            "Days after their latest sync, 1 to 90; for syncs from now on.",
            account.branch_archive_days,
            "Save days",
            settings_url(account, "branch-days"),
            "number",
            (1, 90),
            is_required=True,
        ),
    ]


def _security(account: Account) -> list[Setting]:
    return [
        Setting(
            "session-hours",
            "Members sign in again after",
            "Hours, however much they do. Empty: as this server has it.",
            account.session_hours or "",
            "Save hours",
            settings_url(account, "session-hours"),
            "number",
            (1, 8760),
        ),
        Setting(
            "idle-minutes",
            "Idle sessions end after",
            "Minutes without anything done, 5 at least; pages that update alone do not count. Empty: never.",
            account.session_idle_minutes or "",
            "Save minutes",
            settings_url(account, "idle-minutes"),
            "number",
            (5, 10080),
        ),
        Setting(
            "networks",
            "Networks of members",
            "Members see the organisation only from these addresses and ranges, one a line, such as"
            " 192.0.2.0/24. Empty: from everywhere.",
            "\n".join(account.allowed_networks),
            "Save networks",
            settings_url(account, "networks"),
            "textarea",
        ),
    ]
