"""Client of Zegel: what a person's device does, and the command line on top of it."""
