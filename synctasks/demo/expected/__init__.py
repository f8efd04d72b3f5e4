"""What must have arrived of flows whose records only the target can resolve.

Nothing here is taken from the sync: references are looked up in dictionaries, the best are sorted
in Python, events come from what the workload itself has kept, behavior is counted by hand.
"""
