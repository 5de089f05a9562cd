"""Everything that knows SQL: one file a subject; functions take the open connection first."""
