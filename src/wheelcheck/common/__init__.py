"""Helpers for every room: records, errors, URLs, dates, threads and lazily compiled regular expressions."""
