"""The report of replays: one page in two languages without scripts, its data beside it; and what reports draw with."""
