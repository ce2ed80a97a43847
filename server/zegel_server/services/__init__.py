"""Use cases of the server: neither HTTP nor SQL."""
