"""People, schemes and events that do not exist: data for the demo, the tests and the benchmarks.

``generate`` fills the two databases, ``people`` says who lives in them, ``dirty`` lists every way
in which a record can be wrong. All of it is a function of a seed.
"""
