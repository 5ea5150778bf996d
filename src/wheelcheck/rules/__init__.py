"""The curated errata to published metadata: model, parser, loader and audit; the rows are in ``data/``."""
