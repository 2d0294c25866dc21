"""Networks: groups of associations, and who belongs to them."""
