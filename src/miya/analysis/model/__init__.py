"""Measures of blame, read off a model's trace."""
