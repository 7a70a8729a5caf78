"""The operations of recorded computations, a record each: formula, terms, source."""

from __future__ import annotations

from . import activation as _activation
from . import arithmetic as _arithmetic
from . import binary_rows as _binary_rows
from . import comparisons as _comparisons
from . import contraction as _contraction
from . import convolution as _convolution
from . import cross_entropy as _cross_entropy
from . import crossed as _crossed
from . import distances as _distances
from . import dropout as _dropout
from . import einsum as _einsum
from . import embedding as _embedding
from . import extremes as _extremes
from . import functions as _functions
from . import gated as _gated
from . import landing as _landing
from . import linear as _linear
from . import margins as _margins
from . import movement as _movement
from . import network as _network
from . import normalisation as _normalisation
from . import norms as _norms
from . import pointwise_rows as _pointwise_rows
from . import pooling as _pooling
from . import products as _products
from . import reductions as _reductions
from . import rms as _rms
from . import running as _running
from . import separations as _separations
from . import softmax as _softmax
from . import weighing as _weighing
from .record import RECORDS, Record

__all__ = ["RECORDS", "Record"]
_FILED = (
    _activation,
    _arithmetic,
    _binary_rows,
    _comparisons,
    _contraction,
    _convolution,
    _cross_entropy,
    _crossed,
    _distances,
    _dropout,
    _einsum,
    _embedding,
    _extremes,
    _functions,
    _gated,
    _landing,
    _linear,
    _margins,
    _movement,
    _network,
    _normalisation,
    _norms,
    _pointwise_rows,
    _pooling,
    _products,
    _reductions,
    _rms,
    _running,
    _separations,
    _softmax,
    _weighing,
)
