"""The words we use, as frozen values: standard library only, no I/O."""
