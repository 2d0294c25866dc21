"""Topic: answers that disagree are shown, and a liaison pins the one that is to count."""
