"""What failed installs and imports mean: today the outcomes of a confirmation."""
