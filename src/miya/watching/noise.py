"""How noisy a gradient is: what one step's δ say of the next batch's."""

from __future__ import annotations

import numpy as np

from .numbers import Array


def gradient_noise(example_squares: Array, sum_square: Array, examples: Array) -> Array:
    """The variance of Σδ over batches of this size, over the squared norm of its mean.

    example_squares: Σᵢ ‖δᵢ‖² of the examples' parts; sum_square: ‖Σᵢ δᵢ‖². With the sample variance
    over the N examples, Var(Σδ) = (N Σᵢ‖δᵢ‖² − ‖Σδ‖²) / (N − 1); ‖E Σδ‖² is estimated without bias
    as ‖Σδ‖² − Var(Σδ) (McCandlish et al., arXiv 1812.06162, appendix A). Times N it is their
    simple noise scale, of the bias's gradient. NaN of one example, or where nothing came back;
    infinity where the mean cannot be told from 0.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        spread = np.maximum(examples * example_squares - sum_square, 0)
        variance = spread / (examples - 1)
        signal = sum_square - variance
        found = np.where(signal > 0, variance / signal, np.inf)
    return np.where((examples > 1) & (example_squares > 0), found, np.nan)
