"""siems: the terminal-first incident console for managed service providers."""

__version__ = "0.1.0"
