"""What every room uses: records, errors, URLs, dates, thread helpers and lazily compiled regexes."""
