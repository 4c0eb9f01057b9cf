"""What screens are made of: rows, lines and text fields that draw themselves."""
