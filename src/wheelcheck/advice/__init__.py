"""Concerns about an answer that works, and remedies that were re-resolved."""
