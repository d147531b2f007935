"""The page *My contacts*: what operators have to do, with the buttons for it. Also on a phone."""
