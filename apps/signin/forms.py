"""Fields of our own pages; the library's forms bring theirs."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest

from apps.identity.models import Theme, User


class NameForm(forms.Form):
    """Added to the library's sign-up form (ACCOUNT_SIGNUP_FORM_CLASS)."""

    name = forms.CharField(
        label="Your name", max_length=128, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])


class ProfileForm(forms.ModelForm[User]):
    name = forms.CharField(
        label="Name", max_length=128, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    class Meta:
        model = User
        fields = ("name",)


class ThemeForm(forms.ModelForm[User]):
    theme = forms.ChoiceField(
        label="Theme", choices=[(choice.value, choice.label) for choice in Theme], widget=forms.RadioSelect
    )

    class Meta:
        model = User
        fields = ("theme",)


class OrganisationForm(forms.Form):
    name = forms.CharField(
        label="Name of the organisation",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class SetupForm(forms.Form):
    token = forms.CharField(
        label="Setup token",
        help_text="It is in the server's log, at the end of the link to this page.",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    organisation = forms.CharField(
        label="Name of your organisation",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    name = forms.CharField(
        label="Your name", max_length=128, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="Your e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label="Password",
        help_text="At least 10 characters.",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        person = User(email=values.get("email", ""), name=values.get("name", ""))
        try:
            validate_password(values.get("password", ""), person)
        except forms.ValidationError as problem:
            self.add_error("password", problem)
        return values


class DomainSignInForm(forms.Form):
    email = forms.EmailField(
        label="Work e-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
