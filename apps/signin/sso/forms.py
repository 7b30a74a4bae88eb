"""Forms of the page that sets up single sign-on."""

from typing import Any

import requests
from django import forms
from django.conf import settings

from apps.signin.models import SsoKind
from apps.signin.sso import egress, saml
from apps.signin.sso.configuration import Config, OidcConfig, SamlConfig
from apps.tenancy.models import Role


def _require_https(url: str) -> str:
    allowed = ("https", "http") if settings.STEPWELL_ALLOW_PRIVATE_NETWORKS else ("https",)
    if not url.startswith(tuple(f"{scheme}://" for scheme in allowed)):
        raise forms.ValidationError("This has to be an https URL.")
    return url


class _Named(forms.Form):
    name = forms.CharField(label="Name", max_length=64, help_text="What people know it as, such as Okta.")


class OidcForm(_Named):
    issuer = forms.CharField(label="Issuer URL", max_length=500, widget=forms.URLInput)
    client_id = forms.CharField(label="Client ID", max_length=191)
    client_secret = forms.CharField(
        label="Client secret", max_length=500, strip=True, widget=forms.PasswordInput
    )

    def clean_issuer(self) -> str:
        return _require_https(self.cleaned_data["issuer"])

    def config(self) -> Config:
        values = self.cleaned_data
        return OidcConfig(values["issuer"], values["client_id"], values["client_secret"])


class SamlForm(_Named):
    metadata_url = forms.CharField(
        label="Metadata URL", max_length=500, required=False, widget=forms.URLInput
    )
    metadata = forms.CharField(
        label="Metadata XML", required=False, max_length=200_000, widget=forms.Textarea(attrs={"rows": 6})
    )

    def clean_metadata_url(self) -> str:
        url = self.cleaned_data["metadata_url"]
        return _require_https(url) if url else ""

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors:
            return values
        if bool(values["metadata"]) == bool(values["metadata_url"]):
            raise forms.ValidationError("Give the metadata, or the URL where it is.")
        field = "metadata" if values["metadata"] else "metadata_url"
        try:
            values["config"] = saml.read_metadata(values["metadata"] or _fetched(values["metadata_url"]))
        except saml.BadMetadata as problem:
            self.add_error(field, str(problem))
        except requests.RequestException:
            self.add_error(field, "Nothing usable was found at this URL.")
        return values

    def config(self) -> SamlConfig:
        config: SamlConfig = self.cleaned_data["config"]
        return config


def _fetched(url: str) -> str:
    with egress.session() as session:
        response = session.get(url)
    response.raise_for_status()
    return response.text


class PolicyForm(forms.Form):
    is_enabled = forms.BooleanField(
        label="People of the verified domains can sign in with it", required=False
    )
    is_enforced = forms.BooleanField(
        label="They cannot sign in otherwise",
        help_text="Except owners of the organisation, who keep their passwords for emergencies. "
        "Whoever else is signed in otherwise is signed out.",
        required=False,
    )
    is_joining = forms.BooleanField(label="Who signs in becomes a member", required=False)
    default_role = forms.ChoiceField(
        label="Their role", choices=[(role.value, role.label) for role in Role if role != Role.OWNER]
    )


class DomainForm(forms.Form):
    domain = forms.CharField(label="Domain", max_length=253)


FORMS: dict[str, type[OidcForm] | type[SamlForm]] = {SsoKind.OIDC: OidcForm, SsoKind.SAML: SamlForm}
