"""Topic: who takes part in an exercise: nobody else is written to or called in its realm."""
