"""linecontrol watches and steers an assembly line."""
