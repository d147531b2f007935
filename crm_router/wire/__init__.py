"""The API's shared wire format: what goes in, what comes out, and how errors look. Apps reach it by settings only."""
