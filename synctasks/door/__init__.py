"""The door: what stands in our queues is checked before anything acts on it."""
