"""Who should: sources, their rosters with weights, and the choice of an operator."""
