"""The story of a trace as backend-neutral blocks; no renderer and no arithmetic of its own."""
