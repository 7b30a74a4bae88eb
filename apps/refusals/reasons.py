"""Why a request was refused, in words of our own.

An answer may quote what the caller sent (a name, a character, an id). What is recorded may not: of an
answer's text only what is known here is kept. Anything else becomes the name of the status.
"""

import re
from http import HTTPStatus

# The beginning of a text that is kept; what follows it is dropped.
_KEPT = (
    # keys
    "Authentication failed",
    "Event key is required",
    "Event key not found",
    "Event keys are required to process events securely",
    "The credential has been revoked or has expired",
    "The credential lacks the permission [a-z_.]+",
    "The key does not take events (?:from this address|of this name)",
    "Steps are reported with a signing key",
    # organisations and environments
    "The organisation is (?:suspended|being deleted)",
    "The organisation sends more events than it may",
    "The environment is archived",
    "The X-Inngest-Env header must name the environment",
    "There is no environment of that name",
    "Several environments have that name",
    # bodies
    r"Request body is over the max size(?:: Max \d+ bytes)?",
    "Request body is not valid UTF-8",
    "Request body must contain an event object or an array of event objects",
    r"Content-Encoding (?:br|compress|deflate|gzip|zstd) is not supported",
    "invalid JSON",
    "unexpected end of JSON input",
    # events
    r"Cannot have more than \d+ (?:events in a batch|sessions in an event)",
    r"Event (?:meta )?is over the max size(?:: Max \d+ bytes)?",
    "event is nested too deeply",
    "event name is (?:empty|reserved for internal use|too long)",
    "event id is too long",
    "event (?:name|id) holds a NUL character",
    "event (?:data|user|meta) must be an object",
    r"invalid event: Expected `[a-z0-9 |]+`, got `[a-z]+` - at `\$\.[a-z]+`",
    "invalid event(?: data| user| meta)?",
    "timestamp is (?:before Jan 1, 1980|after Jan 1, 2100)",
    r"meta\.(?:propagated_)?sessions must be an object",
    "A session (?:key|id) is over the max size",
    "A session id must be a string or a number",
    # invocations
    "Function slug is required",
    "Invalid invocation event",
    # checkpoints and run state
    "invalid request body",
    "cannot checkpoint (?:async steps|opcode)",
    "queue item not found",
    "run not found in state store",
    "run state is over the size limit",
    "The run ID specified is invalid",
    # REST
    "Invalid (?:event|run) ID",
    "Invalid (?:cursor|received_after|received_before) query parameter",
    "Invalid signal data",
    "Failed to receive signal",
    # syncs
    "App ID required",
    "At least one function is invalid",
    "Expected server kind (?:dev|cloud)",
    "Invalid request",
)
# Texts with something of the caller's in the middle, and what is said instead.
_SAID = (
    (re.compile("step .* too large", re.DOTALL), "a step is too large"),
    (re.compile("invalid character .* after (?:array element|top-level value)"), "invalid JSON"),
    (re.compile("SDK version .* is not allowed"), "SDK version is not allowed by this server"),
)
_kept = re.compile("|".join(f"(?:{pattern})" for pattern in _KEPT))


def reason_of(error: str, status: int) -> str:
    """The reason that may be kept of an answer's `error`."""
    if found := _kept.match(error):
        return found.group()
    for pattern, said in _SAID:
        if pattern.match(error):
            return said
    return HTTPStatus(status).phrase
