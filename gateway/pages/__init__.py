"""The pages people see, one file a page or a small flow of pages."""
