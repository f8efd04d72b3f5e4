"""The composed stack as users have it: docker/up, docker/compose, docker/synctasks, docker/down."""
