"""What the services of credentials refuse; `code`, `status` and message are as in tenancy."""

from apps.tenancy.exceptions import TenancyError


class CredentialError(TenancyError):
    """The credential cannot be changed like that."""


class CredentialNotFound(CredentialError):
    """There is no such key. It may have been revoked."""

    code = "key_not_found"
    status = 404


class InvalidFilter(CredentialError):
    """The filter has an entry that is no name, pattern, address or network."""

    code = "invalid_filter"


class KeysOfParent(CredentialError):
    """Branches use the keys of the branch environments' parent."""

    code = "keys_of_parent"
    status = 409


class NotRenamable(CredentialError):
    """A key that an integration made keeps its name."""

    code = "key_not_renamable"
    status = 409


class PendingKeyExists(CredentialError):
    """There is a new signing key already. Rotate to it, or delete it first."""

    code = "signing_key_pending"
    status = 409


class NoPendingKey(CredentialError):
    """There is no new signing key to rotate to. Create one first."""

    code = "signing_key_not_pending"
    status = 409


class ReasonRequired(CredentialError):
    """An emergency rotation needs a reason."""

    code = "reason_required"
    about = "reason"


class NameTaken(CredentialError):
    """Another API key has this name."""

    code = "key_name_taken"
    status = 409
    about = "name"


class InvalidPermissions(CredentialError):
    """A key needs at least one permission, and only ones that keys may have."""

    code = "invalid_permissions"
    about = "permissions"


class BeyondRole(CredentialError):
    """A token may do no more than the role of its person."""

    code = "beyond_role"
    about = "permissions"


class InvalidExpiry(CredentialError):
    """The time of expiry lies in the past."""

    code = "invalid_expiry"
    about = "lifetime"


class KeyLimit(CredentialError):
    """The organisation has all the keys it may have. Revoke some, or ask the operator for more."""

    code = "key_limit"
    status = 409


class TokenLimit(CredentialError):
    """You have all the tokens that you may have in this organisation. Revoke some first."""

    code = "token_limit"
    status = 409
    about = "organisation"
