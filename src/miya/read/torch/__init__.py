"""Reading PyTorch models: one real training step of a copy, recorded as it runs."""
