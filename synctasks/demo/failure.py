"""What the demo found wrong, in words for a person."""

from synctasks.errors import SynctasksError


class DemoFailed(SynctasksError):
    """The demo ran and something is not as it should be: exit code 1, not a set-up to mend."""
