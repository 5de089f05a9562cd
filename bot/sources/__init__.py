"""Sources: bytes → model. Banks, feeds, pages, and the catalog that names them; no network, clock
or database.
"""
