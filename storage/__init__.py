"""Everything that knows SQL. One file per subject; every function takes the open connection
first.
"""
