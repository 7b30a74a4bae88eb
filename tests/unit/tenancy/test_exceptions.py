"""What a refusal says: a stable code of its own, and who can."""

import inspect

from apps.tenancy import exceptions
from apps.tenancy.exceptions import Forbidden, TenancyError
from apps.tenancy.models import Role
from apps.tenancy.permissions import Permission

CLASSES = [
    kind
    for kind in vars(exceptions).values()
    if inspect.isclass(kind) and issubclass(kind, TenancyError) and kind is not TenancyError
]


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in CLASSES]
    assert sorted(codes) == sorted(set(codes))
    assert "tenancy_error" not in codes


def test_forbidden_names_the_permission_and_who_has_it() -> None:
    refusal = Forbidden(Permission.REPLAY, [Role.OWNER, Role.ADMIN, Role.OPERATOR])
    assert (
        str(refusal) == "This needs the permission replay, which the role owner, admin or operator has here."
    )
    assert (refusal.code, refusal.status) == ("forbidden", 403)


def test_the_text_is_the_docstring() -> None:
    assert str(exceptions.LastOwner()) == (
        "The last owner can neither leave nor lose the role. Make another member an owner first."
    )
