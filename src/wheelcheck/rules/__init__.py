"""The curated errata to published metadata: model, parser, loader and audit. The rows are in ``data/``."""
