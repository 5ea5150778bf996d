"""The cache on disk: pages, metadata, and the stamps that keep remembered answers true."""
