"""HTTP transport of GraphQL (spec 03, 6.1)."""

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.api.graphql.access import authority_of
from apps.api.graphql.context import RequestContext
from apps.api.graphql.execution import Answer, GraphQLRequest, refusal, run_request, unauthorised
from apps.api.graphql.limits import MAX_BODY_BYTES
from apps.credentials.caller import Refused


class _Unreadable(Exception):
    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.answer = refusal(status, message)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def graphql_endpoint(request: HttpRequest) -> HttpResponse:
    """POST of JSON {query, variables?, operationName?}, or GET with the same as query parameters."""
    authority = authority_of(request)
    if isinstance(authority, Refused):
        return _response(unauthorised(authority))
    try:
        parsed = _from_url(request) if request.method == "GET" else _from_body(request)
    except _Unreadable as error:
        return _response(error.answer)
    context = RequestContext(authority.environment_id, authority.account_id, authority.actor)
    return _response(run_request(parsed, context, authority))


def _response(answer: Answer) -> HttpResponse:
    body = msgspec.json.encode(answer.body)
    return HttpResponse(body, status=answer.status, content_type="application/json")


def _from_body(request: HttpRequest) -> GraphQLRequest:
    if request.content_type != "application/json":
        raise _Unreadable("transport not supported")
    _check_size(request)
    return _request(_json(request.body, "json request body could not be decoded"))


def _check_size(request: HttpRequest) -> None:
    """Before the body is read: its declared length is also the most that the server hands over."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES or len(request.body) > MAX_BODY_BYTES:
        raise _Unreadable(f"request body is larger than {MAX_BODY_BYTES} bytes", status=413)


def _from_url(request: HttpRequest) -> GraphQLRequest:
    variables = request.GET.get("variables")
    fields: dict[str, object] = {
        "query": request.GET.get("query"),
        "variables": _json(variables, "variables could not be decoded") if variables else None,
        "operationName": request.GET.get("operationName"),
    }
    return _request(fields, reads_only=True)


def _json(raw: bytes | str, message: str) -> object:
    try:
        value: object = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as error:
        raise _Unreadable(message) from error
    return value


def _request(fields: object, *, reads_only: bool = False) -> GraphQLRequest:
    if not isinstance(fields, dict):
        raise _Unreadable("request must be a JSON object")
    query, variables, name = fields.get("query"), fields.get("variables"), fields.get("operationName")
    if not isinstance(query, str) or not query:
        raise _Unreadable("no operation provided")
    if variables is not None and not isinstance(variables, dict):
        raise _Unreadable("variables must be a JSON object")
    if name is not None and not isinstance(name, str):
        raise _Unreadable("operationName must be a string")
    return GraphQLRequest(query, variables, name or None, reads_only)
