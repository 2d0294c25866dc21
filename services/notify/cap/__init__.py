"""Cap: published guidance as an alert of the Common Alerting Protocol 1.2, and the rules that its schema leaves out."""
