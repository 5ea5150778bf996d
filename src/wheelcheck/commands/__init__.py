"""One module for each use case; every front end calls these."""
