"""The parts of the story, in their order."""
