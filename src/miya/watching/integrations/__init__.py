"""Callbacks that watch what a trainer of another library trains; each imports its library."""
