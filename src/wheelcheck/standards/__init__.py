"""What the packaging standards define, parsed from bytes within limits of size and depth."""
