"""One file an output; each lowers the same story."""
