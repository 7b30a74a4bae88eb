"""Links from one place to another: to pages of any environment, of organisations, and of neither."""

from urllib.parse import quote

from django.urls import get_script_prefix, reverse

from apps.dashboard.tenant import PAGES_URLCONF, root_url
from apps.tenancy.models import Account, Environment


def environment_url(account: Account, environment: Environment, name: str, *args: object) -> str:
    """The path of a page of the environment, from wherever it is linked."""
    path = reverse(name, urlconf=PAGES_URLCONF, args=args or None).removeprefix(get_script_prefix())
    return f"{environment_root(account, environment)}/{path.lstrip('/')}"


def environment_root(account: Account, environment: Environment) -> str:
    return f"/o/{quote(account.slug)}/env/{quote(environment.slug)}"


def organisation_url(account: Account, name: str, *args: object) -> str:
    """The path of a page of the organisation, whose name is one of organisation_urls.py."""
    return root_url(f"organisation:{name}", account.slug, *args)
