"""The engine: how the target is made to agree with the source, for a set of keys."""
