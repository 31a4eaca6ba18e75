"""Shows a figure in a notebook as a small picture that also says in words what is on it.

matplotlib's own inline picture has no alternative text, and is about five times as large.
"""

import io

import matplotlib.pyplot as plt
from IPython.display import Image, display
from matplotlib.figure import Figure
from PIL import Image as Pixels

DPI = 72
COLOURS = 48
"""Enough for lines and bands; a picture of them is much smaller than one in true colour."""
LARGEST = 60_000
"""Bytes a picture may have: notebooks are kept in the repository with theirs."""


class PictureError(ValueError):
    """A figure that cannot be shown as it is; the message is one sentence."""


def picture(figure: Figure, alt: str) -> Image:
    """Return a figure as a PNG with an alternative text.

    :param alt: what somebody who does not see it must know: axes, lines, and what they show
    :raises PictureError: the text is missing, or the picture is larger than :data:`LARGEST`
    """
    if not alt.strip():
        raise PictureError("A picture needs an alternative text; pass what the figure shows.")
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, facecolor="white")
    with Pixels.open(drawn) as pixels:
        pixels.convert("RGB").quantize(COLOURS, dither=Pixels.Dither.NONE).save(small, "PNG", optimize=True)
    data = small.getvalue()
    if len(data) > LARGEST:
        size = f"{len(data):,} bytes, and {LARGEST:,} are the most"
        raise PictureError(f"The picture has {size}; draw less on it, or make the figure smaller.")
    return Image(data, format="png", alt=" ".join(alt.split()))


def show(figure: Figure, alt: str) -> None:
    """Display a figure below the cell, with an alternative text, and close it.

    :raises PictureError: as :func:`picture` does
    """
    shown = picture(figure, alt)
    plt.close(figure)
    display(shown)
