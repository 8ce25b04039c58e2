"""The report of a demo: one page in two languages without scripts, its data beside it."""
