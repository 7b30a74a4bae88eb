"""Every ink on every ground it may stand on, in both themes (WCAG 2.2, 1.4.3 and 1.4.11).

The pairs are all of them, since a component may be put on any ground; a colour that the style sheets use and
that is in none of the sets below fails the last test.
"""

import re
from itertools import product
from pathlib import Path
from typing import Final

import pytest

STYLES: Final = Path(__file__).resolve().parents[3] / "static/css"
THEMES: Final = ("light", "dark")

GROUNDS: Final = frozenset(
    {
        *("ground", "surface", "surface-raised", "surface-sunken", "surface-hover"),
        *("ok-wash", "bad-wash", "busy-wash", "wait-wash", "quiet-wash", "accent-wash"),
    }
)
INKS: Final = frozenset(
    {
        *("ink", "ink-soft", "ink-faint", "accent", "accent-strong"),
        *("ok", "bad", "busy", "wait", "quiet"),
        *("code-key", "code-string", "code-number", "code-literal"),
    }
)
SOLIDS: Final = frozenset({"accent-fill", "accent-fill-strong", "bad-solid", "bad-solid-strong"})
FILLS: Final = frozenset({"ok-fill", "bad-fill", "busy-fill", "wait-fill", "quiet-fill"})
# Edges of fields, and rings around what has the focus. Buttons are told by their words, not by their edge.
EDGES: Final = frozenset({"control-line", "focus"})
TEXT_RATIO: Final = 4.5
GRAPHIC_RATIO: Final = 3.0


def _tokens() -> dict[str, tuple[str, str]]:
    text = (STYLES / "tokens.css").read_text()
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", text)
    plain = re.findall(r"--([\w-]+): (#\w{6});", text)
    return {name: (light, dark) for name, light, dark in pairs} | {name: (c, c) for name, c in plain}


TOKENS: Final = _tokens()


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _too_faint(front: frozenset[str], back: frozenset[str], theme: str, ratio: float) -> dict[str, float]:
    side = THEMES.index(theme)
    found = {
        f"{one} on {other}": round(_contrast(TOKENS[one][side], TOKENS[other][side]), 2)
        for one, other in product(sorted(front), sorted(back))
    }
    return {pair: contrast for pair, contrast in found.items() if contrast < ratio}


def test_the_measure_is_the_one_of_wcag() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_read_on_every_ground(theme: str) -> None:
    assert _too_faint(INKS, GROUNDS, theme, TEXT_RATIO) == {}


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_read_on_solid_buttons_also_under_the_pointer(theme: str) -> None:
    assert _too_faint(frozenset({"accent-contrast"}), SOLIDS, theme, TEXT_RATIO) == {}


@pytest.mark.parametrize("theme", THEMES)
def test_fields_focus_and_bars_stand_out_on_every_ground(theme: str) -> None:
    assert _too_faint(EDGES | FILLS, GROUNDS, theme, GRAPHIC_RATIO) == {}


@pytest.mark.parametrize("theme", THEMES)
def test_the_knob_stands_out_on_its_switch(theme: str) -> None:
    tracks = frozenset({"quiet-fill", "accent-fill"})
    assert _too_faint(frozenset({"accent-contrast"}), tracks, theme, GRAPHIC_RATIO) == {}


def test_every_colour_that_the_style_sheets_use_is_measured() -> None:
    text = "\n".join(path.read_text() for path in sorted(STYLES.glob("*.css")) if path.name != "tokens.css")
    inks = set(re.findall(r"(?<![\w-])color: var\(--([\w-]+)\)", text))
    backs = set(re.findall(r"background(?:-color)?: var\(--([\w-]+)\)", text))
    assert inks - INKS == {"accent-contrast"}
    assert backs - GROUNDS - SOLIDS - FILLS == set()


def test_no_field_has_a_fainter_edge() -> None:
    text = (STYLES / "controls.css").read_text()
    fields = re.findall(r"(?m)^[^{}\n]*(?:\.input|\.select|\.textarea|\.filter-text)[^{}\n]*\{[^}]*\}", text)
    assert len(fields) > 5
    assert [rule for rule in fields if "line-strong" in rule] == []
