"""From text to a tree of located nodes."""
