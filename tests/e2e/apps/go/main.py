"""The app of the Go double: `python -m tests.e2e.apps.go.main` with PORT and Go's variables."""

from tests.e2e.apps.dialects.serving import serve
from tests.e2e.apps.go import basics, server_steps
from tests.e2e.apps.go.dialect import GoDialect

__all__ = ["basics", "server_steps"]

if __name__ == "__main__":
    serve(GoDialect())
