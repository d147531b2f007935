"""What would have been with other weights, limits, another roster or strategy: a replay of a source's past.

`past` reads what has happened, `simulation` replays it (pure), `prediction` compares many replays (pure), `runs` stores
what was asked and answered, and works it off.
"""
