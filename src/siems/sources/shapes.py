"""Shapes that several tools send alike."""
