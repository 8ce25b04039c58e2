"""Policy, brief, campaign and signature: from the bytes of a file to facts, with every finding collected."""
