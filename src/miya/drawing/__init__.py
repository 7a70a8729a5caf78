"""The diagram as a placed, backend-neutral scene: every number already text, every box measured."""
