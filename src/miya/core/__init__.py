"""The engine: operations as records, the graph, one exact training step."""
