"""A drawn scene and the files it can become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..drawing.scene import Scene
from ..errors import MiyaInputError
from .files import write_whole


@dataclass(frozen=True)
class Diagram:
    """One picture of one step. `svg()` needs nothing; the others need the extra `draw`.

    A notebook shows it by itself.
    """

    scene: Scene = field(repr=False)
    theme: str = "light"

    def svg(self, *, animate: bool = False, standalone: bool = True) -> str:
        """animate: it plays by itself."""
        from .svg import svg

        return svg(self.scene, theme=self.theme, animate=animate, standalone=standalone)

    def png(self, scale: float | None = None) -> bytes:
        from .picture import png

        return png(self.scene, theme=self.theme, scale=scale)

    def pdf(self) -> bytes:
        from .picture import pdf

        return pdf(self.scene, theme=self.theme)

    def gif(self) -> bytes:
        from .picture import gif

        return gif(self.scene, theme=self.theme)

    def webp(self) -> bytes:
        from .picture import webp

        return webp(self.scene, theme=self.theme)

    def save(self, path: str | Path, *, scale: float | None = None, animate: bool = False) -> None:
        """Write FILE.svg, .png, .pdf, .gif or .webp, whole or not at all.

        scale: pixels a unit of a PNG; None is 2, or less where that makes too large a picture.

        Raises MiyaInputError E656 for another ending, MiyaOutputError E508.
        """
        made: dict[str, Callable[[], str | bytes]] = {
            ".svg": lambda: self.svg(animate=animate),
            ".png": lambda: self.png(scale),
            ".pdf": self.pdf,
            ".gif": self.gif,
            ".webp": self.webp,
        }
        ending = Path(path).suffix.lower()
        if ending not in made:
            raise MiyaInputError(
                "E656",
                f"{path} ends in {ending or 'nothing'}",
                hint=f"choose {', '.join(made)}",
            )
        write_whole(path, made[ending]())

    def __str__(self) -> str:
        return f"{self.scene.title}\n{self.scene.description}"

    def _repr_svg_(self) -> str:
        return self.svg(standalone=False)

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x: auto">{self._repr_svg_()}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/html": self._repr_html_(),
            "image/svg+xml": self._repr_svg_(),
            "text/plain": str(self),
        }
