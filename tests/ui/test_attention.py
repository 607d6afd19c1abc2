"""The maps of Explore's Attention panel: orientation, colours, and the sentence that compares them."""

from __future__ import annotations

import numpy as np

from hiercodec.figures.palette import SEQUENTIAL, rgb
from hiercodec.ui.explore.attention import VEIL, veiled, words


def test_a_veil_lies_where_its_map_is():
    values = np.zeros((2, 4))
    values[0, 3] = 1.0
    shown = veiled(np.zeros((32, 64, 3), np.uint8), values).astype(float)
    assert np.allclose(shown[0, 63], VEIL * np.array(rgb(SEQUENTIAL[-1])), atol=2), "top right: much"
    assert np.allclose(shown[31, 0], VEIL * np.array(rgb(SEQUENTIAL[0])), atol=2), "bottom left: little"


def test_words_say_how_many_bits_the_looked_at_half_got():
    seen = np.array([[1.0, 0.9], [0.1, 0.0]])
    assert "got **90% of the bits**" in words(seen, np.array([[50.0, 40.0], [5.0, 5.0]]))
    assert "50% of the picture" in words(seen, np.array([[50.0, 40.0], [5.0, 5.0]]))
    assert "+0.9" in words(seen, np.array([[50.0, 40.0], [5.0, 5.0]]))
    assert "nothing to compare" in words(np.ones((2, 2)), np.ones((2, 2)))
