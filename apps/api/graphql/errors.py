"""Errors of resolvers: what a client is told."""

import logging
from typing import Final

from graphql import GraphQLError, GraphQLFormattedError

NO_ROWS: Final = "sql: no rows in result set"  # the text that the published API has for "not found"

logger = logging.getLogger(__name__)


def not_found(prefix: str = "") -> GraphQLError:
    return GraphQLError(f"{prefix}{NO_ROWS}")


def formatted(error: GraphQLError) -> GraphQLFormattedError:
    """The error as clients see it; an unforeseen exception is logged and keeps its text to itself."""
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return error.formatted
    logger.error("GraphQL resolver failed at %s", error.path, exc_info=cause)
    return {**error.formatted, "message": "internal server error"}
