"""A config folder as a whole: read, checked without the plant, tried out with the engineers' own tests."""
