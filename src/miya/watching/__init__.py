"""Watching real training: what each step did, layer by layer, without harming it."""
