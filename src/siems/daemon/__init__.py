"""The one process that writes: HTTP in, verbs, deadlines, the live stream."""
