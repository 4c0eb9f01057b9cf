"""One file per screen or family of dialogs."""
