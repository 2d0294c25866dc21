"""Topic: enrolment: associations sign up for an exercise, its leader adds and removes, until it begins."""
