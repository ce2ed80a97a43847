"""`./zegel client`: the SDK for people at a terminal, and for scripts."""
