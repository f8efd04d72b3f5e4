"""`python -m synctasks`, the same as `synctasks`."""

from synctasks.cli import main

main()
