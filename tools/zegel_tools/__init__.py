"""What needs both server and clients, and the checks of this project."""
