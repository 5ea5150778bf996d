"""A Python on a platform: its compatible tags by rank, its marker environment, and how targets are written."""
