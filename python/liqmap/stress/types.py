"""Types shared by order books, impact laws and cascades."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["BookSide"]

BookSide: TypeAlias = Literal["bid", "ask"]
