"""What `./zegel check` looks at: one step after another, each a line with its result."""
