"""Files of payments, read from disk."""
