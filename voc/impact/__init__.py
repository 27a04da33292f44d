"""What each issue does: prevented churns with honest intervals, yen at stake, contact cost. Start at `estimate`."""
