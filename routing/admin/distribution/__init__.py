"""The page Distribution: the weights of all operators in all sources, what they would have done, and what is unfair."""
