"""The directory of stored credentials: each secret is found by its keyed hash."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import Q

from apps.credentials import formats, secrets
from apps.credentials.caller import Credential, CredentialKind, Place, Refused
from apps.credentials.directory import DirectoryUnavailable
from apps.credentials.filters import KeyFilter
from apps.credentials.models import ApiKey, EventKey, FilterMode, KeySource, PersonalToken, SigningKey
from apps.credentials.permissions import EVENT_KEY_PERMISSIONS, SIGNING_KEY_PERMISSIONS, granted
from apps.credentials.uses import Use
from apps.identity.models import User
from apps.tenancy.access import access_for
from apps.tenancy.entitlements import entitlements_of
from apps.tenancy.exceptions import NotFound, TenancyError
from apps.tenancy.models import Account, AccountStatus, Environment, EnvironmentType
from apps.tenancy.names import normal_name
from apps.tenancy.permissions import Permission
from apps.tenancy.services.branches import branch_resolve

P = ParamSpec("P")
T = TypeVar("T")


def _asks_database(method: Callable[P, T]) -> Callable[P, T]:
    """DirectoryUnavailable where the database is away."""

    @wraps(method)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except (OperationalError, InterfaceError) as problem:
            raise DirectoryUnavailable(str(problem)) from problem

    return asked


class DatabaseDirectory:
    def event_key(self, presented: str) -> Credential | None:
        return self._event_key(presented) if formats.is_event_key(presented) else None

    @_asks_database
    def _event_key(self, presented: str) -> Credential | None:
        rows = EventKey.objects.select_related("environment__account")
        row = rows.filter(value_hash__in=secrets.keyed_hashes(presented)).first()
        return _of_event_key(row) if row else None

    def bearer(self, presented: str) -> Credential | None:
        find = _finder(presented)
        return self._bearer(find, presented) if find else None

    @_asks_database
    def _bearer(self, find: Callable[[str], Credential | None], presented: str) -> Credential | None:
        return find(presented)

    @_asks_database
    def place(self, environment_id: UUID) -> Place | None:
        row = Environment.objects.select_related("account").filter(id=environment_id).first()
        return place_of(row) if row else None

    @_asks_database
    def named_places(self, account_id: UUID, name: str) -> Collection[Place]:
        rows = Environment.objects.select_related("account").filter(
            account_id=account_id, delete_requested_at=None
        )
        exact = rows.filter(_slug_or_id(name)).first()
        if exact is not None:
            return [place_of(exact)]
        return [place_of(row) for row in rows.filter(name_norm=normal_name(name))[:2]]

    @_asks_database
    def branch(self, parent: Place, name: str, use: Use) -> Place | Refused:
        row = Environment.objects.select_related("account").get(id=parent.environment_id)
        try:
            branch = branch_resolve(parent=row, name=name, may_create=use.creates, unarchives=use.unarchives)
        except TenancyError as refused:
            return Refused(refused.status, refused.code, str(refused), parent.environment_id)
        return place_of(branch)

    @_asks_database
    def permissions_of_member(self, user_id: UUID, place: Place) -> frozenset[Permission]:
        user = User.objects.filter(id=user_id).first()
        slug = Account.objects.filter(id=place.account_id).values_list("slug", flat=True).first()
        if user is None or slug is None:
            return frozenset()
        try:
            return access_for(user, slug, place.slug).permissions
        except NotFound:
            return frozenset()


def _finder(presented: str) -> Callable[[str], Credential | None] | None:
    """By the form of the secret; None where no stored one has that form."""
    if presented.startswith(formats.API_KEY_PREFIX):
        return _api_key
    if presented.startswith(formats.TOKEN_PREFIX):
        return _token
    return _signing_key if formats.is_signing_key(presented) else None


def place_of(row: Environment) -> Place:
    """`row` with its account loaded, or one query."""
    return Place(
        account_id=row.account_id,
        environment_id=row.id,
        key_owner_id=row.key_owner_id,
        type=EnvironmentType(row.type),
        slug=row.slug,
        name=row.name,
        is_archived=row.is_archived,
        account_status=AccountStatus(row.account.status),
        entitlements=entitlements_of(row.account),
    )


def _of_event_key(row: EventKey) -> Credential:
    is_webhook = row.source == KeySource.WEBHOOK
    return _credential(
        CredentialKind.WEBHOOK if is_webhook else CredentialKind.EVENT_KEY,
        row.id,
        row.name,
        row.environment.account,
        row.environment,
        EVENT_KEY_PERMISSIONS,
        [row.revoked_at],
        KeyFilter(is_allow=row.filter_mode == FilterMode.ALLOW, events=row.filter_events, ips=row.filter_ips),
    )


def _signing_key(presented: str) -> Credential | None:
    hashes = [one for form in formats.bearer_hashes(presented) for one in secrets.keyed_hashes(form)]
    rows = SigningKey.objects.select_related("environment__account")
    row = rows.filter(bearer_hash__in=hashes).first()
    if row is None:
        return None
    return _credential(
        CredentialKind.SIGNING_KEY,
        row.id,
        f"{row.prefix}…",
        row.environment.account,
        row.environment,
        SIGNING_KEY_PERMISSIONS,
        [row.retired_until],
    )


def _api_key(presented: str) -> Credential | None:
    rows = ApiKey.objects.select_related("account", "environment__account")
    row = rows.filter(value_hash__in=secrets.keyed_hashes(presented)).first()
    if row is None:
        return None
    ends = [row.revoked_at, row.expires_at]
    permissions = granted(row.permissions)
    return _credential(
        CredentialKind.API_KEY, row.id, row.name, row.account, row.environment, permissions, ends
    )


def _token(presented: str) -> Credential | None:
    rows = PersonalToken.objects.select_related("account", "user")
    row = rows.filter(value_hash__in=secrets.keyed_hashes(presented), user__is_active=True).first()
    if row is None:
        return None
    ends = [row.revoked_at, row.expires_at]
    permissions = granted(row.permissions)
    return _credential(
        CredentialKind.TOKEN, row.id, row.name, row.account, None, permissions, ends, user_id=row.user_id
    )


def _credential(
    kind: CredentialKind,
    row_id: UUID,
    label: str,
    account: Account,
    environment: Environment | None,
    permissions: frozenset[Permission],
    ends: list[datetime | None],
    key_filter: KeyFilter | None = None,
    user_id: UUID | None = None,
) -> Credential:
    """`ends`: what ends the credential, of which the first counts."""
    return Credential(
        kind=kind,
        id=str(row_id),
        label=label,
        account_id=account.id,
        place=place_of(environment) if environment else None,
        permissions=permissions,
        account_status=AccountStatus(account.status),
        ends_at=min((end.timestamp() for end in ends if end is not None), default=None),
        filter=key_filter if key_filter and (key_filter.has_events or key_filter.has_ips) else None,
        user_id=user_id,
    )


def _slug_or_id(name: str) -> Q:
    try:
        return Q(slug=name) | Q(id=UUID(name))
    except ValueError:
        return Q(slug=name)
