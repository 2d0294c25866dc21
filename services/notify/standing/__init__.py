"""Standing guidance: preparedness models and checklists that everybody may read at any time; nobody is written to."""
