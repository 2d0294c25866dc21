"""Topic: scenarios, the scripts of exercises, as files that anybody can write."""
