"""Edits of a definition's text: the source span of a value changes; comments, order and layout stay."""
