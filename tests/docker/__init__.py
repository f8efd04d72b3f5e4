"""The containers: needs a Docker engine, and takes minutes (`make test-system`)."""
