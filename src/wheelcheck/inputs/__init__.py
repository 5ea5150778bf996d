"""What the user asks: options, requirements files, pyproject.toml, lock files and pip's configuration."""
