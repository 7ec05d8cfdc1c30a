"""One file a step; numbered, never edited once released."""
