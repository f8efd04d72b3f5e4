"""What the environment holds: in a variable NAME, or in the file that NAME_FILE names."""

from __future__ import annotations

import os
from pathlib import Path

from environs import Env

FILE_SUFFIX = "_FILE"


class Given:
    """Reads variables. What cannot be read is named in `problems`, by variable, without a value."""

    def __init__(self) -> None:
        self._env = Env()
        self.problems: dict[str, str] = {}

    def text(self, name: str) -> str:
        """The value of a variable, empty where there is none. A file's last line end is not its."""
        value: str = self._env.str(name, "")
        file: str = self._env.str(name + FILE_SUFFIX, "")
        if not file:
            return value
        if value:
            self.problems[name] = f"{name} and {name}{FILE_SUFFIX} are both set (expected one)"
            return ""
        try:
            # Byte by byte, whether it is text or not, as from the environment itself.
            held = os.fsdecode(Path(file).read_bytes())
        except OSError as error:
            self.problems[name] = (
                f"{name}{FILE_SUFFIX} names {file}, which cannot be read: {error.strerror}"
            )
            return ""
        return held.removesuffix("\n").removesuffix("\r")

    def holds(self, name: str) -> bool:
        """Whether the variable or its file is named."""
        return bool(self._env.str(name, "") or self._env.str(name + FILE_SUFFIX, ""))
