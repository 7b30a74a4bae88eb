"""docs/THREAT_MODEL.md names tests that exist, and what it says about connections holds."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
# Modules that may connect to an address that somebody else gives.
EGRESS = {"apps/engine/calls/connector.py", "apps/engine/calls/exchange.py", "apps/signin/sso/egress.py"}
# To Redis, to the operator's name servers, to this machine: none of these takes an address of a tenant.
LOCAL = {
    "apps/engine/store/client.py",
    "apps/signin/sso/dns.py",
    "apps/registry/port_scan.py",
    "apps/devserver/readiness.py",
    "apps/server/probe.py",
}
CONNECTING = re.compile(
    r"create_connection\(|open_connection\(|\.connect\(\(|urlopen\(|HTTPS?Connection\(|ClientSession\(|TCPConnector\("
    r"|\b(?:requests|httpx|urllib3)\.(?:get|post|put|head|request|[Ss]ession|Client|AsyncClient|PoolManager)\("
)


def named_tests() -> list[tuple[str, str]]:
    return NAMED.findall((ROOT / "docs" / "THREAT_MODEL.md").read_text())


def defined_in(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, functions)}


@pytest.mark.parametrize(("file", "name"), named_tests())
def test_each_named_test_exists(file: str, name: str) -> None:
    path = ROOT / file
    assert path.exists()
    assert not name or name in defined_in(path)


def test_the_page_names_tests() -> None:
    assert len(named_tests()) > 80


def sources() -> list[Path]:
    return [path for path in (ROOT / "apps").rglob("*.py") if "migrations" not in path.parts]


def test_only_these_modules_connect_to_anywhere() -> None:
    found = {str(path.relative_to(ROOT)) for path in sources() if CONNECTING.search(path.read_text())}
    assert found <= EGRESS | LOCAL, "Go through apps/engine/calls, which knows where requests may go."
