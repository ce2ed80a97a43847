"""The server of Zegel, which keeps and passes on what it cannot read."""
