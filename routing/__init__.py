"""Routing: sources, their rosters with weights, the choice of an operator, the queue and the history of contacts."""
