"""Reports as words: every sentence about an answer is made here. Errors carry their own sentences."""
