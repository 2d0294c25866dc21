"""Topic: exercises: what is rehearsed, who takes part, and the clock that may run faster than time."""
