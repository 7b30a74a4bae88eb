"""Small forms of pages: in the shell's dialog, or a page of their own. What they hold is checked by services,
whose refusals are shown in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from apps.dashboard.fragments import redirect, render_dialog
from apps.tenancy.exceptions import TenancyError

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Field:
    """`kind` is a type of input, or select, textarea, checkbox or checks (several of `choices`); the value of
    a checkbox is truthy where it is on, that of checks the chosen ones."""

    name: str
    label: str
    value: object = ""
    kind: str = "text"
    hint: str = ""
    choices: Choices = ()
    is_required: bool = True
    rows: int = 4
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    title: str
    action: str
    back_url: str
    submit: str
    icon: str = "check"
    fields: Sequence[Field] = field(default_factory=tuple)
    text: str = ""
    is_danger: bool = False
    back_label: str = "Cancel"


def rename_form(request: HttpRequest, name: str, back_url: str) -> tuple[Form, str]:
    """The form that gives something called `name` another one, and the name that was typed."""
    typed = request.POST.get("name", name)
    fields = [Field("name", "Name", typed)]
    return Form(f"Rename {name}", request.path, back_url, "Rename", fields=fields), typed


def render_form(
    request: HttpRequest, form: Form, section: str, error: str | TenancyError = ""
) -> HttpResponse:
    """A refusal stands at the field that it is about, else above them all."""
    field_name = _field_of(form, error) if error else ""
    context = {"dialog_title": form.title, "form": form, "error": str(error), "error_at": field_name}
    status = 422 if error else 200
    return render_dialog(request, "components/form_dialog.html", context, section=section, status=status)


def _field_of(form: Form, error: str | TenancyError) -> str:
    about = error.about if isinstance(error, TenancyError) else ""
    return about if about in {item.name for item in form.fields} else ""


def change(
    request: HttpRequest, form: Form, section: str, act: Callable[[], object], success: str
) -> HttpResponse:
    """GET shows the form; POST acts and goes back, or shows the form again with what was refused."""
    if request.method != "POST":
        return render_form(request, form, section)
    try:
        act()
    except TenancyError as refused:
        return render_form(request, form, section, refused)
    messages.success(request, success)
    return redirect(request, form.back_url)


def attempt(request: HttpRequest, url: str, act: Callable[[], object], success: str) -> HttpResponse:
    """A change without a form of its own: act, say what came of it, go back."""
    try:
        act()
    except TenancyError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, success)
    return redirect(request, url)
