"""The full-screen console: it shows what the daemon says and sends what its user asks."""
