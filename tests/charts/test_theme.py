"""Theme colours are readable, ordered, and distinguishable with colour-vision deficiency and in grey."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from liqmap.charts.theme import DARK, LIGHT, PAGE, Theme, css

THEMES = {"light": LIGHT, "dark": DARK}

# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    to_lms = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
    to_lms.append([0.0883024619, 0.2817188376, 0.6299787005])
    lms = np.cbrt(np.clip(np.array(to_lms) @ rgb, 0, None))
    to_lab = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099]]
    to_lab.append([0.0259040371, 0.7827717662, -0.8086757660])
    return np.array(to_lab) @ lms


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_text_has_a_contrast_of_at_least_four_and_a_half(theme: Theme) -> None:
    assert contrast(theme.ink, theme.paper) >= 7
    assert contrast(theme.quiet, theme.paper) >= 4.5
    # The focus ring and the side swatches are not text: 3:1 is asked of them.
    assert contrast(theme.longs[2], theme.paper) >= 3
    assert contrast(theme.shorts[2], theme.paper) >= 3


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("side", ["longs", "shorts"])
def test_leverage_colours_are_ordered_by_lightness(theme: Theme, side: str) -> None:
    against_paper = [contrast(colour, theme.paper) for colour in getattr(theme, side)]
    assert against_paper[0] >= 1.5
    assert all(b / a >= 1.3 for a, b in itertools.pairwise(against_paper)), against_paper


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_neighbouring_colours_and_sides_are_distinguishable(theme: Theme, vision: str) -> None:
    def perceived(colour: str) -> np.ndarray:
        return oklab(np.clip(VISION[vision] @ linear(colour), 0, 1))

    for colours in (theme.longs, theme.shorts):
        steps = [perceived(colour) for colour in colours]
        assert min(np.linalg.norm(a - b) for a, b in itertools.pairwise(steps)) >= 0.08
    # Longs and shorts of one leverage differ in hue and in lightness.
    for long, short in zip(theme.longs, theme.shorts, strict=True):
        assert np.linalg.norm(perceived(long) - perceived(short)) >= 0.05, (long, short)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_sides_differ_in_lightness(theme: Theme) -> None:
    for long, short in zip(theme.longs, theme.shorts, strict=True):
        assert luminance(short) > luminance(long) * 1.05


def test_every_variable_the_page_theme_uses_is_defined_for_light_and_dark() -> None:
    used = {value.removeprefix("var(--").removesuffix(")") for value in PAGE.tokens().values()}
    assert used == set(LIGHT.tokens()) == set(DARK.tokens())
    for name in used:
        assert css().count(f"--{name}:") == 2
