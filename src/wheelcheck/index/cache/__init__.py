"""The cache on disk: pages, metadata, remembered answers, and the stamps that invalidate them."""
