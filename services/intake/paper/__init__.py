"""Paper: lists to print, a sheet with a code for each association, and answers typed back from them."""
