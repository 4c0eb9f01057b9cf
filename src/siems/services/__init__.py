"""The verbs: plain functions over a unit of work, and the queries."""
