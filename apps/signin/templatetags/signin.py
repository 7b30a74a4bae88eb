"""Fields of forms in our own look, with their errors where they belong."""

from typing import Any

from django import template
from django.conf import settings
from django.forms import BaseForm, BoundField, CheckboxInput, Textarea
from django.utils.safestring import SafeString

# In this order: most browsers also claim to be those below them.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)

register = template.Library()


@register.inclusion_tag("signin/_field.html")
def field(bound: BoundField, label: str = "", hint: str | None = None, **attributes: Any) -> dict[str, Any]:
    """A label, its control and what is wrong with it. `attributes` go to the control, `_` read as `-`."""
    widget = bound.field.widget
    widget.attrs.pop("placeholder", None)
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    wrong = _first_wrong(bound.form)
    if wrong:
        named["autofocus"] = bound.name == wrong
    is_check = isinstance(widget, CheckboxInput)
    if hint is not None:
        bound.help_text = hint
    return {
        "bound": bound,
        "label": label or bound.label,
        "is_check": is_check,
        "control": _control(bound, {} if is_check else {"class": _css(widget, named)}, named),
    }


def _first_wrong(form: BaseForm) -> str:
    """Where whoever sent the form goes on; empty where no field is wrong by itself."""
    return next((bound.name for bound in form if bound.errors), "")


def _control(bound: BoundField, base: dict[str, str], named: dict[str, Any]) -> SafeString:
    named.pop("class", None)
    return bound.as_widget(attrs=base | named)


def _css(widget: Any, named: dict[str, Any]) -> str:
    kind = "textarea" if isinstance(widget, Textarea) else "input"
    if widget.__class__.__name__ == "Select":
        kind = "select"
    return f"{kind} {named.get('class', '')}".strip()


@register.filter
def device(user_agent: str) -> str:
    """Browser and system as far as they can be told, for lists of sessions: "Firefox on Linux"."""
    browser = _first_of(user_agent, _BROWSERS)
    system = _first_of(user_agent, _SYSTEMS)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent[:40] or "Unknown device"


def _first_of(user_agent: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in known if mark in user_agent), "")


@register.simple_tag
def is_sign_up_open() -> bool:
    return bool(settings.STEPWELL_SIGN_UP == "open")
