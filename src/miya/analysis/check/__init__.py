"""Marking a hand-worked page, number by number."""
