"""Dead letters: what could not cross, kept on its own side until it passes or is given up."""

from synctasks.dead_letters.letter import Letter, crashed
from synctasks.dead_letters.store import close, reopen, store

__all__ = ["Letter", "close", "crashed", "reopen", "store"]
