"""What the services of the registry refuse; the text of each is what users read."""


class RegistryError(Exception):
    """The request cannot be carried out."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class FunctionNotFound(RegistryError):
    """function not found"""


class FunctionArchived(RegistryError):
    """function is archived"""
