"""Where the client touches the world: connections, the vault on disk, files."""
