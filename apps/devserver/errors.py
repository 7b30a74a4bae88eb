class StartError(Exception):
    """The platform cannot start; the message is one sentence for the person at the terminal."""
