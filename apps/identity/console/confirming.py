"""An action of the console is asked for first: what it would do is said on a page of its own."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse


@dataclass(frozen=True, slots=True)
class Question:
    """`action` is the name of the action, `text` what it means; `is_grave`: it stops something."""

    action: str
    title: str
    text: str
    label: str
    is_grave: bool = False


def ask_first(
    model_admin: ModelAdmin[Any], request: HttpRequest, chosen: QuerySet[Any], question: Question
) -> TemplateResponse | None:
    """The page that asks, or None once the person has said yes."""
    if request.POST.get("confirmed") == "yes":
        return None
    context = model_admin.admin_site.each_context(request) | {
        "title": question.title,
        "question": question,
        "chosen": list(chosen),
        "checkbox": ACTION_CHECKBOX_NAME,
        "model_admin": model_admin,
        "opts": model_admin.opts,
    }
    return TemplateResponse(request, "admin/confirm.html", context)
