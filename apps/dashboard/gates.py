"""Which controls a page shows (spec 05, 1.3): those that the person can never use are left out, those that
the situation forbids are shown without effect, and say why and who can."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from apps.dashboard.tenant import access_of
from apps.tenancy.access import Access
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.models import EnvironmentType
from apps.tenancy.permissions import Permission, permissions_of


@dataclass(frozen=True, slots=True)
class Gate:
    """`reason` is empty where the control works."""

    is_shown: bool = True
    reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.is_shown and not self.reason


class Gates:
    """For templates: `can.run_cancel` is the gate of the permission of that name."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._known: dict[str, Gate] = {}

    def __getitem__(self, name: str) -> Gate:
        if name not in self._known:
            self._known[name] = self._gate(Permission[name.upper()])
        return self._known[name]

    def _gate(self, permission: Permission) -> Gate:
        if settings.STEPWELL_MODE == "dev":
            return Gate()
        return gate_of(access_of(self._request), permission)


def gate_of(access: Access, permission: Permission) -> Gate:
    if not access.has(permission) and not _has_elsewhere(access, permission):
        return Gate(is_shown=False)
    try:
        access.require(permission)
    except TenancyError as refused:
        return Gate(reason=str(refused))
    return Gate()


def _has_elsewhere(access: Access, permission: Permission) -> bool:
    """Whether it is only this environment that is not for the person's role."""
    role = access.role
    if role is None or access.environment is None:
        return False
    return any(permission in permissions_of(role, kind) for kind in EnvironmentType)
