"""A figure in a notebook is small, and says in words what is on it."""

import base64
import io
import struct

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from PIL import Image as Pixels

from notebooks.__main__ import HERE
from notebooks.picture import LARGEST, PictureError, picture, show


def drawn(points=200, size=(6, 3), **options):
    figure, ax = plt.subplots(figsize=size)
    ax.plot(np.cumsum(np.random.default_rng(1).normal(size=points)), **options)
    return figure


def test_the_words_go_into_the_outputs_metadata_on_one_line():
    figure = drawn()
    shown = picture(figure, "A walk\n   that goes up.")
    plt.close(figure)
    data, metadata = shown._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == "A walk that goes up."
    assert set(data) == {"image/png"}


def test_the_picture_is_as_large_as_drawn_and_keeps_the_colour_of_a_line():
    figure = drawn(color="#1d4e89", lw=3)
    data = picture(figure, "A walk.").data
    plt.close(figure)
    assert struct.unpack(">II", data[16:24]) == (6 * 72, 3 * 72)
    with Pixels.open(io.BytesIO(data)) as pixels:
        colours = [colour for _, colour in pixels.convert("RGB").getcolors()]
    assert any(np.abs(np.subtract(colour, (0x1D, 0x4E, 0x89))).max() < 8 for colour in colours)


@pytest.mark.parametrize("alt", ["", " \n "])
def test_no_picture_without_words(alt):
    figure = drawn()
    with pytest.raises(PictureError, match="alternative text"):
        picture(figure, alt)
    plt.close(figure)


def test_a_picture_that_is_too_large_is_refused():
    figure, ax = plt.subplots(figsize=(16, 16))
    ax.imshow(np.random.default_rng(1).random((1_200, 1_200)), interpolation="nearest")
    with pytest.raises(PictureError, match=f"{LARGEST:,}"):
        picture(figure, "Noise.")
    plt.close(figure)


def test_what_is_shown_is_closed():
    figure = drawn()
    show(figure, "A walk.")
    assert not plt.fignum_exists(figure.number)


STORED = [path for path in sorted(HERE.glob("*.ipynb")) if "notebooks.picture" in path.read_text()]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_what_a_notebook_is_stored_with_are_small_pictures_with_words(path):
    outputs = [out for cell in nbformat.read(path, as_version=4).cells for out in cell.get("outputs", [])]
    pictures = [out for out in outputs if "image/png" in out.get("data", {})]
    assert pictures
    for out in pictures:
        assert len(base64.b64decode(out.data["image/png"])) <= LARGEST
        assert len(out.metadata["image/png"]["alt"].split()) > 10
    said = [
        str(text)
        for out in outputs
        for text in (out.get("text", ""), out.get("data", {}).get("text/markdown", ""))
    ]
    assert not [text for text in said if "/tmp" in text or "/home" in text or str(HERE.parent) in text]
