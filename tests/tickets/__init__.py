"""Ticket systems, against servers that behave as they do."""
