"""What the audit log refuses."""


class AuditError(Exception):
    """The audit log cannot do this."""

    code = "audit_error"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class AppendOnly(AuditError):
    """Entries of the audit log are never changed or deleted."""

    code = "audit_append_only"


class SecretInEntry(AuditError):
    """An entry of the audit log must not hold a secret."""

    code = "audit_secret"


class InvalidCursor(AuditError):
    """The cursor is not one of this list."""

    code = "audit_invalid_cursor"
