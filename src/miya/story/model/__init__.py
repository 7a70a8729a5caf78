"""Stories of recorded models: one number and why, and one whole step."""
