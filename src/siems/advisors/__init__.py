"""Ways to get advice on an incident: one file per provider, found by name."""
