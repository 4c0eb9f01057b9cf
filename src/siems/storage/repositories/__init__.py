"""One concrete class per aggregate: what verbs ask of it, and how its changes are written."""
