"""The protocol as a state machine: any order of steps, any pause, any crash, on real databases.

Hypothesis chooses what the application, the workers and the operators do next. Workers are
threads that run one at a time, from one named point to the next: so a schedule is a list of
steps, can be repeated, and shrinks.
"""
