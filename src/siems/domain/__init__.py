"""Pure decisions: no input or output, no waiting; `now` is an argument."""
