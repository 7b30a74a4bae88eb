"""What validation yields: a registration, or the error that answers it."""

from collections.abc import Mapping

import msgspec

from apps.engine.functions import FunctionSpec


class RegistrationHead(msgspec.Struct, frozen=True):
    """What a registration says about its app. `checksum` is the SHA-256 of all that a sync stores."""

    app_name: str
    url: str = ""
    sdk_language: str = ""
    sdk_version: str = ""
    framework: str = ""
    platform: str = ""
    app_version: str = ""
    checksum: str = ""


class RegisteredFunction(msgspec.Struct, frozen=True):
    """A valid function. The ids and the version of `spec` are empty until a sync gives them.

    `config` is the JSON object as registered; `warnings` are settings that have no effect.
    """

    spec: FunctionSpec
    config: bytes
    warnings: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        return self.spec.slug


class Registration(msgspec.Struct, frozen=True):
    head: RegistrationHead
    functions: tuple[RegisteredFunction, ...]

    @property
    def warnings(self) -> list[str]:
        return [f"'{item.slug}': {warning}" for item in self.functions for warning in item.warnings]


class RegistrationError(msgspec.Struct, frozen=True):
    """A refused registration, always answered with 400.

    `code` classifies it on the app's and the sync's record (spec 05 1.8); it is part of the answer
    where `is_code_public`. `has_envelope` tells the two body shapes of spec 01 4.4 apart. `head` is
    None when the body could not be decoded that far.
    """

    message: str
    code: str
    head: RegistrationHead | None = None
    has_envelope: bool = True
    is_code_public: bool = False

    @property
    def status(self) -> int:
        return 400

    def body(self) -> Mapping[str, object]:
        if not self.has_envelope:
            return {"error": self.message}
        envelope = {"error": self.message, "data": None, "status": self.status}
        return {"code": self.code, **envelope} if self.is_code_public else envelope


def invalid_request(detail: str, head: RegistrationHead | None = None) -> RegistrationError:
    return RegistrationError(f"Invalid request: {detail}", "invalid_request", head, has_envelope=False)
