"""The demonstration's own world: real rates of 2021-2023 and invented stories, day by day."""
