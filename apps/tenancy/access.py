"""What a person may do in an organisation, and in one of its environments (spec 05, 1.3)."""

from dataclasses import dataclass, replace
from typing import Final

from django.contrib.auth.models import AnonymousUser

from apps.identity.models import User
from apps.tenancy.exceptions import AccountDeleting, EnvironmentArchived, Forbidden, NotFound
from apps.tenancy.models import Account, Environment, EnvironmentType, Membership, Role
from apps.tenancy.permissions import Permission, permissions_of, roles_with
from apps.tenancy.services.guards import require_writable

# What a suspended or vanishing organisation still allows.
READING: Final = frozenset(
    {Permission.VIEW, Permission.DATA_READ, Permission.INSIGHTS_QUERY, Permission.USAGE_VIEW}
    | {Permission.AUDIT_READ, Permission.EVENT_KEY_REVEAL, Permission.SIGNING_KEY_REVEAL}
)
# What an archived environment refuses, since nothing starts in it.
STARTING: Final = frozenset(
    {Permission.RUN_RERUN, Permission.FUNCTION_INVOKE, Permission.REPLAY, Permission.FUNCTION_PAUSE}
)
# A member who is restricted to environments has none of these: with them the restriction could be lifted.
UNRESTRICTED_ONLY: Final = frozenset(
    {Permission.MEMBER_MANAGE, Permission.SSO_MANAGE, Permission.ACCOUNT_MANAGE, Permission.ACCOUNT_DELETE}
)
# Of the whole organisation, so beyond a restriction too when no environment is named.
_ACROSS_ENVIRONMENTS: Final = frozenset(
    {Permission.ENVIRONMENT_MANAGE, Permission.API_KEY_MANAGE, Permission.KEY_MANAGE}
    | {Permission.EVENT_KEY_REVEAL, Permission.SIGNING_KEY_REVEAL, Permission.WEBHOOK_MANAGE}
)
_SUPPORT: Final = frozenset({Permission.VIEW, Permission.DATA_READ})


@dataclass(frozen=True, slots=True)
class Access:
    """`membership` is None for support, which only looks. Without an `environment` the permissions are those
    on the level of the organisation."""

    account: Account
    membership: Membership | None
    environment: Environment | None
    permissions: frozenset[Permission]

    @property
    def role(self) -> Role | None:
        return Role(self.membership.role) if self.membership else None

    @property
    def is_owner(self) -> bool:
        return self.role == Role.OWNER

    @property
    def is_support(self) -> bool:
        return self.membership is None

    def as_of(self, account: Account) -> "Access":
        """The same with the account as it is now, for a service that has locked it.

        Raises NotFound once the membership has ended, and has the role that it is now.
        """
        if self.membership is None:
            return replace(self, account=account)
        now = account.memberships.filter(id=self.membership.id).prefetch_related("environments").first()
        if now is None:
            raise NotFound
        permissions = _permissions(now, self.environment)
        return replace(self, account=account, membership=now, permissions=permissions)

    def has(self, permission: Permission) -> bool:
        """Whether the person may ever do it here; for hiding controls. `require` also knows the situation."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises Forbidden, naming the permission and the roles that have it; AccountSuspended and
        AccountDeleting where it would change something; EnvironmentArchived where it would start one."""
        if permission not in self.permissions:
            raise Forbidden(permission, roles_with(permission, self._environment_type))
        if permission not in READING:
            self._require_writable(permission)
        if permission in STARTING and self.environment is not None and self.environment.is_archived:
            raise EnvironmentArchived

    def _require_writable(self, permission: Permission) -> None:
        """Who may delete the organisation may take that back."""
        try:
            require_writable(self.account)
        except AccountDeleting:
            if permission != Permission.ACCOUNT_DELETE:
                raise

    @property
    def _environment_type(self) -> EnvironmentType | None:
        return EnvironmentType(self.environment.type) if self.environment else None


def access_for(user: User | AnonymousUser, org_slug: str, env_slug: str | None = None) -> Access:
    """What the user may do there. Raises NotFound alike for what does not exist, for strangers, and for an
    environment that a restricted member does not see."""
    membership = _membership(user, org_slug)
    if membership is None:
        raise NotFound
    environment = _environment(membership.account, env_slug) if env_slug is not None else None
    if environment is not None and not _sees(membership, environment):
        raise NotFound
    return Access(membership.account, membership, environment, _permissions(membership, environment))


def support_access_for(user: User, org_slug: str, env_slug: str | None = None) -> Access:
    """An operator of the server looks into an organisation that allows it; the face audits and shows that.

    Raises NotFound for anybody else.
    """
    account = Account.objects.filter(slug=org_slug, allows_support_access=True).first()
    if account is None or not (user.is_active and user.is_staff):
        raise NotFound
    environment = _environment(account, env_slug) if env_slug is not None else None
    return Access(account, None, environment, _SUPPORT)


def visible_environments(access: Access) -> list[Environment]:
    """The account's environments that the person sees, the archived ones too, by name."""
    environments = access.account.environments.filter(delete_requested_at=None).order_by("name_norm", "id")
    membership = access.membership
    return [row for row in environments if membership is None or _sees(membership, row)]


def _membership(user: User | AnonymousUser, org_slug: str) -> Membership | None:
    if not isinstance(user, User) or not user.is_active:
        return None
    rows = Membership.objects.select_related("account").prefetch_related("environments")
    return rows.filter(user=user, account__slug=org_slug).first()


def _sees(membership: Membership, environment: Environment) -> bool:
    """The parent of branches stands for all of them."""
    if not membership.is_restricted:
        return True
    seen = {row.id for row in membership.environments.all()}
    return environment.id in seen or environment.parent_id in seen


def _environment(account: Account, slug: str) -> Environment:
    environment = account.environments.filter(slug=slug, delete_requested_at=None).first()
    if environment is None:
        raise NotFound
    return environment


def _permissions(membership: Membership, environment: Environment | None) -> frozenset[Permission]:
    kind = EnvironmentType(environment.type) if environment else None
    granted = permissions_of(Role(membership.role), kind)
    if not membership.is_restricted:
        return granted
    return granted - UNRESTRICTED_ONLY - (_ACROSS_ENVIRONMENTS if environment is None else frozenset())
