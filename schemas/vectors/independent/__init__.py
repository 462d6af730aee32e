"""A second reading of Baken's formats, in Python, written from their description and sharing no code with the first."""
