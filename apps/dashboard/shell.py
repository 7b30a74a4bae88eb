"""The frame of a page: where one is, where one can go, and what stands above everything."""

from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from apps.dashboard import navigation, switching
from apps.dashboard.banners import Banner, banners_of
from apps.dashboard.places import organisation_url
from apps.dashboard.switching import Choice, ChoiceGroup
from apps.dashboard.tenant import access_of, root_url
from apps.identity.models import User
from apps.tenancy.access import Access
from apps.tenancy.models import Environment


@dataclass
class Shell:
    """What the templates ask for, each part worked out when it is first asked for."""

    access: Access
    user: User | None
    section: str

    @property
    def is_server(self) -> bool:
        return bool(settings.STEPWELL_MODE != "dev")

    @property
    def environment(self) -> Environment | None:
        return self.access.environment

    @property
    def environment_kind(self) -> str:
        return switching.kind_of(self.environment) if self.environment else ""

    @property
    def environment_colour(self) -> str:
        return switching.colour_of(self.environment) if self.environment else ""

    @cached_property
    def home_url(self) -> str:
        if self.environment is not None:
            return reverse("dashboard:runs")
        return organisation_url(self.access.account, "environments")

    @cached_property
    def palette_url(self) -> str:
        if self.environment is not None:
            return reverse("dashboard:palette")
        return organisation_url(self.access.account, "palette")

    @cached_property
    def groups(self) -> list[navigation.Group]:
        if not self.is_server:
            return navigation.development_groups()
        if self.environment is not None:
            return navigation.environment_groups(self.access)
        return navigation.organisation_groups(self.access)

    @cached_property
    def environments(self) -> list[ChoiceGroup]:
        return switching.environment_choices(self.access, self.section)

    @cached_property
    def has_branches(self) -> bool:
        return any(choice.kind == "branch" for group in self.environments for choice in group.choices)

    @property
    def all_environments_url(self) -> str:
        return switching.all_environments_url(self.access)

    @cached_property
    def organisations(self) -> list[Choice]:
        return switching.organisation_choices(self.user, self.access.account) if self.user else []

    @cached_property
    def banners(self) -> list[Banner]:
        return banners_of(self.access) if self.is_server else []

    @property
    def profile_url(self) -> str:
        return root_url("signin_profile")

    @property
    def organisations_url(self) -> str:
        return root_url("signin_organisations")

    @property
    def sign_out_url(self) -> str:
        return root_url("account_logout")


def shell_of(request: HttpRequest, section: str) -> Shell:
    user = getattr(request, "user", None)
    return Shell(access_of(request), user if isinstance(user, User) else None, section)
