"""Forms of the page that sets up single sign-on."""

import re
from typing import Any

import requests
from django import forms
from django.conf import settings

from apps.signin.models import USUAL_SCOPES, SsoKind
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


_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
_ROLES = [role.value for role in Role if role != Role.OWNER]


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


class _GroupRoles(forms.CharField):
    """Lines of `group = role` for a list of [group, role]."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{group} = {role}" for group, role in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (line.strip() for line in str(value or "").splitlines())
        return [_group_role(line) for line in lines if line]


def _group_role(line: str) -> list[str]:
    """A group may have an equals sign in its name, as those of LDAP do. Raises ValidationError."""
    group, _, role = (part.strip() for part in line.rpartition("="))
    if not group or role not in _ROLES:
        raise forms.ValidationError(f"{line[:80]}: write group = role, with one of {', '.join(_ROLES)}.")
    return [group, role]


class GroupsForm(forms.Form):
    group_attribute = forms.CharField(
        label="Attribute or claim with the groups",
        max_length=191,
        help_text="Of the identity token, of userinfo, or of the SAML answer.",
    )
    group_roles = _GroupRoles(
        label="Roles of groups",
        help_text="One a line, such as stepwell-admins = admin. The first that fits is the role at each "
        "sign-in, else the role above; owners stay owners. Empty: roles are given here.",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class OidcGroupsForm(GroupsForm):
    extra_scopes = forms.CharField(
        label="Further scopes",
        help_text="Asked for beside openid, profile and email, such as groups where the provider names them "
        "only then. Spaces between them; usually none.",
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_extra_scopes(self) -> str:
        """Each once, of the characters of RFC 6749, 3.3."""
        scopes = dict.fromkeys(self.cleaned_data["extra_scopes"].split())
        if wrong := [scope for scope in scopes if not _SCOPE.fullmatch(scope)]:
            raise forms.ValidationError(f"{wrong[0][:80]} is no name of a scope.")
        return " ".join(scope for scope in scopes if scope not in USUAL_SCOPES)


class DomainForm(forms.Form):
    domain = forms.CharField(label="Domain", max_length=253)


GROUP_FORMS: dict[str, type[GroupsForm]] = {SsoKind.OIDC: OidcGroupsForm, SsoKind.SAML: GroupsForm}
FORMS: dict[str, type[OidcForm] | type[SamlForm]] = {SsoKind.OIDC: OidcForm, SsoKind.SAML: SamlForm}
