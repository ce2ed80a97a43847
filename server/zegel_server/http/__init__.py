"""HTTP and WebSocket: reads and writes what travels, decides nothing."""
