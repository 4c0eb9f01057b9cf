"""siems: the terminal-first incident console for managed service providers."""
