"""A fictional Japanese company with planted truth: nothing under voc/ outside this folder may import it."""
