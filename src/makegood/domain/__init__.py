"""Pure facts and their legal changes."""
