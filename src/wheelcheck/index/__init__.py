"""Pages, metadata and files of package indexes."""
