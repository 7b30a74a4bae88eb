"""What the services of webhooks refuse; `code`, `status` and message are as in tenancy."""

from apps.tenancy.exceptions import TenancyError


class WebhookError(TenancyError):
    """The webhook cannot be changed like that."""

    code = "webhook_error"


class WebhookNotFound(WebhookError):
    """There is no such webhook. It may have been deleted."""

    code = "webhook_not_found"
    status = 404


class ScriptInvalid(WebhookError):
    """The script cannot be used. `line` and `column` start at 1, and are 0 where not known; `about` is which
    of a webhook's scripts it is."""

    code = "webhook_script_invalid"

    def __init__(self, message: str = "", line: int = 0, column: int = 0, about: str = "transform") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.about = about


class VerificationInvalid(WebhookError):
    """The verification lacks something, or has what its scheme does not know."""

    code = "webhook_verification_invalid"


class UnknownPreset(WebhookError):
    """There is no such preset."""

    code = "webhook_preset_unknown"


class DeliveryNotFound(WebhookError):
    """There is no such delivery. The log keeps the last ones only."""

    code = "delivery_not_found"
    status = 404


class NotRedeliverable(WebhookError):
    """This delivery cannot be delivered again."""

    code = "delivery_not_redeliverable"
    status = 409


class ScriptsBusy(WebhookError):
    """Too many scripts are waiting to run. Try again in a moment."""

    code = "webhook_scripts_busy"
    status = 429


class ScriptsUnavailable(WebhookError):
    """Scripts cannot be run at the moment."""

    code = "webhook_scripts_unavailable"
    status = 503
