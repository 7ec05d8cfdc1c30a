"""The hall (大厅): composition roots, pages, API, sign-in and commands."""
