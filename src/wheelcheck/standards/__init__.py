"""What the packaging standards define, parsed from bytes and held to their limits."""
