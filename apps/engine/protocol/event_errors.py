"""Why an event was not accepted."""


class EventRejected(ValueError):
    """The request, or one event of it, is not acceptable; the text is for the sender (spec 03, 3.1)."""
