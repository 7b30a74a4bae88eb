"""The app of the Kotlin double: `python -m tests.e2e.apps.java.main` with PORT and Kotlin's variables."""

from tests.e2e.apps.dialects.serving import serve
from tests.e2e.apps.java import app_functions
from tests.e2e.apps.java.dialect import KotlinDialect

__all__ = ["app_functions"]

if __name__ == "__main__":
    serve(KotlinDialect())
