"""Blame of every example: which examples drive the loss and the gradient of a model."""

from ..read.need import need_torch

need_torch()
