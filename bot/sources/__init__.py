"""Sources, bytes → model: banks, feeds, pages, their catalog; no network, clock or database."""
