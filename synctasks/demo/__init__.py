"""The demo: the whole of synctasks at work, before your eyes."""
