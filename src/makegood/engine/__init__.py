"""Pricing: a payment, a snapshot and balances in; grants, or the reason for each refusal, out."""
