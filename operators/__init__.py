"""Who can: operators, their duty, limit and load. The bottom of the river: imports Django only."""
