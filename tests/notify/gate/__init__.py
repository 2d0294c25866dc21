"""Tests of the gate: in whatever order, an exercise reaches its roster alone, and what is real is as ever."""
