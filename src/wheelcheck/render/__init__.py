"""The English of the package: every sentence that a user reads is made here or stands in a data table."""
