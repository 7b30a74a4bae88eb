"""Headers that tell a browser what a page of ours may do. Answers of the APIs are no pages and go without."""

from collections.abc import Awaitable
from typing import cast

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class PageHeadersMiddleware(CSPMiddleware):
    """Content-Security-Policy, with the request's nonce where a template asked for `csp_nonce`, and
    Permissions-Policy."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """As the base does, without its change of threads: nothing here waits."""
        self.process_request(request)
        response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        return self.process_response(request, response)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return super().process_response(request, response)
