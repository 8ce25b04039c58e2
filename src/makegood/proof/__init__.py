"""Proofs: for every possible payment a campaign keeps its brief and the policy, or the smallest that breaks them."""
