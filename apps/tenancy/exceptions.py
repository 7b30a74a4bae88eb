"""What the services of tenancy refuse. `code` is stable, the message is what people read, and `status` is
what a face answers with over HTTP. `about` is the name of the one thing given that is wrong, or empty."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.tenancy.models import Role
    from apps.tenancy.permissions import Permission


class TenancyError(Exception):
    """The request cannot be carried out."""

    code = "tenancy_error"
    status = 400
    about = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class NotFound(TenancyError):
    """Not found. It may belong to another organisation, or you have been removed from it."""

    code = "not_found"
    status = 404


class Forbidden(TenancyError):
    """You may not do that here."""

    code = "forbidden"
    status = 403

    def __init__(self, permission: "Permission", roles: "Sequence[Role]") -> None:
        who = _either([role.label.lower() for role in roles]) or "nobody"
        super().__init__(f"This needs the permission {permission}, which the role {who} has here.")
        self.permission = permission
        self.roles = list(roles)


class OwnerOnly(TenancyError):
    """Only an owner of the organisation can make, change or remove owners."""

    code = "owner_only"
    status = 403
    about = "role"


class AccountSuspended(TenancyError):
    """The organisation is suspended, and read-only meanwhile. The operator of this server can lift that."""

    code = "account_suspended"
    status = 403


class AccountDeleting(TenancyError):
    """The organisation is being deleted, and is read-only until then. An owner can undo that."""

    code = "account_deleting"
    status = 403


class DefaultAccount(TenancyError):
    """The organisation of the server itself cannot be deleted."""

    code = "account_default"
    status = 409


class NameMismatch(TenancyError):
    """Type the name of the organisation exactly as it is to delete it."""

    code = "name_mismatch"
    about = "name"


class NotDeleting(TenancyError):
    """The organisation is not being deleted."""

    code = "account_not_deleting"
    status = 409


class InvalidName(TenancyError):
    """A name has between 1 and 255 characters, none of them a control character."""

    code = "invalid_name"
    about = "name"


class InvalidEmail(TenancyError):
    """This is not an e-mail address."""

    code = "invalid_email"
    about = "email"


class InvalidDays(TenancyError):
    """Branches are archived 1 to 90 days after their latest sync."""

    code = "invalid_days"


class InvalidSessionLimit(TenancyError):
    """Sessions last 1 to 8,760 hours, and 5 to 10,080 minutes without a request; empty: as long as the server
    lets them."""

    code = "invalid_session_limit"


class InvalidNetwork(TenancyError):
    """This is neither an address nor a range of addresses such as 192.0.2.0/24."""

    code = "invalid_network"


class OwnAddressOutside(TenancyError):
    """Your own address is in none of these ranges, so you would lock yourself out. Add it first."""

    code = "own_address_outside"


class AddressDenied(TenancyError):
    """This organisation can only be seen from its own networks, and your address is in none of them."""

    code = "ip_denied"
    status = 403


class InvalidColour(TenancyError):
    """This is not one of the colours to choose from."""

    code = "invalid_colour"


class LastOwner(TenancyError):
    """The last owner can neither leave nor lose the role. Make another member an owner first."""

    code = "last_owner"
    status = 409
    about = "role"


class AlreadyMember(TenancyError):
    """This person is a member already."""

    code = "already_member"
    status = 409
    about = "email"


class InvalidRestriction(TenancyError):
    """A restriction names environments of the organisation itself, and owners have none."""

    code = "invalid_restriction"
    about = "environments"


class SeatLimit(TenancyError):
    """The organisation has all the members it may have. The operator of this server can raise that."""

    code = "seat_limit"
    status = 409


class AlreadyInvited(TenancyError):
    """This address is invited already. Send that invitation again, or revoke it first."""

    code = "already_invited"
    status = 409
    about = "email"


class InvitationNotFound(TenancyError):
    """This invitation does not exist, or its link was replaced by a newer one."""

    code = "invitation_not_found"
    status = 404


class InvitationNotPending(TenancyError):
    """This invitation was accepted or revoked."""

    code = "invitation_not_pending"
    status = 409


class InvitationExpired(TenancyError):
    """This invitation has expired. Whoever invited you can send it again."""

    code = "invitation_expired"
    status = 410


class InvitationOfAnother(TenancyError):
    """This invitation went to another address. Add and verify that address in your account first."""

    code = "invitation_other_address"
    status = 403


class EnvironmentUnspecified(TenancyError):
    """These keys are for branches: say which one, by the header x-inngest-env or the variable INNGEST_ENV."""

    code = "env_unspecified"


class EnvironmentNotFound(TenancyError):
    """There is no such environment."""

    code = "env_not_found"
    status = 404


class EnvironmentArchived(TenancyError):
    """The environment is archived. Owners and admins can unarchive it."""

    code = "env_archived"
    status = 409


class EnvironmentNotArchived(TenancyError):
    """An environment can be deleted once it has been archived for 24 hours."""

    code = "env_not_archived"
    status = 409


class EnvironmentPermanent(TenancyError):
    """The first production environment and the parent of branches can be neither archived nor deleted."""

    code = "env_permanent"
    status = 409


class EnvironmentNotBranch(TenancyError):
    """Only branch environments are archived by themselves."""

    code = "env_not_branch"
    status = 409


class EnvironmentNameFixed(TenancyError):
    """The names of branches, and of their parent, cannot be changed."""

    code = "env_name_fixed"
    status = 409


class InvalidWeight(TenancyError):
    """A weight is a number from 1 to 1000."""

    code = "invalid_weight"


class EnvironmentLimit(TenancyError):
    """The organisation has all the environments it may have. Archive one, or ask the operator for more."""

    code = "env_limit"
    status = 409


class BranchLimit(TenancyError):
    """The organisation has all the branches it may have. Archive some, or ask the operator for more."""

    code = "branch_limit"
    status = 429


class BranchRateLimited(TenancyError):
    """Too many branch environments were made within an hour. Try again later."""

    code = "branch_rate_limited"
    status = 429


def _either(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
