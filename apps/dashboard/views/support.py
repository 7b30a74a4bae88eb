"""The end of an operator's look into an organisation."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from apps.dashboard import support
from apps.dashboard.tenant import LAST_PLACE
from apps.identity.models import User


@require_POST
def end_support(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        support.end_support(request, request.user)
        request.session.pop(LAST_PLACE, None)
        messages.success(request, "You have left the organisation.")
    return HttpResponseRedirect("/admin/tenancy/account/")
