"""Every family of Redis keys that the code uses is in the data dictionary, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LUA = ROOT / "apps/engine/store/lua"
_IN_LUA = re.compile(r"P \.\. '?:([a-z]+)")
_IN_PYTHON = re.compile(r"\{(?:self\.)?(?:_?keys\.|_?queue\.|_)*prefix\}:([a-z]+)")
_IN_SECTION = re.compile(r"`([a-z]+)(?::[^`]*)?`")


def section() -> str:
    text = (ROOT / "docs/ARCHITECTURE.md").read_text()
    return text.split("## The Redis data dictionary")[1].split("\n## ")[0]


def documented() -> set[str]:
    rows = [line.split(" | ")[0] for line in section().splitlines() if line.startswith("| `")]
    return {family for row in rows for family in _IN_SECTION.findall(row)}


def used_by_lua() -> set[str]:
    return {
        family
        for path in LUA.glob("*.lua")
        for line in path.read_text().splitlines()
        if not line.lstrip().startswith("--")
        for family in _IN_LUA.findall(line)
    }


def used() -> set[str]:
    python = {
        family for path in (ROOT / "apps").rglob("*.py") for family in _IN_PYTHON.findall(path.read_text())
    }
    return used_by_lua() | python


def test_the_architecture_page_lists_every_family() -> None:
    assert used() - documented() == set()


def test_the_key_page_of_the_lua_library_names_every_family_that_lua_uses() -> None:
    page = (LUA / "00_keys.lua").read_text().split("local call")[0]
    named = set(re.findall(r"P:([a-z]+)", page))
    assert used_by_lua() - named == set()
