"""Drawings as SVG: numbers in, markup out, with classes in place of colours."""
