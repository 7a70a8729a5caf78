"""Speed and size of Miya beside PyTorch: `python -m benchmarks` (docs/performance.md)."""
