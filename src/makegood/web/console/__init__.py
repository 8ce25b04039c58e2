"""The console: pages for the people who run campaigns, rendered here, working without a script."""
