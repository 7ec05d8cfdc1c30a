"""The stages of reading (甄别步骤), one question a file."""
