"""The picture of a model's step: a box a module, in the order of computation."""
