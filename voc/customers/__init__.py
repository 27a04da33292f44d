"""Each customer: a health score by stated rules, tested against what really happened, and who is at risk."""
