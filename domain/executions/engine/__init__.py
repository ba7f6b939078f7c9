"""What follows necessarily from what happened, as further events of the same decision."""
