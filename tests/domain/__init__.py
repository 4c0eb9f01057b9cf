"""Tests of the domain: pure decisions, told as rules."""
