"""Topic: what an exercise showed: measures from its log, the after-action report, comparison."""
