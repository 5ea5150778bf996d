"""What failed installs and imports mean, as values."""
