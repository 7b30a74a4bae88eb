"""Why an event was not accepted."""


class EventRejected(ValueError):
    """The request, or one event of it, is not acceptable; the text is for the sender (spec 03, 3.1)."""


class MalformedEvent(EventRejected):
    """The event is not JSON, or a member of it has the wrong type."""
