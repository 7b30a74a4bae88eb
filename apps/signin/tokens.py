"""Personal tokens for their page: what each reaches and may do, and the form that makes one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django import forms
from django.utils import timezone

from apps.credentials.models import PersonalToken
from apps.credentials.permissions import GRANTABLE, PRESETS, grantable_to
from apps.credentials.selectors import tokens_qs
from apps.credentials.wording import PERMISSION_WORDS, PRESET_WORDS, counted, preset_of
from apps.identity.models import User
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.models import Account, Membership, Role
from apps.tenancy.permissions import Permission

_FULL: Final = "full"
_CUSTOM: Final = "custom"
_LIFETIMES: Final = (("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("never", "Never"))


@dataclass(frozen=True, slots=True)
class TokenRow:
    """`permissions` are named one by one where they are no preset."""

    token: PersonalToken
    reach: str
    scope: str
    permissions: tuple[str, ...]
    is_expired: bool


def memberships_of(user: User) -> list[Membership]:
    rows = user.memberships.select_related("account").prefetch_related("environments")
    return list(rows.order_by("account__name", "id"))


def token_rows(user: User) -> list[TokenRow]:
    memberships = {membership.account_id: membership for membership in memberships_of(user)}
    return [_row(token, memberships.get(token.account_id)) for token in tokens_qs(user.id)]


def _row(token: PersonalToken, membership: Membership | None) -> TokenRow:
    preset = preset_of(token.permissions)
    return TokenRow(
        token=token,
        reach=_reach(membership),
        scope=PRESET_WORDS[preset] if preset else counted(len(token.permissions)),
        permissions=() if preset else tuple(token.permissions),
        is_expired=token.expires_at is not None and token.expires_at <= timezone.now(),
    )


def _reach(membership: Membership | None) -> str:
    if membership is None or not membership.is_restricted:
        return "all environments"
    return ", ".join(sorted(row.name for row in membership.environments.all())) or "no environment"


class TokenForm(forms.Form):
    """Offers what at least one of the person's roles may do; the service knows the one that counts."""

    name = forms.CharField(
        label="Name",
        help_text="What you use it for, such as the machine and the tool.",
        max_length=128,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    organisation = forms.ChoiceField(
        label="Organisation",
        help_text="It reaches the environments that you see there. Each request names one of them.",
    )
    preset = forms.ChoiceField(label="May")
    permissions = forms.MultipleChoiceField(
        label="Exactly this", required=False, widget=forms.CheckboxSelectMultiple
    )
    lifetime = forms.ChoiceField(label="Expires after", choices=_LIFETIMES, initial="90")

    def __init__(self, memberships: Sequence[Membership], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._memberships = {row.account.slug: row for row in memberships}
        roles = {Role(row.role) for row in memberships}
        offered = frozenset[Permission]().union(*(grantable_to(role) for role in roles))
        self._choices_of("organisation", [(row.account.slug, row.account.name) for row in memberships])
        self._choices_of("preset", _presets_within(offered))
        self._choices_of("permissions", _worded(offered))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("preset") == _CUSTOM and not values.get("permissions") and not self.errors:
            self.add_error("permissions", "Tick at least one permission.")
        return values

    @property
    def account(self) -> Account:
        return self._membership.account

    @property
    def chosen(self) -> frozenset[Permission]:
        preset = self.cleaned_data["preset"]
        if preset == _FULL:
            return grantable_to(Role(self._membership.role))
        if preset == _CUSTOM:
            return frozenset(map(Permission, self.cleaned_data["permissions"]))
        return PRESETS[preset]

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return None if days == "never" else timezone.now() + timedelta(days=int(days))

    def refuse(self, problem: TenancyError) -> None:
        """A refusal of the service, at the field that it is about."""
        about = problem.about
        if about == "permissions" and self.cleaned_data["preset"] != _CUSTOM:
            about = "preset"
        self.add_error(about if about in self.fields else None, str(problem))

    @property
    def _membership(self) -> Membership:
        return self._memberships[self.cleaned_data["organisation"]]

    def _choices_of(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast("forms.ChoiceField", self.fields[name]).choices = choices


def _presets_within(offered: frozenset[Permission]) -> list[tuple[str, str]]:
    """Those that some role holds whole; the last but one is cut to the role."""
    held = [name for name, permissions in PRESETS.items() if name != _FULL and permissions <= offered]
    last = [(_FULL, "Everything that my role may do"), (_CUSTOM, "What I choose")]
    return [(name, PRESET_WORDS[name]) for name in held] + last


def _worded(offered: frozenset[Permission]) -> list[tuple[str, str]]:
    """With the name that a refusal uses."""
    own = (permission for permission in Permission if permission in offered & GRANTABLE)
    return [(permission.value, f"{PERMISSION_WORDS[permission]} ({permission.value})") for permission in own]
