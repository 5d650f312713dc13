"""Encode cells as PNG images with a palette: small files, with bytes that do not depend on the machine."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["data_url", "encode_png"]

_MAGIC = b"\x89PNG\r\n\x1a\n"


def encode_png(cells: npt.NDArray[np.uint8], *palettes: Sequence[str]) -> tuple[bytes, ...]:
    r"""Encode the same cells as one PNG per palette, with one pixel per cell.

    Args:
        cells: Index into the palettes, shape ``(rows, columns)``, top row first.
        palettes: Colours as ``#rrggbb``; the first one is transparent, for empty cells.

    Example:
        >>> encode_png(np.zeros((1, 1), np.uint8), ["#ffffff"])[0][:8]
        b'\x89PNG\r\n\x1a\n'
    """
    height, width = cells.shape
    # Each line begins with its filter type; type 0 (none) suits palettes best.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), cells], axis=1)
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
    body = _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)) + _chunk(b"IEND", b"")
    colours = (b"".join(bytes.fromhex(colour[1:]) for colour in palette) for palette in palettes)
    return tuple(_MAGIC + header + _chunk(b"PLTE", used) + _chunk(b"tRNS", b"\0") + body for used in colours)


def data_url(image: bytes) -> str:
    """A PNG as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
