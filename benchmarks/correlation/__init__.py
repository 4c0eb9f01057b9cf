"""How well correlation works: labelled streams of alerts, and how each strategy scores on them."""
