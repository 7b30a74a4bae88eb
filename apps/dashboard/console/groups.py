"""Where each page of the console stands: by what an operator wants to do, not by Django app."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Task:
    """`models` are labels, each with its icon, in order."""

    title: str
    text: str
    models: tuple[tuple[str, str], ...]


TASKS: Final = (
    Task(
        "Organisations and people",
        "Who uses this server, and what each may use of it.",
        (
            ("tenancy.Account", "building-2"),
            ("tenancy.Environment", "layers"),
            ("identity.User", "user"),
            ("tenancy.Membership", "users"),
            ("tenancy.Invitation", "user-plus"),
        ),
    ),
    Task(
        "Access",
        "What opens an environment, and how people sign in. No secret is shown here.",
        (
            ("credentials.EventKey", "key"),
            ("credentials.SigningKey", "key-round"),
            ("credentials.ApiKey", "code"),
            ("credentials.PersonalToken", "fingerprint"),
            ("usersessions.UserSession", "laptop"),
            ("mfa.Authenticator", "smartphone"),
            ("signin.SsoConnection", "lock-keyhole"),
            ("account.EmailAddress", "mail"),
        ),
    ),
    Task(
        "Runs and events",
        "What apps have registered and what came of it. Payloads stay with the organisations.",
        (
            ("runs.Run", "chart-gantt"),
            ("events.Event", "zap"),
            ("registry.App", "boxes"),
            ("registry.Function", "square-function"),
            ("webhooks.Webhook", "webhook"),
            ("operations.Cancellation", "ban"),
            ("registry.Sync", "refresh-cw"),
            ("registry.FunctionVersion", "history"),
        ),
    ),
    Task(
        "Record",
        "Who changed what. Entries can be neither changed nor removed.",
        (("audit.AuditEntry", "scroll-text"),),
    ),
)
ICONS: Final = {label: icon for task in TASKS for label, icon in task.models}
