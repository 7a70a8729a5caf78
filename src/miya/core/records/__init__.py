"""The operations of recorded computations, a record each: formula, terms, source."""

from __future__ import annotations

from . import activation as _activation
from . import arithmetic as _arithmetic
from . import binary_rows as _binary_rows
from . import contraction as _contraction
from . import convolution as _convolution
from . import cross_entropy as _cross_entropy
from . import distances as _distances
from . import dropout as _dropout
from . import embedding as _embedding
from . import functions as _functions
from . import gated as _gated
from . import linear as _linear
from . import margins as _margins
from . import movement as _movement
from . import network as _network
from . import normalisation as _normalisation
from . import pointwise_rows as _pointwise_rows
from . import pooling as _pooling
from . import products as _products
from . import rms as _rms
from . import softmax as _softmax
from .record import RECORDS, Record

__all__ = ["RECORDS", "Record"]
_FILED = (
    _activation,
    _arithmetic,
    _binary_rows,
    _contraction,
    _convolution,
    _cross_entropy,
    _distances,
    _dropout,
    _embedding,
    _functions,
    _gated,
    _linear,
    _margins,
    _movement,
    _network,
    _normalisation,
    _pointwise_rows,
    _pooling,
    _products,
    _rms,
    _softmax,
)
