"""Cuts STIX Two Math (OFL 1.1) down to the characters that Miya's formulas use.

Run with fontTools and brotli installed, the font's file first:
python subset_font.py stix-two-math.woff2 ../src/miya/render/page/maths.woff2
"""

from __future__ import annotations

import string
import sys

from fontTools import subset

GREEK = "αβγδεηθλμπστφΔΣΦ"
SIGNS = " +−-±·×=≈≠≤≥<>()[]{}|,.:/∂⊙⊤∑√^↑′∞ℓ…?"
ITALIC_LATIN = [*range(0x1D434, 0x1D468), 0x210E]
ITALIC_GREEK = [0x1D6FC + ord(c) - ord("α") for c in GREEK if c.islower()] + [
    0x1D6E2 + ord(c) - ord("Α") for c in GREEK if c.isupper()
]


def main(source: str, target: str) -> None:
    options = subset.Options(flavor="woff2", layout_features=["ssty", "kern"], hinting=False)
    font = subset.load_font(source, options)
    cut = subset.Subsetter(options)
    text = string.ascii_letters + string.digits + GREEK + SIGNS
    cut.populate(unicodes=[*map(ord, text), *ITALIC_LATIN, *ITALIC_GREEK])
    cut.subset(font)
    subset.save_font(font, target, options)


if __name__ == "__main__":
    main(*sys.argv[1:])
