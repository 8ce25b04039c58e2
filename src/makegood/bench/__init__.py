"""Performance: one table in which every figure is a ratio to something measured in the same run."""
