"""What is measured, as ratios in one run: see README.md. Nothing here is asserted; figures are reported."""
