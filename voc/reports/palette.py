"""The colours of the reports, for charts, slides and workbooks (templates/report.css has the same)."""

ACCENT, PALE, TINT = "#1f4e79", "#9db8d2", "#eef3f8"
INK, MUTED, GREY, RULE = "#1c2127", "#5a6470", "#8a949f", "#d8dee5"
