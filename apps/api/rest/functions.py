"""GET /v1/apps/{app_id}/functions (spec 03, 4.8)."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.rest.answers import raw
from apps.api.rest.base import RestView
from apps.engine.protocol.dates import rfc3339
from apps.registry import selectors
from apps.registry.models import Function
from apps.tenancy.permissions import Permission

NEVER = "0001-01-01T00:00:00Z"


class AppFunctionsView(RestView):
    permissions = {"GET": Permission.VIEW}

    """Takes the app's external id; answers a bare array."""

    def get(self, request: Request, app_id: str) -> Response:
        app = selectors.app_by_name(self.environment_id, app_id)
        if app is None:
            return Response([])
        functions = selectors.configured_functions(self.environment_id, app.id)
        return Response([_item(function) for function in functions])


def _item(function: Function) -> dict[str, object]:
    return {
        "internal_id": str(function.id),
        "env_id": str(function.environment_id),
        "app_id": str(function.app_id),
        "id": function.slug,
        "name": function.name,
        "config": raw(function.config),
        "created_at": rfc3339(int(function.created_at.timestamp() * 1000)),
        "archived_at": NEVER,
    }
