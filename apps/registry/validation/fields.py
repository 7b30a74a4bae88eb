"""Reading JSON objects whose keys SDKs spell in different cases (spec 01 4.4)."""

MAX_INTEGER = 2**31 - 1


class InvalidRequestError(Exception):
    """The body has a value of a wrong type or form, so that it cannot be decoded."""


class Fields:
    """A JSON object: keys are case-insensitive, null equals absent, `path` names it in errors.

    The readers raise InvalidRequestError for a value of another type.
    """

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise InvalidRequestError(f"{path or 'body'} must be an object")
        self.path = path
        self._values = {str(key).lower(): item for key, item in value.items() if item is not None}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def child_path(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def value(self, name: str) -> object:
        return self._values.get(name.lower())

    def text(self, name: str, default: str = "") -> str:
        if name not in self:
            return default
        return as_text(self.value(name), self.child_path(name))

    def integer(self, name: str, default: int = 0) -> int:
        if name not in self:
            return default
        return as_integer(self.value(name), self.child_path(name))

    def child(self, name: str) -> "Fields | None":
        return Fields(self.value(name), self.child_path(name)) if name in self else None

    def array(self, name: str) -> list[object]:
        if name not in self:
            return []
        return as_array(self.value(name), self.child_path(name))

    def children(self, name: str) -> list["Fields"]:
        items = enumerate(self.array(name))
        return [Fields(item, f"{self.child_path(name)}[{index}]") for index, item in items]

    def entries(self) -> list[tuple[str, object]]:
        return list(self._values.items())


def as_text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequestError(f"{path} must be a string")
    # PostgreSQL stores no NUL in text.
    if "\0" in value:
        raise InvalidRequestError(f"{path} must not contain a NUL character")
    return value


def as_integer(value: object, path: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidRequestError(f"{path} must be an integer")
    if abs(value) > MAX_INTEGER:
        raise InvalidRequestError(f"{path} must be between -{MAX_INTEGER} and {MAX_INTEGER}")
    return value


def as_array(value: object, path: str) -> list[object]:
    if not isinstance(value, list):
        raise InvalidRequestError(f"{path} must be an array")
    return value
