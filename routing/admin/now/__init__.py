"""The page *Now*: what waits, who is on duty, what is wrong and how to mend it. The start page of supervisors."""
