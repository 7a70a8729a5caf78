"""Measures of blame, read off a trace."""
